"""A baseline: the problems that were there when somebody began to lint, so that only new ones count.

A problem is known again by its check, its file and its sentence, not by its line: files move. Sentences
therefore name no lines; hints may.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from obs.errors import ConfigError, ObsError
from obs.lint.problem import Problem

FORMAT = "obs.lint-baseline/v1"
#: (check, file relative to the baseline's directory, message) -> how often.
Known: TypeAlias = "Counter[tuple[str, str, str]]"


def read(path: Path) -> Known:
    """Return what a baseline knows; raise `ConfigError` when it is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the baseline: {error.strerror}", str(path), _HINT) from None
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"no baseline: {error}", str(path), _HINT) from None
    try:
        if data["format"] != FORMAT:
            raise ConfigError(f"no baseline: expected format {FORMAT!r}", str(path), _HINT)
        return Counter(
            {(one["check"], one["file"], one["message"]): int(one["count"]) for one in data["problems"]}
        )
    except (KeyError, TypeError, ValueError):
        raise ConfigError("no baseline: its form is another", str(path), _HINT) from None


def write(path: Path, problems: Iterable[Problem]) -> int:
    """Write the baseline of `problems`; return how many it holds."""
    counted = Counter(_key(problem, path.parent) for problem in problems)
    entries = [
        {"check": check, "file": file, "message": message, "count": count}
        for (check, file, message), count in sorted(counted.items())
    ]
    text = json.dumps({"format": FORMAT, "problems": entries}, indent=1, ensure_ascii=False)
    try:
        # Names of files may hold bytes that are no text: JSON has an escape for those.
        path.write_bytes(f"{text}\n".encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ObsError(f"cannot write the baseline: {error.strerror}", str(path)) from None
    return sum(counted.values())


def unknown(problems: Iterable[Problem], known: Known, folder: Path) -> list[Problem]:
    """Return the problems that the baseline in `folder` does not know."""
    left = Counter(known)
    found = []
    for problem in problems:
        key = _key(problem, folder)
        if left[key]:
            left[key] -= 1
        else:
            found.append(problem)
    return found


def _key(problem: Problem, folder: Path) -> tuple[str, str, str]:
    file = Path(os.path.relpath(problem.place.file, folder)).as_posix()
    return problem.check, file, problem.message


_HINT = "obs lint --write-baseline --baseline FILE writes one"
