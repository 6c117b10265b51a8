"""Tempo of the full stack, where there is one."""

from __future__ import annotations

from obs.stack.launches.launch import Check, Launch
from obs.stack.launches.setup import Setup


def tempo(setup: Setup) -> Launch:
    """Return how Tempo is started."""
    engine, directory = setup.found["tempo"], setup.directory("tempo")
    config = directory / "tempo.yml"
    return Launch(
        name="tempo",
        argv=(str(engine.path), f"-config.file={config}", "-target=all"),
        endpoint=setup.endpoint("tempo"),
        url=setup.url("tempo"),
        ports=setup.ports("tempo"),
        version=str(engine.version),
        route=engine.route,
        directory=directory,
        config=config,
        files={"tempo.yml": setup.committed("tempo", "stack", "tempo", "tempo.yml")},
        check=Check(
            "tempo", str(engine.version), (str(engine.path), f"-config.file={config}", "-config.verify=true")
        ),
    )
