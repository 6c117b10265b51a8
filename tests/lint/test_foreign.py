"""Files that others wrote: every fault is found at its place without a spec, and what is sound is left alone.

`foreign/planted` holds rules in the manner of a mixin, a dashboard, Alertmanager's configuration and runbooks
with one fault of each kind, `foreign/sound` the same without them. The same files inside objects of
Kubernetes are judged alike.
"""

from __future__ import annotations

import base64
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
import yaml

from obs.lint import repair, report, run
from obs.lint.problem import Problem

_HERE = Path(__file__).parent / "foreign"
_RULES, _DASHBOARD = "rules/checkout.yaml", "dashboards/checkout.json"
_ROUTES, _PAGE = "alertmanager/alertmanager.yml", "runbooks/shop/CheckoutErrorRatioHigh.md"
#: (check, file, what the line holds, what stands above the carets).
_PLANTED = [
    ("rate-of-gauge", _RULES, "checkout_memory_usage_ratio", "rate"),
    ("counter-without-rate", _RULES, "> 1000", "checkout_orders_total"),
    ("quantile-without-le", _RULES, "histogram_quantile", "sum"),
    ("floor-on-total", _RULES, "> 1)", "1"),
    ("absent-cannot-work", _RULES, "count(up", "0"),
    ("match-cannot-work", _RULES, "by (node)", "/"),
    ("threshold-impossible", _RULES, "> 14.4 * 0.1", ">"),
    ("counter-born-invisible", _RULES, "token_replays", "increase"),
    ("decrease-goes-silent", _RULES, "offset 1w", "<"),
    ("alert-without-for", _RULES, "CheckoutBare", "CheckoutBare"),
    ("alert-without-severity", _RULES, "CheckoutBare", "CheckoutBare"),
    ("alert-without-service", _RULES, "CheckoutBare", "CheckoutBare"),
    ("alert-without-summary", _RULES, "CheckoutBare", "CheckoutBare"),
    ("alert-without-description", _RULES, "CheckoutBare", "CheckoutBare"),
    ("alert-without-runbook", _RULES, "CheckoutBare", "CheckoutBare"),
    ("alert-without-test", _RULES, "CheckoutBare", "CheckoutBare"),
    ("alert-without-owner", _RULES, "CheckoutBare", "CheckoutBare"),
    ("runbook-missing", _RULES, "shop/CheckoutMemoryRising", "https://"),
    ("runbook-missing", _RULES, "#no-such-heading", "https://"),
    ("runbook-orphaned", "runbooks/shop/CheckoutForgotten.md", "# CheckoutForgotten", "#"),
    ("runbook-headings", _PAGE, "# CheckoutErrorRatioHigh", "#"),
    ("runbook-placeholder", _PAGE, "TODO", "TODO"),
    ("runbook-query", _PAGE, "## Diagnosis", "#"),
    ("runbook-link-dead", _PAGE, "outage.md", "../plans"),
    ("runbook-link-dead", _PAGE, "#what-to-do", "#what-to-do"),
    ("runbook-link-dead", _DASHBOARD, "NoSuchAlert", '"https://'),
    ("panel-without-query", _DASHBOARD, '"Requests"', '"Requests"'),
    ("panel-without-unit", _DASHBOARD, '"Memory"', '"Memory"'),
    ("panel-without-title", _DASHBOARD, "{", "{"),
    ("panel-without-description", _DASHBOARD, '"Queue"', '"Queue"'),
    ("data-source-fixed", _DASHBOARD, "PA58DA793C7250F1B", '"PA58'),
    ("data-source-missing", _DASHBOARD, '"Workers"', '"Workers"'),
    ("rate-window-too-short", _RULES, "[20s]", "rate"),
    ("duplicate-rule", _RULES, "CheckoutBurst", "CheckoutBurst"),
    ("panel-duplicate", _DASHBOARD, '"Memory"', '"Memory"'),
    ("record-name", _RULES, "orders_rate", "orders_rate"),
    ("high-cardinality-label", _RULES, "by (service, user_id)", "user_id"),
    ("regexp-on-name", _RULES, "checkout_pages_.+", "__name__"),
    ("variable-all-empty", _DASHBOARD, '"includeAll"', "true"),
    ("unknown-template-label", _RULES, "$labels.pod", "$labels.pod"),
    ("route-unreachable", _ROUTES, 'service="checkout"', "severity="),
    ("route-unreachable", _ROUTES, "unheard", "severity="),
    ("alert-unrouted", _RULES, "CheckoutQuiet", "CheckoutQuiet"),
    ("inhibition-without-service", _ROUTES, "equal: [service]", "equal"),
    ("secret-inline", _ROUTES, "slack_api_url", "slack_api_url"),
]  # fmt: skip
#: What only a contract can tell: (check, what the line holds, what stands above the carets).
_DECLARED = [
    ("unknown-metric", "checkout_order_total", "checkout_order_total"),
    ("unknown-label", "outcome", "outcome"),
    ("unknown-bucket", '"0.25"', "le"),
    ("rate-of-gauge", "rate(checkout_queue_length", "rate"),
    ("counter-without-rate", "(checkout_orders_total)", "checkout_orders_total"),
    ("quantile-threshold-unreachable", "> 10", "10"),
    ("counter-born-invisible", "increase", "increase"),
]


