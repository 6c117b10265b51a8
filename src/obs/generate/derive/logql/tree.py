"""The tree of a LogQL query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Matcher:
    """A matcher of a stream selector."""

    name: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Lines that hold (``|=``), lack (``!=``), match (``|~``) or do not match (``!~``) one of `values`."""

    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parser:
    """``json`` or ``logfmt``: makes labels of the text of a line."""

    name: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition on a label: with text, or with a number, a duration or a size as it is written."""

    name: str
    operator: str
    value: str
    is_text: bool


@dataclass(frozen=True, slots=True)
class Combination:
    """Two conditions joined by ``and`` or ``or``."""

    operator: str
    left: Condition
    right: Condition


Condition: TypeAlias = Comparison | Combination


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Lines whose labels meet a condition."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class LineFormat:
    """Writes the line anew, after a Go template."""

    template: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """``keep`` or ``drop``: which labels stay."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unwrap:
    """Takes the samples from a label; `conversion` is ``duration``, ``bytes`` or "" for plain numbers."""

    label: str
    conversion: str = ""


Stage: TypeAlias = LineFilter | Parser | LabelFilter | LineFormat | Chosen | Unwrap


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A selector of streams with its pipeline."""

    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Grouping:
    """``by`` or ``without`` some labels."""

    word: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RangeAggregation:
    """A function over the lines of a span of time, such as ``count_over_time``."""

    function: str
    query: LogQuery
    range: str
    offset: str = ""
    parameter: str = ""
    grouping: Grouping | None = None


@dataclass(frozen=True, slots=True)
class VectorAggregation:
    """``sum``, ``topk`` and the like over the series of an expression."""

    function: str
    inner: Metric
    grouping: Grouping | None = None
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class LabelReplace:
    """``label_replace`` with its four texts."""

    inner: Metric
    texts: tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Matching:
    """``on`` or ``ignoring`` of a binary operation."""

    word: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """Two expressions joined by an operator."""

    operator: str
    left: Metric
    right: Metric
    is_bool: bool = False
    matching: Matching | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Vector:
    """``vector(1)``."""

    text: str


Metric: TypeAlias = RangeAggregation | VectorAggregation | LabelReplace | Binary | Number | Vector
Query: TypeAlias = LogQuery | Metric
