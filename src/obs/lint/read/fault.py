"""What a program would refuse in a file of its own."""

from __future__ import annotations

from typing import NamedTuple

from obs.lint.source import Span


class Fault(NamedTuple):
    """Something for which the program that reads the file refuses all of it, or reads it otherwise than meant."""

    message: str
    span: Span
    hint: str | None = None
