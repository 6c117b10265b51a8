"""Plan a native stack: which servers run here, by which engines, and how each is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from obs.errors import ConfigError, StackError, suggest
from obs.stack import engines, secret_files
from obs.stack.engine import Engine
from obs.stack.launches import small
from obs.stack.launches.alertmanager import alertmanager
from obs.stack.launches.collector import collector
from obs.stack.launches.grafana import grafana
from obs.stack.launches.launch import Launch
from obs.stack.launches.loki import loki
from obs.stack.launches.prometheus import prometheus
from obs.stack.launches.runbooks import runbooks
from obs.stack.launches.setup import Setup
from obs.stack.launches.tempo import tempo
from obs.stack.localise import Site, require_plain
from obs.stack.native_config import NativeConfig
from obs.stack.ports import numbers
from obs.stack.process import Running
from obs.stack.progress import Report
from obs.stack.servers import SERVERS, START_ORDER
from obs.stack.table import FULL_FLOORS
from obs.stack.version import Version, parse

_FULL: Mapping[str, Callable[[Setup], Launch]] = MappingProxyType(
    {
        "prometheus": prometheus,
        "alertmanager": alertmanager,
        "loki": loki,
        "tempo": tempo,
        "collector": collector,
        "grafana": grafana,
        "runbooks": runbooks,
    }
)

#: Server -> the tool that judges its configuration, where that is a program of its own.
_TOOLS: Mapping[str, str] = MappingProxyType({"prometheus": "promtool", "alertmanager": "amtool"})


@dataclass(frozen=True)
class Plan:
    """The launches in the order of starting, and why each server that was asked for is left out."""

    launches: list[Launch]
    skipped: Mapping[str, str] = field(default_factory=dict)


def require_possible(config: NativeConfig) -> None:
    """Make sure that what is asked for makes sense, whatever engines there are.

    Raises:
        ConfigError: an unknown server, an impossible port, a missing file, an interval that is none, or a
            directory whose name cannot stand in configuration.
    """
    for name in config.servers:
        if name not in SERVERS:
            raise ConfigError(f"no server of the stack is called {name!r}", hint=suggest(name, SERVERS))
    numbers(config.ports, config.servers)
    config.require_sense()
    if not config.is_small():
        require_plain(config.directory.absolute())


def plan(config: NativeConfig, running: Mapping[str, Running], report: Report | None) -> Plan:
    """Return how each server is started; engines that are missing are installed.

    What runs already counts with the version it has, so that the same request gives the same plan.

    Raises:
        ConfigError: a file is missing, or a configuration cannot be read.
        StackError: an engine cannot be had.
    """
    directory = config.directory.absolute()
    found, skipped = _engines(config, report)
    servers = tuple(name for name in SERVERS if name in config.servers and name not in skipped)
    setup = Setup(config, servers, Site(directory, numbers(config.ports, servers)), found)
    order = [name for name in START_ORDER if name in servers]
    if config.is_small():
        return Plan([_small(name, setup, running) for name in order])
    secret_files.ensure(setup.secrets)
    secret_files.web_config(setup.secrets)
    return Plan([_FULL[name](setup) for name in order], skipped)


def _small(name: str, setup: Setup, running: Mapping[str, Running]) -> Launch:
    if name == "alertmanager":
        return small.alertmanager(setup)
    return small.prometheus(setup, _version(name, setup.found, running))


def _version(name: str, found: Mapping[str, Engine], running: Mapping[str, Running]) -> Version:
    known = parse(running[name].details.get("version", "")) if name in running else None
    return known or found[name].version


def _engines(config: NativeConfig, report: Report | None) -> tuple[dict[str, Engine], dict[str, str]]:
    """Return the engines at hand or installed, and why each optional server without one is skipped."""
    found: dict[str, Engine] = {}
    skipped: dict[str, str] = {}
    wanted: list[str] = []
    for name in config.servers:
        server = SERVERS[name]
        if server.optional:
            engine = engines.find(server.engine)
            if engine is None:
                # One line of 80 columns together with the name and the state.
                skipped[name] = (
                    f"missing: obs stack install {server.engine}, or OBS_{server.engine.upper()}=FILE"
                )
            else:
                found[server.engine] = engine
        elif server.engine:
            wanted.append(server.engine)
            wanted += [_TOOLS[name]] if name in _TOOLS else []
    floors = {} if config.is_small() else FULL_FLOORS
    try:
        found.update(engines.install(wanted, routes=config.routes, floors=floors, report=report))
    except StackError as error:
        if config.is_small():
            raise
        hint = f"{error.hint}; or run fewer servers, such as --only prometheus --only alertmanager"
        raise StackError(error.message, where=error.where, hint=hint) from None
    return found, skipped
