"""The OpenTelemetry Collector of the full stack: the base, and the service graph where its binary has that."""

from __future__ import annotations

import subprocess
from pathlib import Path

from obs.errors import StackError
from obs.stack import bundle, render
from obs.stack.launches.launch import Check, Launch
from obs.stack.launches.setup import Setup
from obs.stack.servers import SERVERS

_BASE = "collector.yml"
_SERVICE_GRAPH = "service-graph.yml"
#: What is written here about servers that do not run here.
_AWAY = "away.yml"
#: An offset is kept only after its lines are in the queue on disk: a kill loses none.
_GATES = "--feature-gates=stanza.synchronousLogEmitter"
_COMPONENTS_WITHIN = 30.0


def collector(setup: Setup) -> Launch:
    """Return how the collector is started."""
    engine, directory = setup.found["otelcol"], setup.directory("collector")
    names = [_BASE]
    if (bundle.root() / "collector" / _SERVICE_GRAPH).is_file() and _has_service_graph(engine.path):
        names.append(_SERVICE_GRAPH)
    files = {name: setup.committed("collector", "collector", name) for name in names}
    away = render.collector_without(_servers_away(setup))
    if away:
        files[_AWAY] = away
    configs = tuple(f"--config={directory / name}" for name in files)
    return Launch(
        name="collector",
        argv=(str(engine.path), _GATES, *configs),
        endpoint=setup.endpoint("collector"),
        url=setup.url("collector", "otlp_http"),
        ports=setup.ports("collector"),
        version=str(engine.version),
        route=engine.route,
        directory=directory,
        config=directory / _BASE,
        files=files,
        check=Check("otelcol", str(engine.version), (str(engine.path), "validate", _GATES, *configs)),
    )


def _servers_away(setup: Setup) -> list[str]:
    """Return the servers that nothing is to be sent to: a queue for them would only fill the disk.

    One that was not asked for, on a port that was chosen, is somebody else's and gets what is its.
    """
    chosen = {key.partition(".")[0] for key in setup.config.ports}
    return [
        name
        for name in SERVERS
        if name not in setup.servers and (name in setup.config.servers or name not in chosen)
    ]


def _has_service_graph(program: Path) -> bool:
    try:
        done = subprocess.run(
            [str(program), "components"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_COMPONENTS_WITHIN,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"cannot tell its components: {error}", where=str(program)) from None
    return any(name in done.stdout for name in (b"service_graph", b"servicegraph"))
