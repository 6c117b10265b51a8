"""Coverage counts what is there, and never what only looks so."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest

from obs.lint import coverage, run
from obs.lint.coverage import KINDS, Figure

RULES = """\
    groups:
      - name: shop
        rules:
          - alert: Down
            expr: up{job="a"} == 0
            labels: {severity: page, job_name: one}
            annotations:
              runbook_url: https://runbooks.example.com/shop/Down
              dashboard_url: https://grafana.example.com/d/shop?viewPanel=7
          - alert: Down
            expr: up{job="b"} == 0
            labels: {severity: page, job_name: two}
            annotations:
              runbook_url: https://runbooks.example.com/shop/Down#meaning
          - alert: Slow
            expr: latency > 1
            labels: {severity: ticket}
    """
TESTS = """\
    rule_files: [FILE]
    tests:
      - alert_rule_test:
          - {eval_time: 5m, alertname: Slow, exp_alerts: []}
          - eval_time: 5m
            alertname: Down
            exp_alerts:
              - exp_labels: {severity: page, job_name: one, instance: x}
        promql_expr_test:
          - expr: count(ALERTS{alertname="Down", job_name="two", alertstate="pending"})
            eval_time: 5m
            exp_samples: [{labels: '{alertstate="pending"}', value: 1}]
    """
ROUTES = """\
    route:
      receiver: nobody
      routes:
        - {receiver: team, matchers: [severity="page"]}
    receivers:
      - {name: nobody}
      - {name: team, webhook_configs: [{url_file: /run/secrets/team}]}
    """
DASHBOARD = """\
    {"title": "Shop", "uid": "shop", "panels": [
      {"id": 7, "type": "stat", "title": "Up", "targets": [{"refId": "A", "expr": "up"}],
       "links": [{"url": "/d/gone"}]}
    ]}
    """
PAGE = """\
    # Down

    ## Meaning

    See [there](#mitigation), [here](other.md) and [below](#meaning).
    """


def _figures(folder: Path, **files: str) -> dict[str, Figure]:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yml", ".yml").replace("_json", ".json").replace(
            "_md", ".md"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return {figure.kind: figure for figure in coverage.measure(run.lint([folder]).project)}


def _names(figure: Figure) -> list[tuple[str, int]]:
    return [(one.name, one.place.line) for one in figure.missing]


def test_a_test_counts_when_it_sees_this_alert_of_this_file_fire(tmp_path: Path) -> None:
    tests = _figures(tmp_path, rules_yml=RULES, t_yml=TESTS.replace("FILE", "rules.yml"))["tests"]

    # Slow is only seen silent, and the second Down only pending.
    assert _names(tests) == [("Down", 10), ("Slow", 15)]
    assert (tests.covered, tests.total, tests.percent) == (1, 3, Decimal("33.3"))


def test_a_test_of_a_copy_is_no_test(tmp_path: Path) -> None:
    tests = _figures(tmp_path, rules_yml=RULES, t_yml=TESTS.replace("FILE", "copy.yml"))["tests"]

    assert tests.covered == 0


def test_a_test_may_name_its_rules_by_a_pattern(tmp_path: Path) -> None:
    tests = _figures(tmp_path, rules_yml=RULES, sub__t_yml=TESTS.replace("FILE", "../*.yml"))["tests"]

    assert tests.covered == 1


def test_firing_seen_in_the_series_of_alerts_counts(tmp_path: Path) -> None:
    text = TESTS.replace("FILE", "rules.yml").replace('alertstate="pending"', 'alertstate="firing"')

    assert _names(_figures(tmp_path, rules_yml=RULES, t_yml=text)["tests"]) == [("Slow", 15)]


def test_alerts_on_logs_are_not_counted_as_tested_or_untested(tmp_path: Path) -> None:
    logs = """\
        groups:
          - name: logs
            rules:
              - alert: LogPanic
                expr: sum(count_over_time({service="a"} |= "panic" [5m])) > 0
        """
    tests = _figures(tmp_path, rules_yml=RULES, logs_yml=logs)["tests"]

    assert tests.total == 3
    assert tests.note == "1 on logs not counted: promtool cannot test them"


def test_where_one_alert_on_logs_is_tested_all_are_counted(tmp_path: Path) -> None:
    logs = """\
        groups:
          - name: logs
            rules:
              - {alert: LogPanic, expr: 'sum(count_over_time({a="b"} |= "panic" [5m])) > 0'}
              - {alert: LogLeak, expr: 'sum(count_over_time({a="b"} |= "key" [5m])) > 0'}
        """
    test = """\
        rule_files: [logs.yml]
        tests:
          - alert_rule_test:
              - {eval_time: 5m, alertname: LogPanic, exp_alerts: [{exp_labels: {}}]}
        """
    tests = _figures(tmp_path, logs_yml=logs, t_yml=test)["tests"]

    assert _names(tests) == [("LogLeak", 5)]
    assert tests.note == ""


def test_a_runbook_counts_when_its_page_exists(tmp_path: Path) -> None:
    figures = _figures(tmp_path, rules_yml=RULES, runbooks__shop__Down_md=PAGE)

    assert _names(figures["runbooks"]) == [("Slow", 15)]
    assert figures["runbooks"].missing[0].why == "no runbook_url"


def test_links_of_runbooks_are_followed_both_ways(tmp_path: Path) -> None:
    figures = _figures(
        tmp_path, rules_yml=RULES, runbooks__shop__Down_md=PAGE, runbooks__shop__Gone_md="# Gone\n"
    )
    links = figures["runbook-links"]

    # Two alerts to the page, two pages to alerts, three links on the page.
    assert links.total == 7
    assert sorted(one.why for one in links.missing) == [
        "it has no heading #mitigation",
        "no alert leads to it",
        "there is no file 'other.md' beside it",
    ]


def test_a_panel_counts_when_the_alert_names_it_or_when_it_reads_the_same_metric(tmp_path: Path) -> None:
    figures = _figures(tmp_path, rules_yml=RULES, d_json=DASHBOARD)

    assert _names(figures["panels"]) == [("Slow", 15)]
    assert _names(figures["dashboard-links"]) == [("dashboard Shop", 3)]
    assert figures["dashboard-links"].total == 2


def test_a_panel_that_does_not_exist_shows_nothing(tmp_path: Path) -> None:
    figures = _figures(tmp_path, rules_yml=RULES.replace("viewPanel=7", "viewPanel=8"), d_json=DASHBOARD)

    assert ("Down", 4) in _names(figures["panels"])


def test_an_alert_is_routed_when_somebody_is_told(tmp_path: Path) -> None:
    routes = _figures(tmp_path, rules_yml=RULES, a_yml=ROUTES)["routes"]

    assert _names(routes) == [("Slow", 15)]


def test_what_was_not_read_is_not_measured(tmp_path: Path) -> None:
    figures = _figures(tmp_path, rules_yml=RULES)

    assert tuple(figures) == KINDS
    assert [kind for kind, figure in figures.items() if not figure.unmeasured] == ["tests"]
    assert not any(figure.reaches(Decimal(0)) for kind, figure in figures.items() if kind != "tests")


@pytest.mark.parametrize(("missing", "total", "percent"), [(0, 7, "100.0"), (1, 3000, "99.9"), (3, 3, "0.0")])
def test_a_percentage_is_never_rounded_up(missing: int, total: int, percent: str) -> None:
    one = coverage.Missing("A", None, "")  # type: ignore[arg-type]
    figure = Figure("tests", "", total, (one,) * missing)

    assert figure.percent == Decimal(percent)
    assert figure.reaches(Decimal(100)) == (missing == 0)


PANELS = """\
    {"title": "Shop", "uid": "shop", "panels": [
      {"id": 7, "type": "stat", "title": "Shown", "targets": [TARGETS]}
    ]}
    """
RECORDED = """\
    groups:
      - name: recorded
        rules:
          - {record: 'job:up:sum', expr: sum by (job) (up)}
          - {record: 'all:up:sum', expr: sum (job:up:sum)}
    """


@pytest.mark.parametrize(
    ("targets", "why"),
    [
        ('{"refId": "A", "expr": "sum(up)"}', ""),
        ('{"refId": "A", "expr": "all:up:sum"}', ""),
        ('{"refId": "A", "expr": "other:unknown:sum"}', ""),
        ('{"refId": "A", "query": "{ status = error }", "datasource": {"type": "tempo", "uid": "x"}}', ""),
        ("", "the panel of its dashboard_url draws nothing"),
        ('{"refId": "A", "expr": " "}', "the panel of its dashboard_url draws nothing"),
        ('{"refId": "A", "expr": "up", "hide": true}', "the panel of its dashboard_url draws nothing"),
        ('{"refId": "A", "expr": "latency"}', "the panel of its dashboard_url draws none of its metrics"),
    ],
)
def test_a_panel_that_draws_something_else_shows_no_alert(targets: str, why: str, tmp_path: Path) -> None:
    panels = PANELS.replace("TARGETS", targets)
    figures = _figures(tmp_path, rules_yml=RULES, recorded_yml=RECORDED, d_json=panels)

    assert next((one.why for one in figures["panels"].missing if one.place.line == 4), "") == why


def test_a_page_of_headings_is_no_runbook(tmp_path: Path) -> None:
    empty = "# Down\n\n## Meaning\n\n## Diagnosis\n"
    figures = _figures(tmp_path, rules_yml=RULES, runbooks__shop__Down_md=empty)

    assert [one.why for one in figures["runbooks"].missing[:1]] == [
        "nothing stands on the page of its runbook_url"
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "kind", "why"),
    [
        ("rules", "Down#meaning", "Down#gone", "runbook-links", "leads to a heading #gone that is not on the page"),
        ("rules", "shop/Down#meaning", "shop/Other", "runbooks", "its runbook_url leads to no page"),
        ("rules", "viewPanel=7", "viewPanel=9", "panels", "its dashboard_url leads to no panel"),
        ("rules", "viewPanel=7", "viewPanel=9", "dashboard-links", "leads to no such dashboard or panel"),
        ("page", "#meaning", "#gone", "runbook-links", "it has no heading #gone"),
        ("tests", "exp_alerts:\n              - exp_labels: {severity: page, job_name: one, instance: x}",
         "exp_alerts: []", "tests", "no test expects it to fire"),
        ("tests", "job_name: one, instance", "job_name: three, instance", "tests", "no test expects it to fire"),
        ("tests", "alertname: Down\n", "alertname: Dawn\n", "tests", "no test expects it to fire"),
        ("routes", "webhook_configs: [{url_file: /run/secrets/team}]", "webhook_configs: []", "routes",
         "it ends at a receiver that tells nobody"),
    ],
)  # fmt: skip
def test_what_somebody_breaks_is_noticed(  # noqa: PLR0917 - pytest passes by name
    file: str, old: str, new: str, kind: str, why: str, tmp_path: Path
) -> None:
    texts = {
        "rules": dedent(RULES), "tests": dedent(TESTS).replace("FILE", "rules.yml"), "routes": dedent(ROUTES), "page": dedent(PAGE),
    }  # fmt: skip
    old, new = (text.replace("\n    ", "\n") for text in (old, new))

    def missing(changed: dict[str, str], folder: str) -> list[tuple[str, str]]:
        figures = _figures(
            tmp_path / folder,
            rules_yml=changed["rules"],
            t_yml=changed["tests"],
            a_yml=changed["routes"],
            d_json=DASHBOARD,
            runbooks__shop__Down_md=changed["page"],
        )
        return [(one.name, one.why) for one in figures[kind].missing]

    assert old in texts[file]
    before = missing(texts, "before")
    after = missing(texts | {file: texts[file].replace(old, new)}, "after")

    assert len(after) > len(before)
    assert why in {reason for _, reason in after}


def test_a_service_may_be_called_as_the_folder_of_its_pages(tmp_path: Path) -> None:
    rules = RULES.replace("shop/Down#meaning", "runbooks/Down").replace("shop/Down", "tempo/Down")
    figures = _figures(tmp_path, rules_yml=rules, runbooks__runbooks__Down_md=PAGE)

    # The page of another service is not this one's.
    assert [(one.place.line, one.why) for one in figures["runbooks"].missing] == [
        (4, "its runbook_url leads to no page"),
        (15, "no runbook_url"),
    ]
