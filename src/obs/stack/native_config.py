"""What the native runtime is asked to run: which servers, where, on which ports, by which rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from obs.errors import ConfigError
from obs.stack.duration import milliseconds
from obs.stack.home import home
from obs.stack.servers import SMALL


def default_directory() -> Path:
    """Return where the native stack keeps its state unless told otherwise."""
    return home() / "stack"


@dataclass(frozen=True)
class Target:
    """One address to scrape (``127.0.0.1:8000``) and its identity: service, environment, instance."""

    address: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NativeConfig:
    """Everything `up` needs; each value left out falls back to the base configuration in `stack/`.

    Attributes:
        directory: where configuration, data, logs and pid files go.
        servers: which servers; `obs.stack.servers.SMALL` or `FULL`, or a choice of names. Everything
            beyond Prometheus and Alertmanager makes it a full stack, whose two ask for a password.
        ports: server to port, such as ``{"prometheus": 19090}``, or server and role to port, such as
            ``{"collector.otlp_grpc": 24317}``; others keep their defaults.
        rules: rule files of Prometheus, or directories of them (``*.yml``, ``*.yaml``). A full stack
            also evaluates what ships about the servers that run.
        loki_rules: likewise, of Loki.
        targets: what to scrape.
        target_files: files in Prometheus' file_sd format, read in place and followed while it runs.
        alertmanager_config: a complete configuration of Alertmanager; used in place unless it names
            paths of containers. A full stack shows alerts without notifying anybody where there is none
            or a secret file that it names is missing.
        dashboards: directory of dashboards for Grafana; default: those that ship.
        runbooks: directory of runbooks; default: those that ship.
        scrape_interval: a Prometheus duration, such as ``2s``.
        evaluation_interval: a Prometheus duration.
        external_labels: added to whatever leaves this Prometheus.
        routes: how the engines may be had, see `obs.stack.engines.install`.
    """

    directory: Path = field(default_factory=default_directory)
    servers: Sequence[str] = SMALL
    ports: Mapping[str, int] = field(default_factory=dict)
    rules: Sequence[Path] = ()
    targets: Sequence[Target] = ()
    target_files: Sequence[Path] = ()
    loki_rules: Sequence[Path] = ()
    alertmanager_config: Path | None = None
    dashboards: Path | None = None
    runbooks: Path | None = None
    scrape_interval: str | None = None
    evaluation_interval: str | None = None
    external_labels: Mapping[str, str] = field(default_factory=dict)
    routes: Sequence[str] | None = None

    def is_small(self) -> bool:
        """Tell whether only Prometheus and Alertmanager are asked for."""
        return set(self.servers) <= set(SMALL)

    def rule_files(self) -> list[Path]:
        """Return every rule file of Prometheus, absolute; directories are expanded.

        Raises:
            ConfigError: a path does not exist, or a directory holds no rule file.
        """
        return _expanded(self.rules)

    def loki_rule_files(self) -> list[Path]:
        """Return every rule file of Loki, as `rule_files`."""
        return _expanded(self.loki_rules)

    def require_sense(self) -> None:
        """Make sure that everything which was named exists and every interval is one.

        Raises:
            ConfigError: it does not, or is none.
        """
        for interval, what in (
            (self.scrape_interval, "scrape interval"),
            (self.evaluation_interval, "evaluation interval"),
        ):
            if interval is not None:
                milliseconds(interval, what)
        self.rule_files()
        self.loki_rule_files()
        for path in self.target_files:
            require_file(path, "target file")
        if self.alertmanager_config is not None:
            require_file(self.alertmanager_config, "Alertmanager configuration")
        for folder in (self.dashboards, self.runbooks):
            if folder is not None and not folder.is_dir():
                raise ConfigError("no such directory", where=str(folder))


def _expanded(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix in (".yml", ".yaml"))
            if not inside:
                raise ConfigError("no rule files (*.yml, *.yaml) in this directory", where=str(path))
            found.extend(file.absolute() for file in inside)
        else:
            found.append(require_file(path, "rule file"))
    return found


def require_file(path: Path, what: str) -> Path:
    """Return `path` made absolute.

    Raises:
        ConfigError: no such file.
    """
    if not path.is_file():
        raise ConfigError(f"no such {what}", where=str(path))
    return path.absolute()
