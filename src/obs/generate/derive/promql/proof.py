"""Queries proven against the contract: every name in them is one that the service has."""

from __future__ import annotations

from obs.errors import UnknownSignal, suggest
from obs.generate.derive.gaps import CannotDerive, reason_of
from obs.generate.derive.promql.tree import parse
from obs.generate.derive.vocabulary import Vocabulary


def checked(text: str, vocabulary: Vocabulary) -> str:
    """Return `text` in the parser's own layout, proven to use only what the contract declares.

    Raises `UnknownSignal` with the nearest match for a metric or label that nothing declares,
    `CannotDerive` for what the catalogue knows but this service lacks, and `ObsError` for text that is
    no PromQL.
    """
    parsed = parse(text)
    for name in parsed.names:
        reason = reason_of(name)
        if reason is not None:
            raise CannotDerive(reason)
    # The label of one signal need not stand on another, where each is a metric of the team's own.
    lacking = CannotDerive if vocabulary.mapping else UnknownSignal
    known: set[str] = set()
    for metric, matched in parsed.selectors:
        labels = vocabulary.labels_of(metric)
        known |= labels
        for label in matched:
            if label not in labels:
                raise lacking(f"{metric} has no label {label!r}", hint=suggest(label, labels))
    for label in parsed.grouped:
        if parsed.selectors and label not in known:
            raise lacking(f"no series of the query has a label {label!r}", hint=suggest(label, known))
    return parsed.text


def printed(text: str) -> str:
    """Return `text`, made of parts that are proven already, in the parser's own layout.

    Raises `ObsError` for text that is no PromQL.
    """
    return parse(text).text


def metrics(text: str) -> tuple[str, ...]:
    """Return the metrics that `text` reads, each once, in order."""
    return tuple(dict.fromkeys(metric for metric, _ in parse(text).selectors if metric))
