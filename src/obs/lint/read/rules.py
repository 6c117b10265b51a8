"""Rule files of Prometheus, Mimir, Thanos and Loki, and PrometheusRule objects, as plain values with places.

Tolerant: unknown keys are kept, what has the wrong shape becomes a `Fault` and the rest is read on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Literal

from obs.generate.model import Duration
from obs.lint.query import Language, Query
from obs.lint.read.fault import Fault
from obs.lint.read.yaml_tree import Entry, Node
from obs.lint.source import Source, Span, Text

GROUP_KEYS = frozenset(
    {
        "name", "interval", "rules", "limit", "query_offset", "labels",
        # Thanos and Mimir
        "partial_response_strategy", "source_tenants", "evaluation_delay", "align_evaluation_time_on_interval",
    }
)  # fmt: skip
#: The last two are mimirtool's: it reads every document of a file.
FILE_KEYS = frozenset({"groups", "namespace", "remote_write"})
RULE_KEYS = frozenset({"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"})
#: What only a query of logs holds: a pipeline, or a stream selector with a range and no metric.
_LOGS = re.compile(
    r"\|[=~]|!=\s*[\"`]|\|\s*(?:json|logfmt|unpack|unwrap|line_format|label_format|pattern|regexp)\b"
)
_STREAM = re.compile(r"(?:^|[\s(,])\{[^{}]*\}\s*(?:\[|\|)")


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One alert or recording rule as it was written."""

    kind: Literal["alert", "record"]
    name: Text
    query: Query | None
    #: All of it, from its first key on.
    span: Span
    group: Group
    labels: Mapping[str, Entry] = field(default_factory=dict)
    annotations: Mapping[str, Entry] = field(default_factory=dict)
    for_: Text | None = None
    #: Every key as written, known or not.
    keys: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def is_alert(self) -> bool:
        """Whether it is an alert."""
        return self.kind == "alert"

    def label(self, name: str) -> str:
        """Return the value of a static label, of the rule or of its group; empty when there is none."""
        entry = self.labels.get(name) or self.group.labels.get(name)
        return entry.node.scalar if entry else ""

    def annotation(self, name: str) -> str:
        """Return an annotation; empty when there is none."""
        entry = self.annotations.get(name)
        return entry.node.scalar if entry else ""

    @property
    def pending(self) -> Duration | None:
        """How long the expression must hold; None when nothing, or no duration, is written."""
        return duration(self.for_)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A group of rules; `rules` is filled when the whole group is read."""

    name: str
    span: Span
    interval: Text | None
    labels: Mapping[str, Entry] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class RuleFile:
    """A rule file with what is wrong with its form."""

    source: Source
    groups: tuple[Group, ...]
    faults: tuple[Fault, ...]
    language: Language = "promql"

    @property
    def rules(self) -> Iterator[Rule]:
        """The rules of every group, in order."""
        for group in self.groups:
            yield from group.rules

    @property
    def queries(self) -> Iterator[Query]:
        """The expressions of every rule."""
        for rule in self.rules:
            if rule.query is not None:
                yield rule.query


def groups_of(document: Node) -> Node | None:
    """Return the list of groups of a rule file or PrometheusRule; None for any other document."""
    # Grafana's own alerts stand in groups, too, and its files name a version of an API.
    found = document.get("groups") if document.get("apiVersion") is None else None
    if found is None and _value(document, "kind") == "PrometheusRule":
        spec = document.get("spec")
        found = spec.get("groups") if spec is not None else None
    return found if found is None or _are_groups(found) else None


def _are_groups(node: Node) -> bool:
    """Tell whether a list may be one of groups of rules: other programs have groups too."""
    # Somebody who forgot the list wrote one group, or groups by name.
    listed = (node, *(entry.node for entry in node.entries)) if node.is_mapping else node.items
    keys = [frozenset(item.keys) for item in listed if item.is_mapping]
    return not keys or any("rules" in one or one <= GROUP_KEYS or _misspelt(one) for one in keys)


def _misspelt(keys: frozenset[str]) -> bool:
    return "name" in keys and any(get_close_matches(key, ["rules"]) for key in keys)


def read(source: Source, documents: list[Node]) -> RuleFile:
    """Read every group of every document."""
    reader = _Reader()
    groups = []
    plain = 0
    for document in documents:
        found = groups_of(document)
        if found is None:
            continue
        keys = reader.keys(document)
        if "groups" in keys:
            plain += "namespace" not in keys
            reader.top(document, keys, plain)
        if not found.is_list:
            if not found.is_null:
                reader.fault(f"groups: got {found.what}, expected a list", found)
            continue
        groups += [group for node in found.items if (group := reader.group(node)) is not None]
    language: Language = "promql"
    if any(_is_logs(rule) for group in groups for rule in group.rules):
        language = "logql"
        for group in groups:
            group.rules[:] = [_in_logs(rule) for rule in group.rules]
    return RuleFile(source, tuple(groups), tuple(reader.faults), language)


def duration(text: Text | None) -> Duration | None:
    """Return what a duration of Prometheus says, years left out; None when it says nothing."""
    try:
        return Duration.parse(text.value) if text is not None else None
    except ValueError:
        return None


def _value(node: Node, key: str) -> str:
    found = node.get(key)
    text = found.text if found is not None else None
    return text.value if text is not None else ""


def _is_logs(rule: Rule) -> bool:
    text = rule.query.text.value if rule.query is not None else ""
    if " {" not in text and "({" not in text and not text.startswith("{"):
        return False
    return bool(_STREAM.search(text)) and (bool(_LOGS.search(text)) or "__name__" not in text)


def _in_logs(rule: Rule) -> Rule:
    return replace(rule, query=replace(rule.query, language="logql") if rule.query is not None else None)


class _Reader:
    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, message: str, node: Node, hint: str | None = None) -> None:
        self.faults.append(Fault(message, node.span, hint))

    def top(self, node: Node, keys: Mapping[str, Entry], number: int) -> None:
        """Find what Prometheus refuses, or never looks at, in the document of a rule file; the first is number 1."""
        for key, entry in keys.items():
            if key not in FILE_KEYS:
                self.faults.append(Fault(f"a rule file has no key {key!r}", entry.key.span))
        if number > 1:
            hint = "put its groups under the first `groups:`, or into a file of their own"
            self.fault(
                "Prometheus reads the first document of a file only: nothing evaluates these rules",
                node,
                hint,
            )

    def group(self, node: Node) -> Group | None:
        if not node.is_mapping:
            self.fault(f"a group: got {node.what}, expected a mapping with name and rules", node)
            return None
        keys = self.keys(node)
        for key, entry in keys.items():
            if key not in GROUP_KEYS:
                self.faults.append(Fault(f"a group has no key {key!r}", entry.key.span))
        name = self._text(keys.get("name"), "name")
        if name is None and "name" not in keys:
            self.fault("a group without a name", node)
        group = Group(
            name=name.value if name else "",
            span=node.span,
            interval=self._duration(keys.get("interval"), "interval"),
            labels=self._mapping(keys.get("labels"), "labels"),
        )
        rules = keys.get("rules")
        if rules is not None and not rules.node.is_list and not rules.node.is_null:
            self.fault(f"rules: got {rules.node.what}, expected a list", rules.node)
        elif rules is not None:
            group.rules.extend(
                rule for item in rules.node.items if (rule := self._rule(item, group)) is not None
            )
        return group

    def _rule(self, node: Node, group: Group) -> Rule | None:
        if not node.is_mapping:
            self.fault(f"a rule: got {node.what}, expected a mapping with alert or record, and expr", node)
            return None
        keys = self.keys(node)
        alert, record = keys.get("alert"), keys.get("record")
        if alert is not None and record is not None:
            self.faults.append(Fault("a rule is an alert or a record, not both", record.key.span))
        entry = alert or record
        name = self._text(entry, "alert" if alert else "record")
        if entry is None or name is None:
            if entry is None:
                self.fault("a rule without alert or record", node)
            return None
        query = self._query(keys.get("expr"), name, is_alert=alert is not None)
        if "expr" not in keys:
            self.faults.append(Fault(f"{name.value} has no expr", name.span))
        return Rule(
            kind="alert" if alert is not None else "record",
            name=name,
            query=query,
            span=node.span,
            group=group,
            labels=self._mapping(keys.get("labels"), "labels"),
            annotations=self._mapping(keys.get("annotations"), "annotations"),
            for_=self._duration(keys.get("for"), "for"),
            keys=keys,
        )

    def keys(self, node: Node) -> Mapping[str, Entry]:
        """Return the entries of a mapping, merged ones included; Prometheus refuses a key that is given twice."""
        self.faults += [
            Fault(f"key {entry.name!r} is given twice", entry.key.span) for entry in node.repeated
        ]
        return node.keys

    def _query(self, entry: Entry | None, name: Text, *, is_alert: bool) -> Query | None:
        text = self._text(entry, "expr")
        if text is None:
            return None
        use: Literal["alert", "record"] = "alert" if is_alert else "record"
        return Query(text, use, f"{use} {name.value}")

    def _text(self, entry: Entry | None, key: str) -> Text | None:
        if entry is None:
            return None
        text = entry.node.text
        if text is None:
            self.faults.append(Fault(f"{key}: got {entry.node.what}, expected text", entry.span))
        return text

    def _duration(self, entry: Entry | None, key: str) -> Text | None:
        text = self._text(entry, key)
        if text is not None and not _DURATION.match(text.value):
            hint = "a duration has a unit, such as 30s or 5m"
            self.faults.append(Fault(f"{key}: got {text.value!r}, expected a duration", text.span, hint))
        return text

    def _mapping(self, entry: Entry | None, key: str) -> Mapping[str, Entry]:
        if entry is None or entry.node.is_null:
            return {}
        if not entry.node.is_mapping:
            self.faults.append(Fault(f"{key}: got {entry.node.what}, expected a mapping", entry.span))
            return {}
        return self.keys(entry.node)


_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+\Z|0\Z")
