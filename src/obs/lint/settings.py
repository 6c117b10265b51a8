"""What a project says about its linting: obs-lint.yml, or the section `lint` of a file named so by --config.

The keys, all optional::

    severity: {alert-without-test: info, regexp-on-name: off}     # error | warning | info | off
    required: {labels: [severity, service, team], annotations: [summary, description, runbook_url]}
    owner: [team, owner]             # labels or annotations of which one must name somebody
    labels: [cluster, region]        # what the server adds to every series
    scrape_interval: 1m              # of those targets that no spec declares
    by: [service, environment]       # what a repaired ratio is grouped by
    unbounded: [user_id, path]       # labels without an end, beside those that everybody knows
    paths:
      - {match: "vendor/**", skip: true}
      - {match: "dashboards/old/*", disable: [panel-without-unit], reason: "frozen until the move"}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache
from typing import Literal, TypeAlias

from obs.generate.model import Duration
from obs.lint.problem import Severity

#: Looked for in the directory that obs runs in.
FILE = "obs-lint.yml"
Level: TypeAlias = Severity | Literal["off"]


@dataclass(frozen=True, slots=True)
class PathRule:
    """What holds for the files that a pattern matches; patterns are those of a shell, ``**`` is any depth."""

    match: str
    skip: bool = False
    disable: frozenset[str] = frozenset()

    def matches(self, file: str) -> bool:
        """Tell whether `file`, or what ends it after a slash, matches."""
        return bool(_pattern(self.match).search(file.replace("\\", "/")))


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings with their defaults."""

    severity: Mapping[str, Level] = field(default_factory=dict)
    owner: tuple[str, ...] = ("team", "owner")
    labels: frozenset[str] = frozenset()
    scrape_interval: Duration = Duration(60_000)
    by: tuple[str, ...] = ("job",)
    unbounded: frozenset[str] = frozenset()
    #: Labels that alerts go without on purpose: checks alert-without-... leave them be.
    optional: frozenset[str] = frozenset()
    paths: tuple[PathRule, ...] = ()

    def skips(self, file: str) -> bool:
        """Tell whether `file` is not to be read."""
        return any(rule.skip and rule.matches(file) for rule in self.paths)

    def disables(self, check: str, file: str) -> bool:
        """Tell whether `check` is off, everywhere or for `file`."""
        return self.severity.get(check) == "off" or any(
            check in rule.disable and rule.matches(file) for rule in self.paths
        )


@lru_cache(maxsize=256)
def _pattern(match: str) -> re.Pattern[str]:
    parts = (translate(part)[4:-3] if part != "**" else ".*" for part in match.split("/"))
    inside = "/".join(part.replace(".*", "[^/]*") if part != ".*" else part for part in parts)
    return re.compile(rf"(?:^|/){inside}\Z")
