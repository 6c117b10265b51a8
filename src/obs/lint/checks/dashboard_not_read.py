"""A dashboard of Grafana's schema v2, which we do not read: nothing in it is checked."""

from __future__ import annotations

from obs.lint.check import Check, found_by_the_runner

CHECK = Check("dashboard-not-read", "info", ("dashboard",), found_by_the_runner)