def _lines(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8").splitlines()


def _under(problem: Problem) -> str:
    """Return what stands above the carets."""
    line = _lines(problem.place.file)[problem.place.line - 1]
    return line[problem.place.column - 1 :][: problem.length]


def _is_at(problem: Problem, holds: str, under: str) -> bool:
    line = _lines(problem.place.file)[problem.place.line - 1]
    return holds in line and _under(problem).startswith(under[: problem.length])


@pytest.fixture(scope="module")
def planted() -> tuple[Problem, ...]:
    return run.lint([_HERE / "planted"]).problems


@pytest.mark.parametrize(("check", "file", "holds", "under"), _PLANTED)
def test_a_planted_fault_is_found_at_its_place(
    planted: tuple[Problem, ...], check: str, file: str, holds: str, under: str
) -> None:
    found = [one for one in planted if one.check == check and one.place.file.endswith(file)]

    assert [one for one in found if _is_at(one, holds, under)], [(one.place, _under(one)) for one in found]


def test_nothing_else_is_found_than_what_was_planted(planted: tuple[Problem, ...]) -> None:
    assert {problem.check for problem in planted} == {row[0] for row in _PLANTED} | {"not-checked"}


def test_sound_files_are_left_alone() -> None:
    assert [problem.check for problem in run.lint([_HERE / "sound"]).problems] == ["not-checked"]


@pytest.mark.parametrize(("check", "holds", "under"), _DECLARED)
def test_what_a_contract_can_tell_is_found_at_its_place(check: str, holds: str, under: str) -> None:
    contract = _HERE / "declared" / "contract.json"
    problems = run.lint([_HERE / "declared" / "rules.yaml"], contracts=[contract]).problems
    found = [one for one in problems if one.check == check]

    assert [one for one in found if _is_at(one, holds, under)], [(one.place, _under(one)) for one in found]
    assert "unknown" not in {one.check.partition("-")[0] for one in run.lint([_HERE / "declared"]).problems}


def _judged(text: str, folder: Path, name: str = "object.yaml") -> tuple[Problem, ...]:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return run.lint([folder]).problems


def _seen(problems: Iterable[Problem]) -> Counter[tuple[str, str, str]]:
    return Counter(
        (one.check, _lines(one.place.file)[one.place.line - 1].strip(), _under(one))
        for one in problems
        if one.check != "not-checked"
    )


def _literal(kind: str, key: str, name: str, text: str, end: str = "\n") -> str:
    body = textwrap.indent(text, "        ", lambda line: bool(line.strip()))
    made = (
        f"apiVersion: v1\nkind: {kind}List\nitems:\n- apiVersion: v1\n  kind: {kind}\n  metadata: {{name: shop}}\n"
        f"  {key}:\n    other.sh: |\n        exit 1\n    {name}: |-\n{body}"
    )
    return made.replace("\n", end)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("kind", "key", "file"),
    [("ConfigMap", "data", _DASHBOARD), ("Secret", "stringData", _ROUTES), ("ConfigMap", "data", _RULES)],
)
def test_a_file_in_an_object_is_judged_like_the_file_itself(
    kind: str, key: str, file: str, end: str, tmp_path: Path
) -> None:
    alone = run.lint([_HERE / "planted" / file]).problems
    text = (_HERE / "planted" / file).read_text(encoding="utf-8")
    held = _judged(_literal(kind, key, Path(file).name, text, end), tmp_path)

    assert _seen(held) == _seen(alone)
    assert len(held) >= 3


