"""Route `debian`: the distribution's package, downloaded and unpacked; no root, nothing installed.

apt verifies the package against the signed lists of the distribution. Where the system's lists are
missing or too old for the archive, lists of our own are fetched into the work directory, because an
ordinary user cannot refresh the system's.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from obs.errors import StackError
from obs.stack import cache
from obs.stack.command import run
from obs.stack.engine import Engine, RouteClosed
from obs.stack.progress import Report, Step
from obs.stack.relocate import relocate
from obs.stack.table import EngineFacts

#: Seconds for the lists, for one download and for unpacking; a slow line needs minutes, not hours.
_LISTS_WITHIN = 300.0
_DOWNLOAD_WITHIN = 600.0
_UNPACK_WITHIN = 120.0

_QUICK = (
    *("-o", "Acquire::Retries=1"),
    *("-o", "Acquire::http::Timeout=15"),
    *("-o", "Acquire::https::Timeout=15"),
    # Only the list of packages is needed.
    *("-o", "Acquire::Languages=none"),
    *("-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false"),
    *("-o", "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false"),
)


def fetch(engines: list[EngineFacts], report: Report | None) -> list[Engine]:
    """Download and unpack the packages of `engines` and put their programs into the cache.

    Raises:
        StackError: no apt or dpkg here, no such package, or the archive cannot be reached.
    """
    require_tools()
    with cache.workspace("debian", report) as work:
        installed, missing = cache.brought(engines, "debian")
        for package in sorted({facts.product.debian for facts in missing}):
            wanted = [facts for facts in missing if facts.product.debian == package]
            unpacked = unpack(download(package, work, report), work / f"{package}.d", report)
            installed.extend(_adopt(facts, unpacked) for facts in wanted)
        return installed


def require_tools() -> None:
    """Raise `RouteClosed` where there is no apt or dpkg."""
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise RouteClosed(f"no {program} on this machine")


def download(package: str, work: Path, report: Report | None) -> Path:
    """Download `package` into `work` and return its file.

    Raises:
        StackError: no such package, or the archive cannot be reached.
    """
    step = Step(f"downloading the Debian package {package}", report)
    try:
        _apt(["download", package], work, step, _DOWNLOAD_WITHIN)
    except StackError:
        own = _own_state(work)
        trouble = _refresh(own, work, Step("fetching the package lists of the distribution", report))
        try:
            _apt([*own, "download", package], work, step, _DOWNLOAD_WITHIN)
        except StackError as error:
            raise StackError("; ".join([error.message, *trouble])) from None
    found = sorted(work.glob(f"{package}_*.deb"))
    if not found:
        raise StackError(f"apt-get download {package} left no package behind")
    size = found[0].stat().st_size
    step.tell(done=size, total=size, finished=True)
    return found[0]


def _refresh(own: list[str], work: Path, step: Step) -> list[str]:
    """Fetch the lists where there are none yet; return what went wrong with some of them."""
    trouble = []
    if not list((work / "state" / "lists").glob("*_Packages*")):
        try:
            _apt([*own, "update"], work, step, _LISTS_WITHIN)
        except StackError as error:
            # A third party's archive in sources.list may fail while the distribution's own works.
            if not list((work / "state" / "lists").glob("*_Packages*")):
                raise RouteClosed(error.message) from None
            trouble.append(f"of the package lists: {error.message}")
    step.tell(finished=True)
    return trouble


def _own_state(work: Path) -> list[str]:
    state, archives = work / "state", work / "archives"
    for directory in (state / "lists" / "partial", archives / "archives" / "partial"):
        directory.mkdir(parents=True, exist_ok=True)
    return [
        *("-o", f"Dir::State={state}"),
        *("-o", f"Dir::State::lists={state / 'lists'}"),
        *("-o", "Dir::State::status=/var/lib/dpkg/status"),
        *("-o", f"Dir::Cache={archives}"),
    ]


def _apt(arguments: list[str], work: Path, step: Step, within: float) -> None:
    # English messages, so that a quoted failure can be looked up.
    run(
        ["apt-get", *_QUICK, *arguments],
        step=step,
        within=within,
        cwd=work,
        environment={**os.environ, "LC_ALL": "C"},
    )


def unpack(package: Path, into: Path, report: Report | None) -> Path:
    """Unpack the file of a package into a directory, which may hold others already, and return that."""
    step = Step(f"unpacking {package.name}", report)
    run(["dpkg", "-x", str(package), str(into)], step=step, within=_UNPACK_WITHIN)
    step.tell(finished=True)
    return into


def _adopt(facts: EngineFacts, unpacked: Path) -> Engine:
    program = _program(facts, unpacked)
    files = facts.product.debian_files
    relocated = bool(files) and relocate(program, files)
    return cache.adopt(facts, program, "debian", unpacked / files.lstrip("/") if relocated else None)


def _program(facts: EngineFacts, unpacked: Path) -> Path:
    for program in facts.programs:
        found = unpacked / "usr" / "bin" / program
        if found.is_file():
            return found
    raise StackError(f"the Debian package {facts.product.debian} holds no {' or '.join(facts.programs)}")
