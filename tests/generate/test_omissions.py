"""What an alert is not tested with stands in its test file, with the reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from obs.generate.derive import rules
from obs.generate.model import RuleFile
from obs.generate.render import promtool
from obs.generate.render.omissions import comments
from obs.generate.spec.load import load

SPEC = Path(__file__).parents[1] / "golden" / "shop" / "spec.yml"


def _files() -> list[RuleFile]:
    return [file for service in load([SPEC]) for file in rules.rule_files(service)]


def test_every_reason_is_told_once_a_rule_file_with_the_alerts_it_holds_for() -> None:
    omits = 0
    for file in _files():
        told = [
            line
            for page in promtool.render(file)
            for line in page.text.splitlines()
            if line[:9] == "# no case"
        ]
        for alert in file.alerts:
            for kind, reason in alert.omits.items():
                omits += 1
                assert sum(repr(kind) in line and alert.name in line and reason in line for line in told) == 1
        assert len(told) == len(set(told))
    assert omits


def test_a_reason_of_several_lines_stays_a_comment() -> None:
    file = next(file for file in _files() if file.alerts)
    alert = replace(file.alerts[0], omits={"gone": "first\nsecond: third"})
    group = replace(file.groups[0], rules=(alert,))

    text = comments(replace(file, groups=(group,)))

    assert text == f"# no case 'gone' of {alert.name}: first second: third\n"
    assert yaml.safe_load(text) is None
