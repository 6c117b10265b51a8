"""What each check of Alertmanager's configuration complains of, and what it leaves alone."""

from __future__ import annotations

from textwrap import dedent

import pytest

from obs.lint.check import Finding
from obs.lint.project import Project
from obs.lint.read import kinds
from obs.lint.register import find
from obs.lint.source import Source, Span

RECEIVERS = """
receivers:
  - {name: quiet}
  - {name: team, webhook_configs: [{url_file: /run/secrets/team}]}
  - {name: outside, webhook_configs: [{url_file: /run/secrets/outside}]}
"""


def _findings(check: str, config: str, rules: str = "") -> list[Finding]:
    text = dedent(config) if "receivers:" in config else dedent(config) + RECEIVERS
    sources = [Source("alertmanager.yml", text)]
    if rules:
        alerts = "\n".join(f"      - {line}" for line in dedent(rules).strip().splitlines())
        sources.append(Source("rules.yml", f"groups:\n  - name: shop\n    rules:\n{alerts}\n"))
    documents = [document for source in sources for document in kinds.read(source)]
    assert len(documents) == len(sources)
    return list(find(check).run(Project(documents)))


def _route(*children: str, head: str = "receiver: team") -> str:
    inner = "".join(f"\n    - {child}" for child in children)
    return f"route:\n  {head}\n  group_by: [alertname]\n  routes:{inner or ' []'}\n"


@pytest.mark.parametrize(
    ("children", "lines"),
    [
        (["{receiver: team, matchers: [a=b]}", "{receiver: team, matchers: [a=c]}"], []),
        (["{receiver: team, matchers: [a=b]}", "{receiver: team, matchers: [a=b, c=d]}"], [6]),
        (["{receiver: team, matchers: [a=b], continue: true}", "{receiver: team, matchers: [a=b]}"], []),
        (["{receiver: team}", "{receiver: team, matchers: [a=b]}"], [6]),
        (["{receiver: team, matchers: ['a=~\"b|c\"']}", "{receiver: team, matchers: [a=c]}"], [6]),
        (["{receiver: team, matchers: [a=c]}", "{receiver: team, matchers: ['a=~\"b|c\"']}"], []),
        (["{receiver: team, matchers: ['a!=\"\"']}", "{receiver: team, matchers: ['a=~\"b.+\"']}"], [6]),
        (["{receiver: team, matchers: [a=b, 'a!=b']}"], [5]),
        (["{receiver: team, matchers: [a=b], routes: [{matchers: [a=c]}, {matchers: [d=e]}]}"], [5]),
        (["{receiver: team, matchers: ['a=~\"(\"']}", "{receiver: team, matchers: [a=b]}"], []),
    ],
)
def test_a_route_that_no_labels_can_reach(children: list[str], lines: list[int]) -> None:
    found = _findings("route-unreachable", _route(*children))

    assert [one.at.place.line for one in found if isinstance(one.at, Span)] == lines


ALERTS = """\
    {alert: Down, expr: up == 0, labels: {severity: page, team: a}}
    {alert: Sum, expr: sum(up) == 0, labels: {severity: ticket, team: "{{ $labels.x }}"}}
"""


@pytest.mark.parametrize(
    ("matcher", "found"),
    [
        ("severity=page", False),
        ("severity=none", True),
        ("team=b", False),  # a template may become anything
        ("job=x", False),  # Down may have any label of its series
        ("alertname=Gone", True),
    ],
)
def test_a_route_that_no_alert_which_was_read_can_reach(matcher: str, found: bool) -> None:
    problems = _findings("route-unreachable", _route(f"{{receiver: team, matchers: [{matcher}]}}"), ALERTS)

    assert [one.severity for one in problems] == (["info"] if found else [])


@pytest.mark.parametrize(
    ("config", "names"),
    [
        (_route(head="receiver: quiet"), ["Down", "Sum"]),
        (_route(), []),
        (_route("{receiver: quiet, matchers: [severity=page]}"), ["Down"]),
        (_route("{receiver: quiet, matchers: [severity=page, job=x]}"), []),
        (_route("{receiver: nowhere, matchers: [severity=page]}"), ["Down"]),
        (_route("{receiver: quiet, matchers: [severity=page], continue: true}", "{receiver: team}"), []),
    ],
)
def test_an_alert_that_nobody_is_told_of(config: str, names: list[str]) -> None:
    found = _findings("alert-unrouted", config, ALERTS)

    assert [one.message.split()[0] for one in found] == names


def test_alerts_that_are_quiet_on_purpose_are_left_alone() -> None:
    rules = "{alert: A, expr: up, labels: {severity: none}}\n{alert: Watchdog, expr: vector(1)}"

    assert _findings("alert-unrouted", _route(head="receiver: quiet"), rules) == []


WATCHDOG = "{alert: Watchdog, expr: vector(1)}"


@pytest.mark.parametrize(
    ("config", "rules", "words"),
    [
        (_route(), WATCHDOG, ["no route of its own"]),
        (_route("{receiver: outside, matchers: [alertname=Watchdog], repeat_interval: 5m}"), WATCHDOG, []),
        (_route("{receiver: outside, matchers: [alertname=Watchdog]}"), WATCHDOG, ["after 4h only"]),
        (_route("{receiver: quiet, matchers: [alertname=Watchdog], repeat_interval: 5m}"), WATCHDOG, ["tells nobody"]),
        (
            _route("{receiver: team, matchers: [alertname=Watchdog], repeat_interval: 5m}"),
            WATCHDOG + "\n{alert: Down, expr: up == 0}",
            ["shares the receiver"],
        ),
        (_route(), "{alert: Down, expr: up == 0}", []),
        (_route(), "{alert: DeadMansSwitch, expr: vector(1) > 0}", ["no route of its own"]),
    ],
)  # fmt: skip
def test_the_way_of_the_heartbeat(config: str, rules: str, words: list[str]) -> None:
    found = _findings("watchdog-route", config, rules)

    assert len(found) == len(words)
    assert all(word in one.message for word, one in zip(words, found, strict=True))


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (_route(head="receiver: quiet"), 1),
        (_route("{receiver: team}", head="receiver: quiet"), 0),
        (_route("{receiver: team, matchers: [a=b]}", head="receiver: quiet"), 1),
        (_route(), 0),
    ],
)
def test_the_catch_all(config: str, count: int) -> None:
    assert len(_findings("route-catch-all", config)) == count


