"""The linter's own routing, compared with what amtool says of the same configuration and labels."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from obs.lint.read import alertmanager, yaml_tree
from obs.lint.read.matchers import Labels
from obs.lint.routing import arrivals
from obs.lint.source import Source
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

ALERTS = Path(__file__).parents[2] / "alerts"
LABELS: dict[str, tuple[str, ...]] = {
    "service": ("shop", "shop-api", "payments", ""),
    "severity": ("page", "ticket", "none", ""),
    "team": ("a.b", "x", ""),
}
VALUES = ("", "shop", "shop|payments", "shop.*", ".+", ".*", "page", "page|ticket", "a.b", r"a\\.b", "x")


def _random_config(chance: random.Random) -> dict[str, Any]:
    names: list[str] = []

    def matcher() -> str:
        return (
            f'{chance.choice(list(LABELS))}{chance.choice(["=", "!=", "=~", "!~"])}"{chance.choice(VALUES)}"'
        )

    def route(depth: int) -> dict[str, Any]:
        names.append(f"r{len(names)}")
        made: dict[str, Any] = {"receiver": names[-1]}
        if depth:
            made["matchers"] = [matcher() for _ in range(chance.randint(0, 2))]
            made["continue"] = chance.random() < 0.4
        if depth < 3:
            made["routes"] = [route(depth + 1) for _ in range(chance.randint(0, 3))]
        return made

    root = route(0)
    return {"route": root, "receivers": [{"name": name} for name in names]}


def _foreseen(text: str, labels: dict[str, str]) -> list[str]:
    source = Source("alertmanager.yml", text)
    config = alertmanager.read(source, yaml_tree.documents(source))
    assert config.route is not None
    assert config.faults == ()
    return [arrival.route.receiver for arrival in arrivals(config.route, Labels(labels, open=False))]


def _seen(amtool: Engine, file: Path, labels: dict[str, str]) -> list[str]:
    given = [f"{name}={value}" for name, value in labels.items()]
    done = subprocess.run(
        [str(amtool.path), "config", "routes", "test", f"--config.file={file}", *given],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip().split(",")


def test_an_alert_ends_where_amtool_says_it_ends(
    route: str, installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    amtool = installed(route)["amtool"]
    chance = random.Random(f"routes {route}")
    for number in range(12):
        text = yaml.safe_dump(_random_config(chance))
        file = tmp_path / f"{number}.yml"
        file.write_text(text, encoding="utf-8")
        for _ in range(8):
            drawn = {name: chance.choice(values) for name, values in LABELS.items()}
            labels = {name: value for name, value in drawn.items() if value}
            labels = labels or {"alertname": "Any"}

            assert _foreseen(text, labels) == _seen(amtool, file, labels), (text, labels)


def test_the_committed_routes_are_read_as_amtool_reads_them(
    route: str, installed: Callable[[str], dict[str, Engine]]
) -> None:
    amtool, file = installed(route)["amtool"], ALERTS / "alertmanager.yml"
    text = file.read_text(encoding="utf-8")
    for labels in (
        {"alertname": "Watchdog", "severity": "none"},
        {"alertname": "Any", "service": "payments", "severity": "page", "team": "shop"},
        {"alertname": "Any", "service": "worker", "severity": "ticket", "team": "shop"},
        {"alertname": "Any", "service": "nobody-knows", "severity": "page"},
        {"alertname": "Any"},
    ):
        assert _foreseen(text, labels) == _seen(amtool, file, labels), labels
