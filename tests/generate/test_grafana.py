from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

from obs.errors import SpecError
from obs.generate.derive.dashboards.service import derive_dashboard
from obs.generate.derive.rules import rule_files
from obs.generate.model import (
    PANEL_KINDS,
    Annotation,
    Dashboard,
    Duration,
    Panel,
    PanelThreshold,
    Query,
    Row,
    Variable,
    panel_id,
)
from obs.generate.render.grafana import render
from obs.generate.spec.load import load

SPECS = Path(__file__).parents[2] / "specs" / "shop"
GOLDEN = Path(__file__).parent / "golden" / "dashboard.json"
SERVICES = ("payments", "storefront", "worker")


def _panel(
    key: str = "errors", kind: str = "timeseries", *lines: tuple[str, Literal["green", "yellow", "red"]]
) -> Panel:
    return Panel(
        key=key,
        title=key.title(),
        description=f"What {key} means.",
        unit="percentunit",
        kind=kind,  # type: ignore[arg-type]
        queries=() if kind == "text" else (Query('up{service="a"}', "{{instance}}"),),
        thresholds=tuple(PanelThreshold(Decimal(value), colour) for value, colour in lines),
        text="**words**" if kind == "text" else "",
    )


def _dashboard(*panels: Panel) -> Dashboard:
    return Dashboard(
        name="a",
        folder="team",
        title="a",
        description="About a.",
        rows=(Row("Main", panels or (_panel(),)),),
        interval=Duration.parse("15s"),
        tags=("obs", "a"),
        links=(("Runbooks", "https://r.test/a"),),
        variables=(
            Variable("datasource", "Prometheus", "datasource", "prometheus"),
            Variable("environment", "Environment", "query", 'label_values(up{service="a"}, environment)'),
            Variable("search", "Search", "textbox", "boom"),
        ),
        annotations=(Annotation("Firing alerts", 'ALERTS{alertstate="firing"}', "{{alertname}}"),),
    )


def _json(dashboard: Dashboard) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(render(dashboard).text)
    return data


def _drawn(*panels: Panel) -> list[dict[str, Any]]:
    return [panel for panel in _json(_dashboard(*panels))["panels"] if panel["type"] != "row"]


@cache
def _shop(name: str) -> Dashboard:
    service = next(s for s in load([SPECS]) if s.name == name)
    return derive_dashboard(service, [alert for file in rule_files(service) for alert in file.alerts])


