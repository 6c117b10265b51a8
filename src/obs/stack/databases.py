"""PostgreSQL and Redis for tests and development: real servers from the distribution's packages.

They are no engines of the stack: nothing of `obs stack up` starts them. Their packages are unpacked
without root together with the libraries that this machine lacks, and nothing is installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from obs.errors import ConfigError, StackError, suggest
from obs.stack import cache
from obs.stack.command import run
from obs.stack.engine import Engine, ask_version, runs
from obs.stack.progress import Report, Step
from obs.stack.routes import debian

_TREE = "tree"
_ASK_WITHIN = 30.0


@dataclass(frozen=True)
class Database:
    """One server: the package to begin with, and its programs as patterns below the unpacked packages.

    The first program gives the server its name; the others are started by the same means.
    """

    package: str
    programs: Mapping[str, str]


DATABASES: Mapping[str, Database] = MappingProxyType(
    {
        "postgres": Database(
            package="postgresql",
            programs=MappingProxyType(
                {
                    "postgres": "usr/lib/postgresql/*/bin/postgres",
                    "initdb": "usr/lib/postgresql/*/bin/initdb",
                }
            ),
        ),
        "redis-server": Database(
            package="redis-server",
            programs=MappingProxyType({"redis-server": "usr/bin/redis-server"}),
        ),
    }
)

#: What is taken along of what a package depends on: libraries, and the parts that hold the programs. Not
#: the C library, which must be the machine's own, nor LLVM, which PostgreSQL loads only to compile queries.
_TAKEN = re.compile(r"(?:lib(?!c6\b|c-bin\b|llvm).+|postgresql-\d+|redis-tools)\Z")
#: A launcher, because the libraries beside a program are found by an environment variable only.
_LAUNCHER = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")/{tree}
LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export LD_LIBRARY_PATH
exec "$here/{program}" "$@"
"""


def find(name: str) -> Engine | None:
    """Return the server `name` from the cache, newest first, or None; never installs.

    Raises:
        ConfigError: no such server.
    """
    _facts(name)
    return next((engine for engine in cache.cached(name, "debian") if runs(engine.path)), None)


def install(
    names: Iterable[str] = tuple(DATABASES),
    *,
    routes: Sequence[str] | None = None,
    report: Report | None = None,
) -> dict[str, Engine]:
    """Return the servers `names`, unpacked where they are missing; their other programs lie beside them.

    Raises:
        ConfigError: an unknown server, or routes without the only one there is, `debian`.
        StackError: the packages cannot be had or do not run here.
    """
    wanted = {name: _facts(name) for name in names}
    if wanted and routes is not None and "debian" not in routes:
        raise ConfigError(f"{', '.join(wanted)}: got route {', '.join(routes)}, expected debian")
    found: dict[str, Engine] = {}
    for name, facts in wanted.items():
        found[name] = find(name) or _fetch(name, facts, report)
    return found


def _facts(name: str) -> Database:
    if name not in DATABASES:
        raise ConfigError(f"no server is called {name!r}", hint=suggest(name, DATABASES))
    return DATABASES[name]


def _fetch(name: str, facts: Database, report: Report | None) -> Engine:
    debian.require_tools()
    with cache.workspace("debian", report) as work:
        # Somebody else may have brought it while this waited for the lock.
        found = find(name)
        if found is not None:
            return found
        whole = work / name
        _unpack_all(facts.package, work, whole / _TREE, report)
        for program, pattern in facts.programs.items():
            _write_launcher(whole, program, pattern)
        version = ask_version(whole / name)
        entry = cache.directory() / name / f"{version}-debian"
        entry.parent.mkdir(parents=True, exist_ok=True)
        whole.chmod(0o755)
        # What lies there does not run, or it would have been found.
        shutil.rmtree(entry, ignore_errors=True)
        whole.rename(entry)
        return Engine(name, entry / name, version, "debian")


def _unpack_all(package: str, work: Path, into: Path, report: Report | None) -> None:
    """Unpack `package` and, of what it depends on, what is taken and not installed here."""
    seen, waiting = {package}, [package]
    into.mkdir(parents=True)
    while waiting:
        current = waiting.pop()
        file = debian.download(current, work, report)
        debian.unpack(file, into, report)
        for name in _needed(file):
            if name not in seen:
                seen.add(name)
                if not (name.startswith("lib") and _is_installed(name)):
                    waiting.append(name)


def _needed(package: Path) -> list[str]:
    step = Step(f"reading {package.name}", None)
    output = run(["dpkg-deb", "-f", str(package), "Pre-Depends", "Depends"], step=step, within=_ASK_WITHIN)
    found = []
    for field in output.splitlines():
        for group in field.partition(":")[2].split(","):
            # Of alternatives the first is what the distribution prefers; versions are apt's business.
            name = group.partition("|")[0].split("(")[0].strip().partition(":")[0]
            if _TAKEN.match(name):
                found.append(name)
    return found


def _is_installed(package: str) -> bool:
    asked = ["dpkg-query", "-W", "-f", "${db:Status-Status}\\n", package]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=_ASK_WITHIN)
    return done.returncode == 0 and "installed" in done.stdout.split()


def _write_launcher(whole: Path, name: str, pattern: str) -> None:
    tree = whole / _TREE
    programs = sorted(tree.glob(pattern))
    if not programs:
        raise StackError(f"the Debian packages hold no {pattern}")
    places = sorted({*tree.glob("lib/*-linux-*"), *tree.glob("usr/lib/*-linux-*")})
    libraries = ":".join(f"$here/{place.relative_to(tree)}" for place in places if place.is_dir())
    launcher = whole / name
    launcher.write_text(
        _LAUNCHER.format(tree=_TREE, libraries=libraries, program=programs[-1].relative_to(tree)),
        encoding="utf-8",
    )
    launcher.chmod(0o755)
