"""Prometheus and Alertmanager of the small stack: no login, no committed addresses, versions as old as Debian's."""

from __future__ import annotations

from obs.stack import render
from obs.stack.launches.launch import Check, Launch
from obs.stack.launches.setup import Setup
from obs.stack.native_config import require_file
from obs.stack.version import Version


def prometheus(setup: Setup, version: Version) -> Launch:
    """Return how Prometheus of this `version` is started."""
    engine, directory = setup.found["prometheus"], setup.directory("prometheus")
    tool = setup.tool("promtool", engine)
    places = {name: setup.endpoint(name) for name in setup.servers}
    config = directory / "prometheus.yml"
    return Launch(
        name="prometheus",
        argv=(
            str(engine.path),
            f"--config.file={config}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={places['prometheus'].address}",
            f"--web.external-url={places['prometheus'].url}",
            f"--enable-feature={','.join(render.prometheus_features(version))}",
        ),
        endpoint=places["prometheus"],
        url=places["prometheus"].url,
        ports=setup.ports("prometheus"),
        version=str(engine.version),
        route=engine.route,
        directory=directory,
        config=config,
        files={
            "prometheus.yml": render.prometheus_config(setup.config, places, version),
            "targets.json": render.targets(setup.config),
        },
        check=Check("promtool", str(tool.version), (str(tool.path), "check", "config", str(config))),
    )


def alertmanager(setup: Setup) -> Launch:
    """Return how Alertmanager is started."""
    engine, directory = setup.found["alertmanager"], setup.directory("alertmanager")
    tool = setup.tool("amtool", engine)
    given = setup.config.alertmanager_config
    # A given file is used in place: it may name secret files relative to itself.
    config = require_file(given, "Alertmanager configuration") if given else directory / "alertmanager.yml"
    endpoint = setup.endpoint("alertmanager")
    return Launch(
        name="alertmanager",
        argv=(
            str(engine.path),
            f"--config.file={config}",
            f"--storage.path={directory / 'data'}",
            f"--web.listen-address={endpoint.address}",
            f"--web.external-url={endpoint.url}",
            # One server has nobody to gossip with, and the default listens on every interface.
            "--cluster.listen-address=",
        ),
        endpoint=endpoint,
        url=endpoint.url,
        ports=setup.ports("alertmanager"),
        version=str(engine.version),
        route=engine.route,
        directory=directory,
        config=config,
        files={} if given else {"alertmanager.yml": render.alertmanager_config()},
        links={engine.shared.name: engine.shared} if engine.shared is not None else {},
        check=Check("amtool", str(tool.version), (str(tool.path), "check-config", str(config))),
    )
