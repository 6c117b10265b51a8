"""Prometheus of the full stack: the committed configuration, a login, and the rules of who runs here."""

from __future__ import annotations

from obs.stack import render
from obs.stack.launches.launch import Check, Launch
from obs.stack.launches.rules import rules
from obs.stack.launches.setup import Setup

_CONFIG = ("stack", "prometheus", "prometheus.yml")


def prometheus(setup: Setup) -> Launch:
    """Return how Prometheus is started.

    Raises:
        ConfigError: a rule file or target file is missing, or an interval is no duration.
    """
    engine, directory = setup.found["prometheus"], setup.directory("prometheus")
    tool = setup.tool("promtool", engine)
    config = directory / "prometheus.yml"
    known = rules(setup, "prometheus", setup.config.rule_files())
    return Launch(
        name="prometheus",
        argv=(
            str(engine.path),
            f"--config.file={config}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={setup.site.address('prometheus', 'http')}",
            f"--web.external-url={setup.url('prometheus')}",
            f"--web.config.file={setup.secrets / 'web.yml'}",
            "--web.enable-otlp-receiver",
            f"--enable-feature={','.join(render.prometheus_features(engine.version))}",
        ),
        endpoint=setup.endpoint("prometheus"),
        url=setup.url("prometheus"),
        ports=setup.ports("prometheus"),
        version=str(engine.version),
        route=engine.route,
        directory=directory,
        config=config,
        files={
            "prometheus.yml": render.full_prometheus_config(setup.config, setup.servers, setup.site),
            "targets/targets.json": render.targets(setup.config),
            **{f"rules/{name}": text for name, text in known.shipped.items()},
        },
        links={f"rules/{name}": file for name, file in known.given.items()},
        replaced=("rules", "targets"),
        check=Check("promtool", str(tool.version), (str(tool.path), "check", "config", str(config))),
        login=setup.login,
    )
