"""obs-lint.yml -> `Settings`, with file, line and column on every mistake."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from obs.generate.spec import document, fields
from obs.generate.spec.document import Node
from obs.lint.problem import SEVERITIES
from obs.lint.register import all_checks
from obs.lint.settings import KEYS, Level, PathRule, Settings

_LEVELS: tuple[Level, ...] = (*SEVERITIES, "off")


def read(path: Path) -> Settings:
    """Return the settings of a file; raise `SpecError` at the place of what cannot be understood."""
    root = document.read(path)
    entries = fields.mapping(root, "the settings", KEYS)
    settings = Settings()
    chosen: dict[str, object] = {}
    for key, entry in entries.items():
        node = entry.node
        if key == "severity":
            chosen[key] = _severities(node)
        elif key == "paths":
            chosen[key] = tuple(_path_rule(item) for item in fields.texts(node, key))
        elif key == "scrape_interval":
            chosen[key] = fields.duration(node, key)
        elif key == "runbooks":
            chosen[key] = fields.url(node, key)
        elif key in {"owner", "by"}:
            chosen[key] = tuple(_words(node, key))
        else:
            chosen[key] = frozenset(_words(node, key))
    return Settings(**{**{key: getattr(settings, key) for key in KEYS}, **chosen})


def _severities(node: Node) -> dict[str, Level]:
    found: dict[str, Level] = {}
    known = [check.id for check in all_checks()]
    for id_, entry in fields.mapping(node, "severity", known).items():
        level = fields.choice(entry.node, f"severity.{id_}", _LEVELS)
        found[id_] = next(one for one in _LEVELS if one == level)
    return found


def _path_rule(node: Node) -> PathRule:
    entries = fields.mapping(node, "a path", ("match", "skip", "disable", "reason"))
    match = fields.text(fields.required(entries, "match", node, "a path"), "match")
    skip = "skip" in entries and fields.choice(entries["skip"].node, "skip", ("true", "false")) == "true"
    disable = frozenset(_ids(entries["disable"].node)) if "disable" in entries else frozenset[str]()
    if disable:
        fields.reason(fields.required(entries, "reason", node, "disable"), "reason")
    return PathRule(match, skip, disable)


def _ids(node: Node) -> Iterable[str]:
    known = [check.id for check in all_checks()]
    return [fields.choice(item, "disable", known) for item in fields.texts(node, "disable")]


def _words(node: Node, what: str) -> Iterable[str]:
    return [fields.text(item, what) for item in fields.texts(node, what)]
