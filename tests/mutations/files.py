"""Which files of `derive` are judged, and why the others are not."""

from __future__ import annotations

from fnmatch import fnmatch

from tests.mutations.loading import FOLDER

#: Pattern -> why the stories of alerts say nothing about it; the first that matches counts.
APART: dict[str, str] = {
    "*guide.py": "pages for people: judged by the linter and tests/generate/test_guidance.py",
    "guidance/*": "pages for people: judged by the linter and tests/generate/test_guidance.py",
    "*panels.py": "dashboards: judged by tests/generate/dashboards",
    "dashboards/*": "dashboards: judged by tests/generate/dashboards",
    "graphs.py": "dashboards: judged by tests/generate/dashboards",
    "explore.py": "links: judged by tests/generate/derive/test_explore.py",
    "slo/lines.py": "pages for people: judged by the linter and tests/generate/test_guidance.py",
    "templates.py": "texts of notifications: judged by the notification tests that are generated",
    "notifications.py": "routes: judged by amtool and tests/generate/alertmanager",
    "stories/*": "tells the stories themselves: another question",
    "*stories.py": "tells the stories themselves: another question",
    "slo/scenes.py": "tells the stories themselves: another question",
    "slo/quiet.py": "tells the stories themselves: another question",
    "samples.py": "tells the stories themselves: another question",
    "grid.py": "tells the stories themselves: another question",
    "promql/*": "reads and prints PromQL: judged by tests/generate/derive/test_promql.py",
    "logql/*": "reads and prints LogQL: judged by tests/generate/logql",
    "capabilities/logs/*": "rules for Loki, which promtool cannot play: judged by tests/engines/logs",
    "capabilities/capability.py": "declares fields",
    "capabilities/registry.py": "a list",
}


def judged() -> list[str]:
    """Return the files whose mutants the table judges, relative to `derive`."""
    every = (path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.py"))
    return sorted(path for path in every if reason_apart(path) is None)


def reason_apart(path: str) -> str | None:
    """Return why `path` is not judged; None when it is."""
    if path.endswith("__init__.py"):
        return "without logic"
    return next((reason for pattern, reason in APART.items() if fnmatch(path, pattern)), None)
