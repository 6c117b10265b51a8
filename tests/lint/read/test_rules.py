"""Rule files: whose they are, and what Prometheus would refuse or overlook in them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from obs.lint.read import kinds
from obs.lint.read.rules import RuleFile
from obs.lint.source import Source


def _read(text: str) -> list[RuleFile]:
    documents = kinds.read(Source("rules.yml", dedent(text)))
    return [document.content for document in documents if isinstance(document.content, RuleFile)]


GOOD = """\
groups:
  - name: a
    rules:
      - {alert: Down, expr: up == 0, labels: {team: a}}
"""


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (f"{GOOD}groups: []\n", "5:1", "'groups' is given twice"),
        (GOOD.replace("name: a", "name: a\n    name: b"), "3:5", "'name' is given twice"),
        (GOOD.replace("expr: up == 0", "expr: up == 0, expr: up"), "4:38", "'expr' is given twice"),
        (GOOD.replace("team: a", "team: a, team: b"), "4:56", "'team' is given twice"),
        (f"x-labels: &l {{team: a}}\n{GOOD}", "1:1", "no key 'x-labels'"),
        (f"{GOOD}---\n{GOOD}", "6:1", "the first document of a file only"),
        ("groups: {name: a, rules: []}", "1:9", "expected a list"),
        ("groups: {a: {rules: []}}", "1:9", "expected a list"),
    ],
)
def test_what_prometheus_refuses_or_overlooks_is_a_fault_with_its_place(
    text: str, place: str, words: str
) -> None:
    (file,) = _read(text)
    (fault,) = file.faults

    assert words in fault.message
    assert str(fault.span.place) == f"rules.yml:{place}"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        # Keys that are merged in from elsewhere may be there already.
        """\
        groups:
          - name: a
            rules:
              - {alert: Down, expr: up == 0, labels: &l {team: a, tier: one}}
              - {alert: Up, expr: up == 1, labels: {<<: *l, team: b}}
        """,
        # mimirtool reads every document.
        f"namespace: a\n{GOOD}---\nnamespace: b\n{GOOD}",
        f"---\n# nothing\n---\n{GOOD}",
    ],
)
def test_what_is_read_without_a_word_has_no_fault(text: str) -> None:
    assert [file.faults for file in _read(text)] == [()]


@pytest.mark.parametrize(
    "text",
    [
        # Alerts that Grafana evaluates itself.
        """\
        apiVersion: 1
        groups:
          - {orgId: 1, name: eval, folder: infra, rules: [{uid: a, title: Busy, condition: C, data: []}]}
        """,
        "groups: {web: {hosts: [a]}}",
        "groups:\n  - {name: admins, gid: 500}\n",
    ],
)
def test_groups_of_other_programs_are_left_alone(text: str) -> None:
    assert not _read(text)
