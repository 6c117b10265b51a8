"""Alertmanager's matchers: the old and the new notation, and whether labels meet them.

Evaluation knows three answers, because a rule file tells only some of the labels that its alerts will
carry: what a rule writes down is certain, what comes from the series is not.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

Operator: TypeAlias = Literal["=", "!=", "=~", "!~"]

_MATCHER = re.compile(
    r"""\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<name>[^\s=!~,{}"'`\\]+))\s*
        (?P<operator>=~|!=|!~|=)\s*
        (?:"(?P<value>(?:[^"\\]|\\.)*)"|(?P<plain>[^"]*?))\s*\Z""",
    re.VERBOSE | re.DOTALL,
)
#: Commas outside of quotes part the matchers of one text.
_PARTS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+|"', re.DOTALL)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


class Answer(enum.Enum):
    """What can be said of a match."""

    NO = 0
    MAYBE = 1
    YES = 2

    def __invert__(self) -> Answer:
        return Answer(2 - self.value)


def both(answers: Iterable[Answer]) -> Answer:
    """Return YES when every answer is, NO when one is, else MAYBE."""
    return min(answers, key=lambda answer: answer.value, default=Answer.YES)


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of an alert as far as its rule tells them.

    `certain` are written down; those of `possible` come from the series, with whatever value, and any other
    label too while `open`; what remains is absent.
    """

    certain: Mapping[str, str]
    possible: frozenset[str] = frozenset()
    open: bool = True

    def get(self, name: str) -> str | None:
        """Return the value of a label, "" when the alert lacks it, None when nobody knows."""
        unknown = self.open or name in self.possible
        return self.certain.get(name, None if unknown else "")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One matcher."""

    name: str
    operator: Operator
    value: str

    def __str__(self) -> str:
        return f'{self.name}{self.operator}"{_escaped(self.value)}"'

    def meets(self, labels: Labels) -> Answer:
        """Tell whether the label meets it; an absent label has the value ""."""
        value = labels.get(self.name)
        if value is None:
            return Answer.MAYBE
        return self.holds(value)

    def holds(self, value: str) -> Answer:
        """Tell whether a value meets it; MAYBE when the pattern is not ours to understand."""
        if self.operator in {"=", "!="}:
            equal = Answer.YES if value == self.value else Answer.NO
        else:
            pattern = compiled(self.value)
            if pattern is None:
                return Answer.MAYBE
            equal = Answer.YES if pattern.fullmatch(value) else Answer.NO
        return ~equal if self.operator in {"!=", "!~"} else equal

    @property
    def is_pattern(self) -> bool:
        """Whether its value is a regular expression."""
        return self.operator in {"=~", "!~"}

    @property
    def needs(self) -> bool:
        """Whether an alert without the label can never meet it."""
        return self.holds("") is Answer.NO

    @property
    def values(self) -> tuple[str, ...] | None:
        """The only values that meet it, when they can be listed: ``a|b`` is a list, ``a.*`` is none."""
        if self.operator == "=":
            return (self.value,)
        if self.operator == "=~" and re.fullmatch(r"[\w|:@ -]*", self.value):
            return tuple(self.value.split("|"))
        return None

    def excludes(self, other: Matcher) -> bool:
        """Tell whether no value can meet both; False also when that cannot be told."""
        if self.name != other.name:
            return False
        if self.values is not None:
            return all(other.holds(value) is Answer.NO for value in self.values)
        return other.values is not None and all(self.holds(value) is Answer.NO for value in other.values)

    def implies(self, other: Matcher) -> bool:
        """Tell whether every value that meets this one meets `other`; False also when that cannot be told."""
        if self.name != other.name:
            return False
        if self == other:
            return True
        if self.values is not None:
            return all(other.holds(value) is Answer.YES for value in self.values)
        # What a label may not be is a list as well: !~ "a|b" implies != "a".
        negated = _NEGATED.get(self.operator)
        denied = Matcher(self.name, negated, self.value) if negated else None
        refused = _NEGATED.get(other.operator)
        if denied is None or refused is None:
            return self.needs and other == Matcher(self.name, "!=", "")
        return Matcher(other.name, refused, other.value).implies(denied)


_NEGATED: Mapping[str, Operator] = {"!=": "=", "!~": "=~"}


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str] | None:
    """Return Alertmanager's regular expression as Python's, or None where Python has no such form."""
    try:
        return re.compile(f"(?:{pattern})")
    except re.error:
        return None


def parse(text: str) -> tuple[Matcher, ...]:
    """Read the matchers of one text, with or without braces; raise `ValueError` saying what is wrong."""
    inner = text.strip()
    if inner.startswith("{") or inner.endswith("}"):
        if not (inner.startswith("{") and inner.endswith("}")):
            raise ValueError("a brace has no partner")
        inner = inner[1:-1].strip().removesuffix(",")
    if not inner:
        return ()
    return tuple(_one(part) for part in _PARTS.findall(inner))


def _one(part: str) -> Matcher:
    match = _MATCHER.match(part)
    if match is None:
        raise ValueError(f"expected LABEL, one of = != =~ !~, and a value, got {part.strip()!r}")
    name = match["name"] if match["name"] is not None else _plain(match["quoted"])
    value = _plain(match["value"]) if match["value"] is not None else match["plain"]
    operator: Operator = match["operator"]  # type: ignore[assignment]  # the pattern allows no other
    return Matcher(name, operator, value)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text, flags=re.DOTALL)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
