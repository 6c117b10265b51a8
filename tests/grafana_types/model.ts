// What Grafana's published types say of a dashboard as a file. A file leaves out what has a default, and it
// writes a member of an enumeration by its value; a field that the types do not know is an error.
import type { AnnotationQuery, Dashboard, GraphFieldConfig, TableFieldOptions, VariableModel } from "@grafana/schema";
import type { Options as DashboardList } from "@grafana/schema/dist/esm/raw/composable/dashboardlist/panelcfg/x/DashboardListPanelCfg_types.gen";
import type { Options as Gauge } from "@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen";
import type { FieldConfig as HeatmapField, Options as Heatmap } from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type { Options as Logs } from "@grafana/schema/dist/esm/raw/composable/logs/panelcfg/x/LogsPanelCfg_types.gen";
import type { LokiDataQuery, LokiQueryDirection } from "@grafana/schema/dist/esm/raw/composable/loki/dataquery/x/LokiDataQuery_types.gen";
import type { Options as Stat } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type { Options as Table } from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type { TempoQuery } from "@grafana/schema/dist/esm/raw/composable/tempo/dataquery/x/TempoDataQuery_types.gen";
import type { Options as Text } from "@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen";
import type { Options as TimeSeries } from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

type Written<T> = T extends string
  ? `${T}`
  : T extends (infer Item)[]
    ? Written<Item>[]
    : T extends object
      ? { [Key in keyof T]?: Written<T[Key]> }
      : T;

// Fields of the data source's and the variable editor's own, which the types of dashboards do not list.
interface AskedOfPrometheus {
  expr?: string;
  step?: string;
  tagKeys?: string;
  textFormat?: string;
  titleFormat?: string;
  useValueForTime?: boolean;
  target?: { expr?: string; interval?: string };
}
interface Chosen {
  definition?: string;
}

type Mark = Written<AnnotationQuery> & AskedOfPrometheus;
type Choice = Written<VariableModel> & Chosen;

export type Page = Omit<Written<Dashboard>, "annotations" | "templating"> & {
  annotations?: { list?: Mark[] };
  templating?: { list?: Choice[] };
};

export interface Options {
  dashlist: Written<DashboardList>;
  gauge: Written<Gauge>;
  heatmap: Written<Heatmap>;
  logs: Written<Logs>;
  stat: Written<Stat>;
  table: Written<Table>;
  text: Written<Text>;
  timeseries: Written<TimeSeries>;
}

export interface Custom {
  gauge: Record<string, never>;
  heatmap: Written<HeatmapField>;
  stat: Record<string, never>;
  table: Written<TableFieldOptions>;
  timeseries: Written<GraphFieldConfig>;
}

export interface Target {
  // It is exported beside the query, and missing in it.
  loki: Written<LokiDataQuery> & { direction?: Written<LokiQueryDirection> };
  tempo: Written<TempoQuery>;
}
