"""Readers of names, labels and addresses: what ends up in file names, selectors and links."""

from __future__ import annotations

import re

from obs.generate.spec.document import Entry, Node
from obs.generate.spec.plain import refuse, text

#: Names become file names, label values and parts of links, so they are kept plain.
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}\Z")
#: Names of jobs are chosen in code, a little more freely.
JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,126}\Z")
METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
#: What would end a string or begin a template or a variable where the value is written into rules and dashboards.
_SPECIAL = re.compile(r'["\\{}$`]')
#: A value of a label without any of them.
SAFE = re.compile(r'[^"\\{}$`]+\Z')
URL = re.compile(r"https?://[^\s\"'<>{}]+\Z")


def name(node: Node, what: str, pattern: re.Pattern[str] = NAME) -> str:
    """Return a name of letters, digits, ``-`` and ``_``."""
    value = text(node, what)
    if not pattern.match(value):
        raise refuse(node, f"{what}: got {value!r}, expected letters, digits, - and _, a letter first")
    return value


def key_name(key: str, entry: Entry, what: str, pattern: re.Pattern[str] = NAME) -> str:
    """Check a key that is a name of the author's choice."""
    return name(Node(entry.key, key), what, pattern)


def url(node: Node, what: str) -> str:
    """Return an absolute address without its trailing slash."""
    value = text(node, what)
    if not URL.match(value):
        raise refuse(node, f"{what}: got {value!r}, expected an address that starts with https:// or http://")
    return value.rstrip("/")


def label(entry: Entry, key: str) -> tuple[str, str]:
    """Return a label and the value it must have."""
    if not LABEL.match(key) or key.startswith("__"):
        raise refuse(entry, f"{key!r} is no label name")
    value = text(entry.node, f"label {key}")
    if _SPECIAL.search(value):
        raise refuse(
            entry.node, f'label {key}: got {value!r}, expected a value without any of " \\ {{ }} $ `'
        )
    return key, value


def label_name(node: Node, what: str) -> str:
    """Return the name of a Prometheus label."""
    value = text(node, what)
    if not LABEL.match(value) or value.startswith("__"):
        raise refuse(node, f"{what}: got {value!r}, expected the name of a label such as path")
    return value


def metric_name(node: Node, what: str) -> str:
    """Return the name of a Prometheus metric."""
    value = text(node, what)
    if not METRIC.match(value):
        raise refuse(node, f"{what}: got {value!r}, expected the name of a metric such as shop_orders_total")
    return value
