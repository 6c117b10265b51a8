"""Alertmanager's configuration: what routes inherit, and what is broken, with places."""

from __future__ import annotations

from textwrap import dedent

import pytest

from obs.lint.read import alertmanager, yaml_tree
from obs.lint.read.alertmanager import Configuration
from obs.lint.source import Source

GOOD = """\
route:
  receiver: team
  group_by: [alertname]
  repeat_interval: 4h
  routes:
    - matchers: [severity="page", 'service=~"a|b"']
      receiver: pager
      continue: true
      routes:
        - match: {team: x}
          match_re: {tier: 'c.*'}
          group_interval: 1m
receivers:
  - name: team
  - name: pager
    pagerduty_configs: [{routing_key_file: /run/secrets/pager}]
inhibit_rules:
  - source_matchers: [severity="page"]
    target_match: {severity: ticket}
    equal: [service]
time_intervals:
  - name: office
"""


def _read(text: str) -> Configuration:
    source = Source("alertmanager.yml", dedent(text))
    return alertmanager.read(source, yaml_tree.documents(source))


def test_routes_inherit_what_they_do_not_say() -> None:
    config = _read(GOOD)
    assert config.route is not None
    root, page, team = config.route.all

    assert (root.receiver, page.receiver, team.receiver) == ("team", "pager", "pager")
    assert (page.goes_on, team.goes_on) == (True, False)
    assert team.times == {"group_wait": "30s", "group_interval": "1m", "repeat_interval": "4h"}
    assert team.group_by == ("alertname",)
    assert page.words == '{severity="page", service=~"a|b"}'
    assert team.words == '{team="x", tier=~"c.*"}'
    assert [written.legacy for written in team.written] == [True, True]
    assert (root.depth, page.depth, team.depth) == (0, 1, 2)


def test_receivers_inhibitions_and_intervals_are_read() -> None:
    config = _read(GOOD)

    assert [(one.name, len(one.integrations)) for one in config.receivers] == [("team", 0), ("pager", 1)]
    assert config.silent("team")
    assert not config.silent("pager")
    assert not config.silent("nowhere")
    assert config.inhibitions[0].equal == ("service",)
    assert [interval.value for interval in config.intervals] == ["office"]
    assert config.faults == ()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("route: {receiver: a, matchers: ['a=b']}\nreceivers: [{name: a}]", "1:22", "no matchers"),
        ("route: {routes: []}\nreceivers: []", "1:8", "names no receiver"),
        ("route: {receiver: a, routes: [{matchers: [a]}]}\nreceivers: [{name: a}]", "1:43", "broken matcher"),
        ("route: {receiver: a, routes: [{matchers: ['a=~\"(\"']}]}\nreceivers: [{name: a}]", "1:43", "no regular expression"),
        ("route: {receiver: a}\nreceivers: [{name: a}, {name: a}]", "2:31", "defined twice"),
        ("route: {receiver: a}\nreceivers: [{name: a}, {}]", "2:24", "without a name"),
        ("route: {receiver: a}\nreceivers: [{name: a, name: a}]", "2:23", "'name' is given twice"),
        ("route: {receiver: a}\nreceivers: [{name: a}]\nroute: {receiver: a}", "3:1", "'route' is given twice"),
        ("route: {receiver: a}\nreceivers: [{name: a}]\n---\nroute: {}", "4:1", "one document"),
    ],
)  # fmt: skip
def test_what_alertmanager_refuses_is_a_fault_with_its_place(text: str, place: str, words: str) -> None:
    (fault,) = _read(text).faults

    assert words in fault.message
    assert str(fault.span.place) == f"alertmanager.yml:{place}"


def test_routes_without_end_are_a_fault_and_no_crash() -> None:
    deep = "route: " + "{receiver: a, routes: [" * 30 + "]}" * 30 + "\nreceivers: [{name: a}]"

    assert "nested deeper" in _read(deep).faults[0].message


@pytest.mark.parametrize(
    "text",
    ["route: 3\nreceivers: 4", "route: [a]\nreceivers: {a: b}\ninhibit_rules: x", "route:\nreceivers:"],
)
def test_what_has_another_shape_is_passed_over(text: str) -> None:
    _read(text)
