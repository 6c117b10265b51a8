"""What Grafana's panel types are for, as far as checks must tell them apart."""

from __future__ import annotations

from collections.abc import Mapping

#: Show something else than the result of a query.
WITHOUT_QUERY = frozenset(
    {
        "row", "text", "dashlist", "alertlist", "annolist", "news", "welcome", "gettingstarted", "pluginlist",
        "library-panel", "debug",
    }
)  # fmt: skip
#: Draw numbers on an axis or write them out.
WITH_UNIT = frozenset(
    {
        "timeseries", "stat", "gauge", "bargauge", "barchart", "heatmap", "histogram", "piechart", "trend",
        "graph", "singlestat",
    }
)  # fmt: skip
#: Panels written for AngularJS, which Grafana 12 no longer runs -> what takes their place.
#: Grafana replaces those of MIGRATED by itself when it loads the dashboard.
REMOVED: Mapping[str, str] = {
    "graph": "timeseries",
    "singlestat": "stat",
    "table-old": "table",
    "grafana-singlestat-panel": "stat",
    "grafana-piechart-panel": "piechart",
    "grafana-worldmap-panel": "geomap",
    "natel-discrete-panel": "state-timeline",
    "flant-statusmap-panel": "status-history",
    "blackmirror1-singlestat-math-panel": "stat",
    "vonage-status-panel": "stat",
    "briangann-gauge-panel": "gauge",
    "briangann-datatable-panel": "table",
    "jdbranham-diagram-panel": "canvas",
    "neocat-cal-heatmap-panel": "heatmap",
    "petrslavotinek-carpetplot-panel": "heatmap",
    "michaeldmoore-multistat-panel": "bargauge",
    "snuids-trafficlights-panel": "stat",
    "ryantxu-ajax-panel": "text",
    "farski-blendstat-panel": "stat",
    "digiapulssi-breadcrumb-panel": "text",
}
MIGRATED = frozenset(
    {
        "graph",
        "singlestat",
        "table-old",
        "grafana-singlestat-panel",
        "grafana-piechart-panel",
        "grafana-worldmap-panel",
    }
)
