"""Turn a native configuration into commands: which engine, which arguments, which files, checked first."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from obs.errors import ConfigError, StackError
from obs.stack import engines, render
from obs.stack.engine import Engine
from obs.stack.native_config import NativeConfig, require_file
from obs.stack.ports import Endpoint, endpoints
from obs.stack.process import Program, Running
from obs.stack.progress import Report, Step
from obs.stack.version import Version, parse

#: Server -> the tool that checks its configuration, and how.
_CHECKERS = {
    "prometheus": ("promtool", ("check", "config")),
    "alertmanager": ("amtool", ("check-config",)),
}

#: Seconds; checking a thousand rules takes well under one.
_CHECK_WITHIN = 60.0


@dataclass(frozen=True)
class Launch:
    """One server ready to be started: `files` are written into `directory` before."""

    name: str
    engine: Engine
    checker: Engine
    endpoint: Endpoint
    directory: Path
    config: Path
    arguments: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)

    def is_written(self) -> bool:
        """Tell whether the files in the directory are those of this launch."""
        try:
            return all(
                (self.directory / name).read_text(encoding="utf-8") == text
                for name, text in self.files.items()
            )
        except OSError:
            return False

    def program(self, log: Path, pid_file: Path) -> Program:
        """Return what to start."""
        return Program(
            name=self.name,
            argv=(str(self.engine.path), *self.arguments),
            log=log,
            endpoint=self.endpoint,
            pid_file=pid_file,
            directory=self.directory,
            details={
                "url": self.endpoint.url,
                "version": str(self.engine.version),
                "route": self.engine.route,
            },
        )


def plan(config: NativeConfig, running: Mapping[str, Running], report: Report | None) -> list[Launch]:
    """Return how each server is started; engines that are missing are installed.

    What runs already counts with the version it has, so that the same request gives the same plan.

    Raises:
        ConfigError: a port is impossible, a file is missing, or an interval is no duration.
        StackError: an engine cannot be had.
    """
    places = endpoints(config.ports)
    config.rule_files()  # Said before minutes are spent on engines.
    found = engines.install(routes=config.routes, report=report)
    directory = config.directory.absolute()

    def version(name: str) -> Version:
        known = parse(running[name].details.get("version", "")) if name in running else None
        return known or found[name].version

    # Alertmanager first: Prometheus has alerts to send from its first evaluation on.
    return [
        _alertmanager(config, directory / "alertmanager", places["alertmanager"], found),
        _prometheus(config, directory / "prometheus", places, found, version("prometheus")),
    ]


def write(config: NativeConfig, launches: list[Launch]) -> None:
    """Write the configuration files of `launches`.

    Raises:
        StackError: the state directory cannot be written.
    """
    try:
        for launch in launches:
            (launch.directory / "data").mkdir(parents=True, exist_ok=True)
            for name, text in launch.files.items():
                (launch.directory / name).write_text(text, encoding="utf-8")
            if launch.engine.shared is not None:
                link = launch.directory / launch.engine.shared.name
                link.unlink(missing_ok=True)
                link.symlink_to(launch.engine.shared)
    except OSError as error:
        raise StackError(
            f"cannot write the configuration: {error.strerror}", where=str(config.directory)
        ) from None


def check(launch: Launch, report: Report | None) -> None:
    """Have the configuration checked by the engine's own tool.

    Raises:
        ConfigError: it is refused; the tool's words are quoted.
        StackError: the tool does not start, or does not end.
    """
    tool, arguments = _CHECKERS[launch.name]
    step = Step(f"checking the configuration of {launch.name} with {tool} {launch.checker.version}", report)
    try:
        done = subprocess.run(
            [str(launch.checker.path), *arguments, str(launch.config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_CHECK_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StackError(f"{tool} did not end within {_CHECK_WITHIN:g} s") from None
    except OSError as error:
        raise StackError(f"{tool} does not start: {error.strerror}", where=str(launch.checker.path)) from None
    if done.returncode != 0:
        words = done.stdout.decode(errors="replace").strip()
        raise ConfigError(
            f"{tool} refuses the configuration of {launch.name}:\n    " + words.replace("\n", "\n    "),
            where=str(launch.config),
        )
    step.tell(finished=True)


def _prometheus(
    config: NativeConfig,
    directory: Path,
    places: Mapping[str, Endpoint],
    found: Mapping[str, Engine],
    version: Version,
) -> Launch:
    endpoint = places["prometheus"]
    return Launch(
        name="prometheus",
        engine=found["prometheus"],
        checker=_checker("promtool", found["prometheus"], found),
        endpoint=endpoint,
        directory=directory,
        config=directory / "prometheus.yml",
        arguments=(
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={endpoint.address}",
            f"--web.external-url={endpoint.url}",
            f"--enable-feature={','.join(render.prometheus_features(version))}",
        ),
        files={
            "prometheus.yml": render.prometheus_config(config, places, version),
            "targets.json": render.targets(config),
        },
    )


def _alertmanager(
    config: NativeConfig, directory: Path, endpoint: Endpoint, found: Mapping[str, Engine]
) -> Launch:
    given = config.alertmanager_config
    # A given file is used in place: it may name secret files relative to itself.
    path = require_file(given, "Alertmanager configuration") if given else directory / "alertmanager.yml"
    return Launch(
        name="alertmanager",
        engine=found["alertmanager"],
        checker=_checker("amtool", found["alertmanager"], found),
        endpoint=endpoint,
        directory=directory,
        config=path,
        arguments=(
            f"--config.file={path}",
            f"--storage.path={directory / 'data'}",
            f"--web.listen-address={endpoint.address}",
            f"--web.external-url={endpoint.url}",
            # One server has nobody to gossip with, and the default listens on every interface.
            "--cluster.listen-address=",
        ),
        files={} if given else {"alertmanager.yml": render.alertmanager_config()},
    )


def _checker(tool: str, server: Engine, found: Mapping[str, Engine]) -> Engine:
    """Return the tool that came with the server: another version may accept what the server refuses."""
    return engines.find(tool, server.route) or found[tool]
