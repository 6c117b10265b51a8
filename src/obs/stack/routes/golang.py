"""Route `go`: built from source as Go tool dependencies, each pinned with checksums in `tools/*/go.mod`.

An interrupted build continues where it was: the compiler keeps what it has done in its own cache.
"""

from __future__ import annotations

import os
import re
import shutil
from itertools import groupby
from pathlib import Path

from obs.stack import bundle, cache
from obs.stack.command import run
from obs.stack.engine import Engine, RouteClosed
from obs.stack.progress import Report, Step
from obs.stack.table import EngineFacts

#: Seconds; a cold build of the largest engine took 3 minutes on two cores.
_BUILD_WITHIN = 3600.0

#: Where the official packages of Go put it without touching PATH.
_USUAL_PLACES = (Path("/usr/local/go/bin/go"), Path("/usr/lib/go/bin/go"), Path("/opt/homebrew/bin/go"))

_DOWNLOADING = re.compile(r"^go: downloading (\S+)")


def fetch(engines: list[EngineFacts], report: Report | None) -> list[Engine]:
    """Build `engines` and put their programs into the cache.

    Raises:
        StackError: no Go here, an older Go than the module asks for, or the build failed.
    """
    go = _compiler()
    with cache.workspace("go", report) as work:
        installed, missing = cache.brought(engines, "go")
        by_module = sorted(missing, key=lambda facts: (facts.go_directory, facts.name))
        for directory, group in groupby(by_module, key=lambda facts: facts.go_directory):
            wanted = list(group)
            _build(go, directory, wanted, work, report)
            installed.extend(cache.adopt(facts, _built(facts, work), "go") for facts in wanted)
        return installed


def _compiler() -> str:
    found = shutil.which("go")
    for place in _USUAL_PLACES:
        if found is None and os.access(place, os.X_OK):
            found = str(place)
    if found is None:
        raise RouteClosed("no go on PATH, nor in its usual places")
    return found


def _build(go: str, directory: str, wanted: list[EngineFacts], work: Path, report: Report | None) -> None:
    first = wanted[0]
    names = " and ".join(facts.name for facts in wanted)
    step = Step(
        f"building {names} {first.go_version} with Go (about {first.go_minutes} min on two cores, once)",
        report,
    )
    run(
        [
            *(go, "build", "-v"),
            *(("-tags", first.go_tags) if first.go_tags else ()),
            # The module knows no version of itself; without it `--version` prints none.
            *("-ldflags", f"-s -w -X {first.go_variable}={first.go_version}"),
            *("-o", f"{work}{os.sep}"),
            *(facts.go_package for facts in wanted),
        ],
        step=step,
        within=_BUILD_WITHIN,
        cwd=bundle.path("tools", directory),
        environment=_environment(),
        detail=_detail,
    )
    step.tell(finished=True)


def _built(facts: EngineFacts, work: Path) -> Path:
    """Return the program, under its own name: Go names it after the last directory of the package."""
    program = work / facts.name
    named_by_go = work / facts.go_package.rpartition("/")[2]
    if named_by_go != program:
        named_by_go.replace(program)
    return program


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        # Never fetch another compiler, never change go.mod, leave no path of this machine in the program.
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOWORK": "off",
    }


def _detail(line: str) -> str:
    downloading = _DOWNLOADING.match(line)
    return f"downloading {downloading.group(1)}" if downloading else f"compiling {line}"[:60]
