"""The kinds of values that a spec holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; `words` say what it is."""

    words: str = "a line of text"
    pattern: re.Pattern[str] | None = None
    #: Which names it likely is, for whoever completes them: ``signal``.
    known: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Text of one line or more."""

    words: str = "text"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is so, in words."""


@dataclass(frozen=True, slots=True)
class Span:
    """A duration such as ``1h30m``; with `zero` also ``0s``."""

    zero: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A number above `low` and up to `high`, where there are such bounds."""

    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `low` to `high`."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list; `alone` allows a bare value in place of a list of one."""

    of: Kind
    least: int = 0
    most: int | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping whose keys are of the author's choice, or of `known` ones where there are any."""

    #: What a key is, in capitals, as the reference writes it.
    name: str
    of: Kind
    pattern: re.Pattern[str] | None = None
    #: Every legal key; empty where any is.
    known: tuple[str, ...] = ()
    #: What the keys are the names of, ``signal`` or ``alert``, and whether there are no others.
    defined: str = ""
    closed: bool = False
    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Either:
    """A value of any of several kinds."""

    of: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a section: what stands behind it, what it is for, and what holds where it is absent."""

    name: str
    of: Kind
    help: str
    required: bool = False
    #: What holds when it is left out, as it would be written or said.
    default: str = ""
    #: A value as it would be written in YAML; sections are shown by their keys.
    example: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping with these keys and no other."""

    keys: tuple[Key, ...]
    #: Of each of these sets of keys, exactly one is given.
    one_of: tuple[tuple[str, ...], ...] = ()
    #: At least one of these is given.
    any_of: tuple[str, ...] = ()
    #: Key -> the key that it makes no sense without.
    needs: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its keys, in order."""
        return tuple(key.name for key in self.keys)


Kind: TypeAlias = "Line | Text | Reason | Span | Number | Whole | Choice | Items | Table | Either | Section"
