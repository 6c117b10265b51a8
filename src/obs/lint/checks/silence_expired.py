"""A snooze whose day has passed."""

from __future__ import annotations

from obs.lint.check import Check, found_by_the_runner

CHECK = Check(
    "silence-expired", "warning", ("rules", "tests", "alertmanager", "runbook", "spec"), found_by_the_runner
)
