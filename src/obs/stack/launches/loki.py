"""Loki of the full stack."""

from __future__ import annotations

from obs.stack.launches.launch import Check, Launch
from obs.stack.launches.rules import rules
from obs.stack.launches.setup import Setup

#: The one tenant of a Loki that asks for none.
_TENANT = "fake"


def loki(setup: Setup) -> Launch:
    """Return how Loki is started."""
    engine, directory = setup.found["loki"], setup.directory("loki")
    config = directory / "loki.yml"
    known = rules(setup, "loki", setup.config.loki_rule_files())
    return Launch(
        name="loki",
        argv=(str(engine.path), f"-config.file={config}"),
        endpoint=setup.endpoint("loki"),
        url=setup.url("loki"),
        ports=setup.ports("loki"),
        version=str(engine.version),
        route=engine.route,
        directory=directory,
        config=config,
        files={
            "loki.yml": setup.committed("loki", "stack", "loki", "loki.yml"),
            **{f"rules/{_TENANT}/{name}": text for name, text in known.shipped.items()},
        },
        links={f"rules/{_TENANT}/{name}": file for name, file in known.given.items()},
        replaced=(f"rules/{_TENANT}",),
        check=Check(
            "loki", str(engine.version), (str(engine.path), f"-config.file={config}", "-verify-config")
        ),
    )
