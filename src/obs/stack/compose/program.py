"""The door to Docker: `docker compose` where it is, else the `docker-compose` of the engines' cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from obs.errors import StackError
from obs.stack import engines, version
from obs.stack.command import run
from obs.stack.progress import Report, Step
from obs.stack.table import facts_of

#: Seconds for a quick command: generous, for it takes a second alone and half a minute on a machine that is busy.
_ASK_WITHIN = 120.0


@dataclass(frozen=True)
class Compose:
    """A Compose v2 that reaches an engine: how it is called."""

    argv: tuple[str, ...]

    def ask(self, arguments: Sequence[str]) -> str:
        """Return what a quick command prints to standard output.

        Raises:
            StackError: it fails (its last words are quoted) or takes longer than two minutes.
        """
        done = _output([*self.argv, *arguments])
        if done.returncode != 0:
            raise StackError(f"docker compose: {explain(done.stderr)}")
        return done.stdout

    def do(
        self,
        arguments: Sequence[str],
        *,
        what: str,
        within: float,
        report: Report | None = None,
    ) -> str:
        """Run a command that takes its time, at most `within` seconds, and tell its progress as `what`.

        Raises:
            StackError: it fails (its last words are quoted) or takes longer.
        """
        step = Step(what, report)
        printed = run(
            [*self.argv, *arguments],
            step=step,
            within=within,
            environment={**os.environ, "COMPOSE_PROGRESS": "plain", "COMPOSE_ANSI": "never"},
            detail=lambda line: line.strip()[:60],
        )
        step.tell(finished=True)
        return printed


def find() -> Compose:
    """Return the Compose of this machine, once an engine answers.

    Raises:
        StackError: there is no Docker, no Compose v2, or no engine that answers; with what to do about it.
    """
    floor = facts_of("docker-compose").floor
    docker = shutil.which("docker")
    compose: Compose | None = None
    if docker is not None:
        done = _output([docker, "compose", "version"])
        found = version.printed(done.stdout) if done.returncode == 0 else None
        if found is not None and found >= floor:
            compose = Compose((docker, "compose"))
    if compose is None:
        engine = engines.find("docker-compose")
        if engine is None:
            raise StackError(
                f"no Docker Compose of version {floor} or later",
                hint="install Docker's compose plugin, or: obs stack install docker-compose; "
                "without containers: --runtime native",
            )
        compose = Compose((str(engine.path),))
    _require_engine(compose)
    return compose


def _require_engine(compose: Compose) -> None:
    done = _output([*compose.argv, "ls", "--quiet"])
    if done.returncode == 0:
        return
    reason = explain(done.stderr)
    if "permission denied" in reason.lower():
        raise StackError(
            "this user may not talk to the Docker engine",
            hint="become a member of the group docker, or run the engine rootless; without containers: --runtime native",
        )
    raise StackError(
        f"no Docker engine answers: {reason}",
        hint="start Docker, or name its socket in DOCKER_HOST; without containers: --runtime native",
    )


def explain(words: str) -> str:
    """Return the last line of what Docker said, where the cause stands."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return lines[-1].removeprefix("Error response from daemon: ")[:400] if lines else "it printed nothing"


def _output(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StackError(f"{' '.join(argv[:2])} did not answer within {_ASK_WITHIN:g} s") from None
    except OSError as error:
        raise StackError(f"{argv[0]} does not start: {error.strerror}") from None