def test_the_file_is_the_golden_one() -> None:
    panels = [_panel(kind, kind, ("0.01", "yellow"), ("0.05", "red")) for kind in PANEL_KINDS]

    assert _json(_dashboard(*panels)) == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_the_same_dashboard_is_the_same_bytes() -> None:
    first, second = render(_shop("payments")), render(_shop("payments"))

    assert first == second
    assert str(first.path) == "dashboards/shop/payments.json"
    again = json.dumps(json.loads(first.text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert first.text == again.replace("1e-09", "1e-9")


def test_the_head_is_fixed_and_nobody_edits_it_in_place() -> None:
    data = _json(_dashboard())

    assert data["uid"] == "obs-a"
    assert data["editable"] is False
    assert data["schemaVersion"] == 42
    assert data["graphTooltip"] == 1
    assert "id" not in data
    assert "version" not in data
    assert data["links"][0]["url"] == "https://r.test/a"


def test_all_stands_for_an_expression_and_never_for_a_list_that_may_be_empty() -> None:
    source, environment, search = _json(_dashboard())["templating"]["list"]

    assert source["type"] == "datasource"
    assert environment["query"]["query"] == 'label_values(up{service="a"}, environment)'
    assert environment["allValue"] == ".*"
    assert environment["current"]["value"] == ["$__all"]
    assert search["query"] == "boom"


def test_firing_alerts_are_marked() -> None:
    by_hand, annotation = _json(_dashboard())["annotations"]["list"]

    assert by_hand["builtIn"] == 1
    assert annotation["expr"] == annotation["target"]["expr"]
    assert annotation["expr"] == 'ALERTS{alertstate="firing"}'
    assert annotation["datasource"]["uid"] == "${datasource}"


def test_ids_come_from_keys_and_survive_a_new_panel_before() -> None:
    alone = {panel["title"]: panel["id"] for panel in _drawn(_panel("errors"))}
    beside = {panel["title"]: panel["id"] for panel in _drawn(_panel("latency"), _panel("errors"))}

    assert alone["Errors"] == beside["Errors"] == panel_id("errors")


def test_two_panels_of_one_key_are_an_error() -> None:
    with pytest.raises(SpecError, match="appear twice"):
        render(_dashboard(_panel("errors"), _panel("errors")))


def test_two_keys_with_one_id_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two keys that collide in 31 bits are rare; any key collides when all ids are one.
    monkeypatch.setattr("obs.generate.render.grafana.panel_id", lambda _key: 7)

    with pytest.raises(SpecError, match="have the same id"):
        render(_dashboard(_panel("errors")))


@pytest.mark.parametrize(
    ("lines", "steps"),
    [
        ((), [("green", None)]),
        ((("0.05", "red"), ("0.01", "yellow")), [("green", None), ("yellow", 0.01), ("red", 0.05)]),
        ((("0", "red"), ("1", "green")), [("red", None), ("green", 1.0)]),
    ],
    ids=["none", "sorted", "from zero"],
)
def test_a_scale_begins_at_minus_infinity(
    lines: tuple[tuple[str, Literal["green", "yellow", "red"]], ...], steps: list[tuple[str, float | None]]
) -> None:
    (panel,) = _drawn(_panel("errors", "timeseries", *lines))

    found = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [(step["color"], step["value"]) for step in found] == steps
    assert panel["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"]["mode"] == (
        "line" if lines else "off"
    )


def test_panels_fill_lines_of_the_grid_without_overlap() -> None:
    for count in range(1, 10):
        taken: set[tuple[int, int]] = set()
        for panel in _json(_dashboard(*(_panel(f"k{n}") for n in range(count))))["panels"]:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
            assert not cells & taken
            taken |= cells


@pytest.mark.parametrize("name", SERVICES)
class TestEachDashboardOfTheShop:
    def test_no_field_of_an_older_grafana_is_left(self, name: str) -> None:
        data = _json(_shop(name))

        legacy = {
            "rows",
            "style",
            "sharedCrosshair",
            "hideControls",
            "gnetId",
            "__inputs",
            "span",
            "minSpan",
            "height",
        }
        assert not legacy & set(data)
        for panel in data["panels"]:
            assert not (legacy | {"editable", "error", "maxDataPoints", "repeat"}) & set(panel)

    def test_no_null_is_left_but_the_first_step_of_a_scale(self, name: str) -> None:
        def nulls(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
            if isinstance(value, dict):
                return [found for key, inner in value.items() for found in nulls(inner, (*path, key))]
            if isinstance(value, list):
                return [found for inner in value for found in nulls(inner, path)]
            return [path] if value is None else []

        for path in nulls(_json(_shop(name))):
            assert path[-2:] == ("steps", "value")

    def test_panels_ask_in_steps_of_the_scrape_interval_from_the_chosen_source(self, name: str) -> None:
        for panel in _json(_shop(name))["panels"]:
            if panel["type"] == "row":
                continue
            letters = [target["refId"] for target in panel["targets"]]
            assert len(set(letters)) == len(letters)
            for target in panel["targets"]:
                assert target["datasource"] == panel["datasource"]
                assert panel["datasource"]["uid"] in {"${datasource}", "${loki}", "${tempo}"}
                if target["datasource"]["type"] == "prometheus":
                    assert panel["interval"] == "15s"
                    assert target["range"] is not target["instant"]


def test_the_heatmap_takes_buckets_as_they_are() -> None:
    heatmap = next(panel for panel in _json(_shop("payments"))["panels"] if panel["type"] == "heatmap")

    assert heatmap["options"]["calculate"] is False
    assert heatmap["options"]["yAxis"]["unit"] == "s"
    assert heatmap["targets"][0]["format"] == "heatmap"


def test_a_table_of_unnamed_columns_names_its_values_and_hides_the_time_of_asking() -> None:
    asked = (Query("up", "Instances", instant=True), Query("up", "{{instance}}", instant=True))
    one, two = _drawn(
        replace(_panel("one", "table"), queries=asked[:1]), replace(_panel("two", "table"), queries=asked)
    )

    (organize,) = one["transformations"]
    assert organize["options"]["excludeByName"] == {"Time": True}
    assert organize["options"]["renameByName"] == {"Value": "Instances"}
    merge, organize = two["transformations"]
    assert merge["id"] == "merge"
    assert organize["options"]["renameByName"] == {"Value #A": "Instances"}


def test_a_text_panel_has_no_queries_and_no_source() -> None:
    (panel,) = _drawn(_panel("note", "text"))

    assert panel["options"] == {"mode": "markdown", "content": "**words**"}
    assert "datasource" not in panel
    assert panel["targets"] == []


def test_a_long_name_gets_a_uid_within_grafanas_bound() -> None:
    data = _json(replace(_dashboard(), name="a" * 60))

    assert len(data["uid"]) <= 40
