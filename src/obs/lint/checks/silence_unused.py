"""A comment that switches off a check which finds nothing there."""

from __future__ import annotations

from obs.lint.check import Check, found_by_the_runner

CHECK = Check(
    "silence-unused", "warning", ("rules", "tests", "alertmanager", "runbook", "spec"), found_by_the_runner
)