@pytest.mark.parametrize("style", ['"', "'", ">"])
def test_a_file_in_quotes_is_judged_like_the_file_itself(style: str, tmp_path: Path) -> None:
    text = (_HERE / "planted" / _DASHBOARD).read_text(encoding="utf-8")
    alone = run.lint([_HERE / "planted" / _DASHBOARD]).problems
    data = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"checkout.json": text}}
    made = yaml.dump(data, default_style=style, width=10_000 if style == '"' else 80)
    held = _judged(made, tmp_path)

    assert Counter(one.message for one in held) == Counter(one.message for one in alone)
    # Whatever quotes do to it, the first letters of what is meant stand above the carets.
    found = {one.message: _under(one).replace("\\", "") for one in held if one.check != "not-checked"}
    expected = {one.message: _under(one) for one in alone if one.check != "not-checked"}
    assert {message: text[:1] for message, text in found.items()} == {
        message: text[:1] for message, text in expected.items()
    }


def test_a_file_in_base64_is_found_at_its_key_and_its_lines_are_shown_to_nobody(tmp_path: Path) -> None:
    text = (_HERE / "planted" / _ROUTES).read_text(encoding="utf-8")
    held = base64.b64encode(text.encode()).decode()
    made = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: shop}}\ndata:\n  alertmanager.yaml: {held}\n"
    problems = _judged(made, tmp_path)
    alone = run.lint([_HERE / "planted" / _ROUTES]).problems
    expected = [f"in alertmanager.yaml, line {one.place.line}: {one.message}" for one in alone]

    assert sorted(one.message for one in problems) == sorted(expected)
    assert {(one.place.line, one.place.column) for one in problems} == {(5, 3)}
    assert held[:20] not in "".join(report.console(problems, run.lint([tmp_path]).sources))


RESOURCE = """\
apiVersion: monitoring.coreos.com/v1alpha1
kind: AlertmanagerConfig
metadata: {name: shop, namespace: shop}
spec:
  route:
    receiver: shop
    groupBy: [alertname, pod]
    routes:
      - receiver: nobody
        matchers: [{name: severity, value: "a(", matchType: "=~"}]
      - receiver: shops
        repeatInterval: 7m
        matchers: [{name: severity, value: page, matchType: "="}]
  receivers:
    - name: shop
      slackConfigs: [{channel: "#shop", apiURL: {name: slack, key: url}}]
    - name: unused
      webhookConfigs: [{url: "https://hooks.example.com/abcdefghijklmnopqrstuvwxyz"}]
  inhibitRules:
    - sourceMatch: [{name: severity, value: page}]
      targetMatch: [{name: severity, value: ticket}]
      equal: [service]
"""


def test_an_object_of_routes_is_judged_as_the_configuration_that_the_operator_makes_of_it(
    tmp_path: Path,
) -> None:
    found = Counter((one.check, one.place.line) for one in _judged(RESOURCE, tmp_path))

    assert found == Counter(
        {
            ("route-group-by", 7): 1,
            ("broken-alertmanager", 10): 1,
            ("receiver-undefined", 9): 1,
            ("receiver-undefined", 11): 1,
            ("route-repeat", 12): 1,
            ("receiver-unused", 17): 1,
            ("secret-inline", 18): 1,
            ("inhibition-without-service", 22): 1,
        }
    )


