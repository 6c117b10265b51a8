"""What the servers say of the rules that they evaluate."""

from __future__ import annotations

from typing import Any

from tests.engines.stack.conftest import Scene

#: Seconds; records of slower groups come once in a quarter of an hour, and what is made of them after that.
_PATIENCE = 60


def groups(scene: Scene, server: str) -> list[dict[str, Any]]:
    """Return the groups of rules of Prometheus or Loki, as they are evaluated."""
    path = {"prometheus": "/api/v1/rules", "loki": "/prometheus/api/v1/rules"}[server]
    found: list[dict[str, Any]] = scene.stack.ask(server, path)["data"]["groups"]
    return found


def slow_records(scene: Scene) -> set[str]:
    """Return the names that rules record too seldom to wait for, and those that are made of them."""
    rules = [
        (group["interval"], rule)
        for group in groups(scene, "prometheus")
        for rule in group["rules"]
        if rule["type"] == "recording"
    ]
    slow = {str(rule["name"]) for interval, rule in rules if interval > _PATIENCE}
    while (
        more := {str(rule["name"]) for _, rule in rules if any(name in rule["query"] for name in slow)} - slow
    ):
        slow |= more
    return slow
