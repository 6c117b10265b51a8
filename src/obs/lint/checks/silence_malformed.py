"""A comment to the linter that it cannot understand."""

from __future__ import annotations

from obs.lint.check import Check, found_by_the_runner

CHECK = Check(
    "silence-malformed", "error", ("rules", "tests", "alertmanager", "runbook", "spec"), found_by_the_runner
)
