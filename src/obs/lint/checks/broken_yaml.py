"""A file that no program can read as YAML or JSON."""

from __future__ import annotations

from obs.lint.check import KINDS, Check, found_by_the_runner

CHECK = Check("broken-yaml", "error", KINDS, found_by_the_runner)
