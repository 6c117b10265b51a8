"""How urgent an alert is."""

from __future__ import annotations

from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["page", "ticket", "none"]
#: The most urgent first: a page wakes people, a ticket waits for working hours, none is only shown.
SEVERITIES: tuple[Severity, ...] = ("page", "ticket", "none")
