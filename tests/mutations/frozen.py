"""The frozen table: what each alert must do on which samples. It is data, and follows no code.

It was told by the authors of the alerts, and is written again only on purpose (`--freeze`), when what
an alert means has changed. What stands in `stories/written` was written by hand, and stays. A line is
one story::

    {"alert": KEY, "says": ..., "step": "1m", "alone": false, "series": [[SELECTOR, VALUES], ...],
     "asks": [[AT, PROMQL, [[LABELS, VALUE], ...]], ...]}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from tests.mutations.corpus import Rule

from obs.generate.model import Alert, Duration, Expectation, TestCase
from obs.generate.render.yaml_writer import Yaml

FOLDER = Path(__file__).parent / "stories"
Story: TypeAlias = Mapping[str, Any]
_TELLS_APART = frozenset({"job_name", "sloth_id"})


def load() -> dict[str, list[Story]]:
    """Return the stories of each alert of the corpus."""
    found: dict[str, list[Story]] = {}
    for file in sorted(FOLDER.rglob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            story = json.loads(line)
            found.setdefault(story["alert"], []).append(story)
    return found


def freeze(rules: Iterable[Rule]) -> None:
    """Write the table anew from what the authors tell now."""
    texts: dict[str, list[str]] = {}
    for rule in rules:
        lines = texts.setdefault(rule.spec, [])
        lines += (json.dumps(_story(rule, case), ensure_ascii=False) for case in rule.alert.tests)
    for file in FOLDER.glob("*.jsonl"):
        file.unlink()
    for spec, lines in texts.items():
        (FOLDER / f"{spec}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _story(rule: Rule, case: TestCase) -> Story:
    return {
        "alert": rule.key,
        "says": case.says,
        "step": str(case.step),
        "alone": case.alone or not case.environment,
        "series": [[series.selector, series.values] for series in case.series],
        "asks": [_ask(rule.alert, case, expectation) for expectation in case.expects],
    }


def _ask(alert: Alert, case: TestCase, expectation: Expectation) -> list[Any]:
    """Ask for the alert with all its labels where it fires; for its state only where it waits."""
    environment = expectation.firing[0].labels.get("environment", "") if expectation.firing else ""
    wanted = {key: value for key, value in alert.labels.items() if key in _TELLS_APART}
    wanted |= {"alertname": alert.name, "environment": environment or case.environment}
    matchers = ", ".join(f'{key}="{value}"' for key, value in sorted(wanted.items()) if value)
    if expectation.state == "firing" and expectation.firing:
        own = {"alertname": alert.name, "alertstate": "firing"}
        sent = [[_labels({**firing.labels, **own}, "ALERTS"), 1] for firing in expectation.firing]
        return [str(expectation.at), f"ALERTS{{{matchers}}}", sent]
    state = _labels({"alertstate": expectation.state, "severity": alert.severity})
    many = [[state, len(expectation.firing) or expectation.count]] if expectation.state != "silent" else []
    return [str(expectation.at), f"count by (alertstate, severity) (ALERTS{{{matchers}}})", many]


def _labels(labels: Mapping[str, str], name: str = "") -> str:
    inner = ", ".join(
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in sorted(labels.items())
    )
    return f"{name}{{{inner}}}"


def steps_of(story: Story) -> int:
    """Return how often rules are evaluated until a story has been told."""
    end = max(Duration.parse(at).milliseconds for at, _, _ in story["asks"])
    return end // Duration.parse(story["step"]).milliseconds


def tests(stories: Iterable[Story], rule_file: str, groups: list[str]) -> list[dict[str, Yaml]]:
    """Return the test files of promtool for the stories of one alert, one for each distance of samples."""
    steps: dict[str, list[Story]] = {}
    for story in stories:
        steps.setdefault(story["step"], []).append(story)
    return [
        {
            "rule_files": [rule_file],
            "evaluation_interval": step,
            "group_eval_order": list(groups),
            "tests": [_group(packed, step) for packed in _packed(told)],
        }
        for step, told in steps.items()
    ]


def _packed(stories: list[Story]) -> list[list[Story]]:
    """Put stories of other environments together: they do not see one another."""
    together = [story for story in stories if not story["alone"]]
    return [*([together] if together else []), *([story] for story in stories if story["alone"])]


def _group(stories: list[Story], step: str) -> dict[str, Yaml]:
    return {
        "interval": step,
        "input_series": [
            {"series": selector, "values": values}
            for story in stories
            for selector, values in story["series"]
        ],
        "promql_expr_test": [
            {
                "expr": expr,
                "eval_time": at,
                "exp_samples": [{"labels": labels, "value": value} for labels, value in samples],
            }
            for story in stories
            for at, expr, samples in story["asks"]
        ],
    }
