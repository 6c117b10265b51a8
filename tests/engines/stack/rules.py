"""What the servers say of the rules that they evaluate."""

from __future__ import annotations

from typing import Any

from tests.engines.stack.conftest import Scene


def groups(scene: Scene, server: str) -> list[dict[str, Any]]:
    """Return the groups of rules of Prometheus or Loki, as they are evaluated."""
    path = {"prometheus": "/api/v1/rules", "loki": "/prometheus/api/v1/rules"}[server]
    found: list[dict[str, Any]] = scene.stack.ask(server, path)["data"]["groups"]
    return found
