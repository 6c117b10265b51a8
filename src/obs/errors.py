"""The one error tree of obs.

Errors are for people: each says what was got, what was expected, where, and what to do next.
The tree is a leaf, so that every room may raise without import loops::

    ObsError
    |-- ConfigError      a setting or an argument that cannot work      (exit code 2)
    |-- SpecError        a broken service spec                          (exit code 2)
    |-- UnknownSignal    a signal or label that no contract declares    (exit code 2)
    |-- MissingExtra     a feature whose package is not installed       (exit code 2)
    |-- OutputError      a directory that could not be read or written  (exit code 3)
    |-- StackError       an engine or process that did not do its part  (exit code 3)
    `-- VerifyError      a live check that could not be carried out     (exit code 3)

Only the command line turns an error into an exit code; `exit_code` is the mapping it reads.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class ObsError(Exception):
    """What went wrong, optionally where, and optionally what to do about it.

    `where` is a place a person can open: ``file``, ``file:line`` or ``file:line:column``.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, where, hint)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{place}{self.message}{advice}"


class ConfigError(ObsError):
    """A setting, argument or environment variable that cannot work."""


class SpecError(ObsError):
    """A service spec that cannot be understood; `where` holds file, line and column."""


class UnknownSignal(ObsError):
    """A signal, label or metric that no contract declares."""


class MissingExtra(ObsError, ImportError):
    """A feature was asked for whose package is not installed."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the package {package}, which is not installed",
            hint=f"pip install 'obs-kit[{extra}]'",
        )
        # ImportError's own attribute, so that `except ImportError as e: e.name` keeps working.
        self.name = package


class OutputError(ObsError):
    """A directory or file that could not be read or written: a full disk, a missing permission."""

    exit_code = 3


class StackError(ObsError):
    """An engine, a process or a port of the stack did not do its part."""

    exit_code = 3


class VerifyError(ObsError):
    """A live check could not be carried out: that is neither a pass nor a finding."""

    exit_code = 3


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None when nothing is close."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def suggest(name: str, known: Iterable[str]) -> str | None:
    """Return a hint naming the nearest match, fit for `ObsError(hint=...)`."""
    match = nearest(name, known)
    return f"did you mean {match!r}?" if match else None
