"""What recording rules add to a contract: their names, and the labels that their expressions produce."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from obs.lint.contract import Contract, Metric
from obs.lint.promql.labels import ANY, Labels, produced
from obs.lint.read.rules import Rule


def metrics(rules: Sequence[Rule], contract: Contract) -> Iterator[Metric]:
    """Yield one metric a recorded name; rules of one name may have the labels of either."""
    resolver = _Resolver(rules, contract)
    for name in resolver.names:
        labels = resolver.labels_of(name)
        yield Metric(name, "recorded", "", "", dict.fromkeys(labels.names), is_open=labels.is_open)


class _Resolver:
    def __init__(self, rules: Sequence[Rule], contract: Contract) -> None:
        self._contract = contract
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            if not rule.is_alert:
                self._rules.setdefault(rule.name.value, []).append(rule)
        self._known: dict[str, Labels] = {}

    @property
    def names(self) -> list[str]:
        return list(self._rules)

    def labels_of(self, name: str) -> Labels:
        if name in self._known:
            return self._known[name]
        if name in self._contract.metrics or name not in self._rules:
            return self._contract.labels_of(name)
        # A rule that reads itself, however indirectly, finds anything.
        self._known[name] = ANY
        found = Labels(frozenset())
        for rule in self._rules[name]:
            labels = self._of_rule(rule)
            found = Labels(found.names | labels.names, found.is_open or labels.is_open)
        self._known[name] = found
        return found

    def _of_rule(self, rule: Rule) -> Labels:
        root = rule.query.parsed.root if rule.query is not None else None
        if root is None:
            return ANY
        labels = produced(root, self.labels_of)
        return Labels(labels.names | set(rule.labels) | set(rule.group.labels), labels.is_open)
