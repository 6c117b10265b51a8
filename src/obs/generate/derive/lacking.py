"""Drafts of alerts for a service whose metrics lack labels by which their authors group.

An alert on each pool is an alert on all pools together where the metric does not tell them apart; a
story of two pools cannot be told there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from obs.generate.derive.drafts import Case, Draft, Fact, Sample
from obs.generate.derive.gaps import is_gap
from obs.generate.derive.promql import ungrouped

#: Stands in a sentence for the value of a label that is not there.
_ALL = "(all)"
_TEMPLATE = re.compile(r"\{\{ \$labels\.(\w+)(?: \| \w+)? \}\}")
_UNTOLD = "the service's metrics do not tell apart what the story needs"


def without_lacking(draft: Draft) -> Draft:
    """Return `draft` without the labels that do not exist; the same draft when there are none."""
    expr, lacking = ungrouped(draft.expr)
    if not lacking:
        return draft
    cases = tuple(_case(case, lacking) for case in draft.cases if _can_be_told(case, lacking))
    told = {case.kind for case in cases}
    lost = {case.kind: _UNTOLD for case in draft.cases if case.kind not in told}
    return replace(
        draft,
        expr=expr,
        summary=_plain(draft.summary),
        description=_plain(draft.description),
        cases=cases,
        omits={**draft.omits, **lost},
    )


def _plain(text: str) -> str:
    return _TEMPLATE.sub(lambda match: _ALL if is_gap(match[1]) else match[0], text)


def _can_be_told(case: Case, lacking: frozenset[str]) -> bool:
    groups: dict[str, set[tuple[str, ...]]] = {}
    for sample in case.samples:
        groups.setdefault(sample.metric, set()).add(_group(sample, lacking))
    return all(len(found) == 1 for found in groups.values())


def _group(sample: Sample, lacking: frozenset[str]) -> tuple[str, ...]:
    return tuple(sample.labels.get(label, "") for label in sorted(lacking))


def _case(case: Case, lacking: frozenset[str]) -> Case:
    return replace(case, facts=tuple(_fact(fact, lacking) for fact in case.facts))


def _fact(fact: Fact, lacking: frozenset[str]) -> Fact:
    def left(labels: Mapping[str, str]) -> dict[str, str]:
        return {label: value for label, value in labels.items() if label not in lacking}

    return replace(fact, shows=tuple((left(labels), value) for labels, value in fact.shows))