def test_what_an_object_of_routes_declines_may_be_told_by_another_one(tmp_path: Path) -> None:
    rules = "groups: [{name: a, rules: [{alert: Down, expr: up == 0, labels: {severity: page}}]}]"
    (tmp_path / "rules.yml").write_text(rules, encoding="utf-8")

    assert "alert-unrouted" not in {one.check for one in _judged(RESOURCE, tmp_path)}


def test_a_configuration_that_nobody_has_filled_in_is_one_finding(tmp_path: Path) -> None:
    rules = [
        {"alert": f"Down{number}", "expr": "up == 0", "labels": {"severity": "page"}} for number in range(20)
    ]
    (tmp_path / "rules.yml").write_text(
        yaml.dump({"groups": [{"name": "a", "rules": rules}]}), encoding="utf-8"
    )
    config = "route: {receiver: x, group_by: [alertname]}\nreceivers: [{name: x}]\n"
    found = Counter(one.check for one in _judged(config, tmp_path))

    assert found["alert-unrouted"] == found["route-catch-all"] == 1
    # What the whole project does without is one finding as well.
    assert found["alert-without-owner"] == found["alert-without-runbook"] == found["alert-without-test"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "groups:\n  - name: Databases\n    services: []\n",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  run.yaml: '{{ template }'\n  values.yaml: 'a: 1'\n",
        "apiVersion: v1\nkind: Secret\ndata:\n  key: '%%%'\n  photo.json: /9j/4AAQSkZJRg==\n",
        "apiVersion: v1\nkind: ConfigMap\ndata: [1]\n---\nkind: List\nitems: 3\n",
        "kind: AlertmanagerConfig\nspec: none\n",
    ],
)
def test_what_is_of_another_program_is_left_alone(text: str, tmp_path: Path) -> None:
    (tmp_path / "sound.yml").write_text("groups: []\n", encoding="utf-8")

    assert _judged(text, tmp_path) == ()


def test_a_repair_of_a_block_inside_an_object_keeps_its_indentation(tmp_path: Path) -> None:
    text = (_HERE / "planted" / _DASHBOARD).read_text(encoding="utf-8")
    (tmp_path / "object.yaml").write_text(_literal("ConfigMap", "data", "a.json", text), encoding="utf-8")
    (found,) = [one for one in run.lint([tmp_path]).problems if one.check == "data-source-fixed"]
    made = (tmp_path / "object.yaml").read_text(encoding="utf-8")
    assert found.fix is not None
    (edit,) = found.fix.edits

    assert made[edit.start : edit.end] == '"PA58DA793C7250F1B"'
    assert edit.text == '"${datasource}"'


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rules_in_an_object_are_repaired_as_they_are_alone(end: str, tmp_path: Path) -> None:
    rules = (_HERE.parent / "users" / "rules.yml").read_text(encoding="utf-8")
    alone, held = tmp_path / "alone" / "rules.yml", tmp_path / "held" / "object.yaml"
    for file, text in ((alone, rules), (held, _literal("ConfigMap", "data", "rules.yml", rules, end))):
        file.parent.mkdir()
        file.write_text(text, encoding="utf-8", newline="")

        def judge(texts: Mapping[str, str], folder: Path = file.parent) -> run.Report:
            return run.lint([folder], texts=texts)

        repair.write(repair.repair(judge))
        assert repair.repair(judge).after == {}
    made = held.read_bytes().decode()

    assert yaml.safe_load(made)["items"][0]["data"]["rules.yml"] == alone.read_text(encoding="utf-8").rstrip()
    assert "severity: critical   # wakes somebody" in made
    if end == "\r\n":
        assert "\n" not in made.replace("\r\n", "")
