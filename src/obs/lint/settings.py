"""What a project says about its linting, in a file obs-lint.yml.

The keys, all optional::

    severity: {alert-without-test: info, regexp-on-name: off}     # error | warning | info | off
    owner: [team, owner]             # labels or annotations of which one must name somebody
    optional: [service]              # what alerts go without on purpose
    labels: [cluster, region]        # what the server adds to every series
    scrape_interval: 30s             # of targets that no spec declares; default: 15s
    by: [service, environment]       # what a repaired ratio is grouped by; default: service, job
    unbounded: [user_id, path]       # labels without an end, beside those that everybody knows
    runbooks: https://runbooks.example.com   # where runbooks are published; else what the specs say
    paths:
      - {match: "vendor/**", skip: true}
      - {match: "dashboards/old/*", disable: [panel-without-unit], reason: "frozen until the move"}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias

from obs.generate.model import Duration
from obs.lint.problem import Severity

#: Looked for in the directory that obs runs in.
FILE = "obs-lint.yml"
KEYS = ("severity", "owner", "optional", "labels", "scrape_interval", "by", "unbounded", "runbooks", "paths")
Level: TypeAlias = Severity | Literal["off"]
_OFTEN = Duration(15_000)


@dataclass(frozen=True, slots=True)
class PathRule:
    """What holds for files whose path, or its end after a slash, matches; ``**`` is any number of folders."""

    match: str
    skip: bool = False
    disable: frozenset[str] = frozenset()

    def matches(self, file: str) -> bool:
        """Tell whether it holds for `file`."""
        return bool(_pattern(self.match).search(file.replace("\\", "/")))


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings with their defaults."""

    severity: Mapping[str, Level] = field(default_factory=dict)
    owner: tuple[str, ...] = ("team", "owner")
    optional: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    scrape_interval: Duration = _OFTEN
    by: tuple[str, ...] = ("service", "job")
    unbounded: frozenset[str] = frozenset()
    #: Address below which runbooks are published; "" leaves it to the specs.
    runbooks: str = ""
    paths: tuple[PathRule, ...] = ()

    def skips(self, file: str) -> bool:
        """Tell whether `file` is not to be read."""
        return any(rule.skip and rule.matches(file) for rule in self.paths)

    def disables(self, check: str, file: str) -> bool:
        """Tell whether `check` is off, everywhere or for `file`."""
        return self.severity.get(check) == "off" or any(
            check in rule.disable and rule.matches(file) for rule in self.paths
        )


_WILD = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@lru_cache(maxsize=256)
def _pattern(match: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", match)
    return re.compile(rf"(?:^|/){''.join(_WILD.get(part, re.escape(part)) for part in parts)}\Z")
