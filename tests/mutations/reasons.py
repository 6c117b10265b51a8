"""Why a survivor may live: read by a person, one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.mutations.trial import Trial


@dataclass(frozen=True, slots=True)
class _Reason:
    """Survivors of files that match `path`, whose change matches `change`, live because `why`."""

    path: str
    change: str
    why: str


_REASONS: tuple[_Reason, ...] = ()


def reason(trial: Trial) -> str:
    """Return the reason of a survivor."""
    mutant = trial.mutant
    if trial.verdict == "unread":
        return "never runs for a service of the corpus"
    change = f"{mutant.before} -> {mutant.after}"
    for one in _REASONS:
        if re.search(one.path, mutant.path) and re.search(one.change, change):
            return one.why
    return "not explained yet"