@pytest.mark.parametrize(
    ("route", "severities"),
    [
        ("route: {receiver: team}", [None]),
        ("route: {receiver: team, group_by: [alertname]}", []),
        ("route: {receiver: team, group_by: []}", [None]),
        ("route: {receiver: team, group_by: ['...']}", [None]),
        ("route: {receiver: team, group_by: ['...', service]}", ["error"]),
        ("route: {receiver: team, group_by: [alertname, instance]}", [None]),
        ("route: {receiver: team, group_by: [alertname], routes: [{matchers: [a=b]}]}", []),
    ],
)
def test_how_alerts_are_gathered(route: str, severities: list[str | None]) -> None:
    assert [one.severity for one in _findings("route-group-by", route + "\n")] == severities


def _inhibition(source: str, target: str, equal: str) -> str:
    return (
        f"{_route()}inhibit_rules:\n  - source_matchers: [{source}]\n    target_matchers: [{target}]\n{equal}"
    )


@pytest.mark.parametrize(
    ("source", "target", "equal", "severities"),
    [
        ("a=b", "c=d", "", ["error"]),
        ("a=b", "c=d", "    equal: []\n", ["error"]),
        ("a=b", "c=d", "    equal: [alertname]\n", [None]),
        ("a=b", "c=d", "    equal: [service]\n", [None]),
        ("a=b, 'service!=\"\"'", "c=d", "    equal: [service]\n", []),
        ("a=b", "'service=~\"x|y\"'", "    equal: [alertname, service]\n", []),
        ("a=b", "'service=~\"x|\"'", "    equal: [service]\n", [None]),
        ("a=b", "c=d, 'namespace!=\"\"'", "    equal: [namespace, alertname]\n", []),
    ],
)
def test_inhibitions_need_a_label_that_tells_services_apart(
    source: str, target: str, equal: str, severities: list[str | None]
) -> None:
    found = _findings("inhibition-without-service", _inhibition(source, target, equal))

    assert [one.severity for one in found] == severities


def test_an_inhibition_by_a_label_that_some_alert_has_is_none_of_our_business() -> None:
    rules = "{alert: A, expr: sum(up) == 0, labels: {a: b, job_name: x}}\n{alert: B, expr: sum(up) > 3, labels: {c: d}}"

    assert (
        _findings("inhibition-label-missing", _inhibition("a=b", "c=d", "    equal: [job_name]\n"), rules)
        == []
    )
    (found,) = _findings(
        "inhibition-label-missing", _inhibition("a=b", "c=d", "    equal: [service]\n"), rules
    )
    assert "'service'" in found.message


@pytest.mark.parametrize(
    ("intervals", "count"),
    [
        ("mute_time_intervals: [night]", 1),
        ("active_time_intervals: [office]", 0),
        ("mute_time_intervals: []", 0),
    ],
)
def test_time_intervals_must_exist(intervals: str, count: int) -> None:
    config = (
        _route(f"{{receiver: team, matchers: [a=b], {intervals}}}") + "time_intervals: [{name: office}]\n"
    )

    assert len(_findings("receiver-undefined", config)) == count


def test_old_matchers_are_repaired_where_nothing_is_lost() -> None:
    config = _route(
        "{receiver: team, match: {a: b}}",
        "{receiver: team, match: {a: b}, match_re: {c: d}}",
        "receiver: team\n      match:\n        a: it's  # the one\n",
        "receiver: team\n      match_re:\n        a: it's|x\n        c: d",
    )

    fixes = [one.fix for one in _findings("matcher-legacy", config)]

    assert [fix.edits[0].text if fix else None for fix in fixes] == [
        "matchers: ['a=\"b\"']",
        None,
        None,
        None,
        "matchers: ['a=~\"it''s|x\"', 'c=~\"d\"']",
    ]


@pytest.mark.parametrize(
    ("group", "repeat", "count"),
    [("5m", "10m", 0), ("5m", "12m", 1), ("1h", "4h", 0), ("0s", "4h", 0), ("5m", "x", 0)],
)
def test_repeats_are_multiples(group: str, repeat: str, count: int) -> None:
    head = f"receiver: team\n  group_interval: {group}\n  repeat_interval: {repeat}"

    assert len(_findings("route-repeat", _route(head=head))) == count


def test_of_several_configurations_one_that_tells_somebody_is_enough() -> None:
    quiet, loud = _route(head="receiver: quiet") + RECEIVERS, _route() + RECEIVERS
    rules = "groups: [{name: shop, rules: [{alert: Down, expr: up == 0}]}]"

    def found(*configs: str) -> int:
        sources = [Source("rules.yml", rules), *(Source(f"{n}.yml", text) for n, text in enumerate(configs))]
        documents = [document for source in sources for document in kinds.read(source)]
        return len(list(find("alert-unrouted").run(Project(documents))))

    assert (found(quiet, loud), found(quiet, quiet), found(loud)) == (0, 1, 0)
