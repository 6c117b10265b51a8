"""One server ready to be started: what is written into its directory, checked and run there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from obs.stack.ports import Endpoint
from obs.stack.process import Program
from obs.stack.servers import SERVERS


@dataclass(frozen=True)
class Check:
    """How a configuration is judged before anything starts: by the server's own tool, never by us."""

    tool: str
    version: str
    argv: tuple[str, ...]


@dataclass(frozen=True)
class Launch:
    """One server: `files` are written into `directory` and `links` made there before it is checked and run.

    Attributes:
        name: the server.
        argv: the program and its arguments.
        endpoint: where it tells that it is ready.
        url: where people and senders reach it.
        ports: every port that it will listen on, by role.
        version: of its program.
        route: how the program came here.
        directory: its own, in which it runs.
        config: the file that a refusal is about.
        files: text by path below the directory.
        links: where to, by path below the directory.
        replaced: directories below the directory that hold nothing but `files` and `links`.
        environment: the whole environment of the process; None for that of this program.
        check: how the configuration is judged; None where the server has no means for it.
        login: name and password file that readiness asks for.
        note: what a person should know about the way it runs; empty for nothing.
    """

    name: str
    argv: tuple[str, ...]
    endpoint: Endpoint
    url: str
    ports: Mapping[str, int]
    version: str
    route: str
    directory: Path
    config: Path
    files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, Path] = field(default_factory=dict)
    replaced: Sequence[str] = ()
    environment: Mapping[str, str] | None = None
    check: Check | None = None
    login: tuple[str, Path] | None = None
    note: str = ""

    def unwritten(self) -> str | None:
        """Return the first file or link in the directory that is not that of this launch; None where all are."""
        return next((name for name in (*self.files, *self.links) if not self._is_written(name)), None)

    def _is_written(self, name: str) -> bool:
        place = self.directory / name
        try:
            if name in self.links:
                return place.readlink() == self.links[name]
            return place.read_text(encoding="utf-8") == self.files[name]
        except OSError:
            return False

    def program(self, log: Path, pid_file: Path) -> Program:
        """Return what to start."""
        details = {"url": self.url, "version": self.version, "route": self.route}
        if self.login is not None:
            details["user"], details["password_file"] = self.login[0], str(self.login[1])
        return Program(
            name=self.name,
            argv=self.argv,
            log=log,
            endpoint=self.endpoint,
            pid_file=pid_file,
            environment=self.environment,
            directory=self.directory,
            ready_within=SERVERS[self.name].ready_within,
            stop_within=SERVERS[self.name].stop_within,
            details={**details, "ready_port": str(self.endpoint.port)},
            login=self.login,
        )
