"""What the native runtime is asked to run: where, on which ports, scraping whom, by which rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from obs.errors import ConfigError
from obs.stack.home import home


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
        ports: server to port, such as ``{"prometheus": 19090}``; others keep their defaults.
        rules: rule files, or directories of rule files (``*.yml``, ``*.yaml``).
        targets: what to scrape.
        target_files: files in Prometheus' file_sd format, read in place and followed while it runs.
        alertmanager_config: a complete configuration of Alertmanager, used in place.
        scrape_interval: a Prometheus duration, such as ``2s``.
        evaluation_interval: a Prometheus duration.
        external_labels: added to whatever leaves this Prometheus.
        routes: how the engines may be had, see `obs.stack.engines.install`.
    """

    directory: Path = field(default_factory=default_directory)
    ports: Mapping[str, int] = field(default_factory=dict)
    rules: Sequence[Path] = ()
    targets: Sequence[Target] = ()
    target_files: Sequence[Path] = ()
    alertmanager_config: Path | None = None
    scrape_interval: str | None = None
    evaluation_interval: str | None = None
    external_labels: Mapping[str, str] = field(default_factory=dict)
    routes: Sequence[str] | None = None

    def rule_files(self) -> list[Path]:
        """Return every rule file, absolute; directories are expanded.

        Raises:
            ConfigError: a path does not exist, or a directory holds no rule file.
        """
        found: list[Path] = []
        for path in self.rules:
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
