"""Grafana of the full stack, where there is one."""

from __future__ import annotations

import os
from pathlib import Path

from obs.errors import StackError
from obs.stack import bundle
from obs.stack.launches.launch import Launch
from obs.stack.launches.setup import Setup
from obs.stack.localise import localise
from obs.stack.relocate import SHARED

#: Where packages of distributions put what the program reads.
_USUAL_HOME = Path("/usr/share/grafana")
_OF_HOME = Path("conf") / "defaults.ini"


def grafana(setup: Setup) -> Launch:
    """Return how Grafana is started.

    Raises:
        StackError: the files that belong to the program are not beside it.
    """
    engine, directory = setup.found["grafana"], setup.directory("grafana")
    config = directory / "grafana.ini"
    data = directory / "data"
    return Launch(
        name="grafana",
        argv=(str(engine.path), "server", f"--homepath={_home(engine.path)}", f"--config={config}"),
        endpoint=setup.endpoint("grafana"),
        url=setup.url("grafana"),
        ports=setup.ports("grafana"),
        version=str(engine.version),
        route=engine.route,
        directory=directory,
        config=config,
        files={
            "grafana.ini": setup.committed("grafana", "stack", "grafana", "grafana.ini"),
            **_provisioning(setup),
        },
        links={"dashboards": setup.config.dashboards or bundle.path("dashboards")},
        replaced=("provisioning",),
        environment={
            **{name: value for name, value in os.environ.items() if not name.startswith("GF_")},
            "GF_PATHS_LOGS": str(data / "log"),
            "GF_PATHS_PLUGINS": str(data / "plugins"),
        },
    )


def _home(program: Path) -> Path:
    for candidate in (
        program.parent / SHARED,
        program.resolve().parent.parent,
        program.resolve().parent,
        _USUAL_HOME,
    ):
        if (candidate / _OF_HOME).is_file():
            return candidate
    raise StackError(f"{_OF_HOME} of Grafana is not beside its program", where=str(program))


def _provisioning(setup: Setup) -> dict[str, str]:
    base = bundle.path("stack", "grafana")
    return {
        str(file.relative_to(base)): localise(file.read_text(encoding="utf-8"), "grafana", setup.site)
        for file in sorted((base / "provisioning").rglob("*"))
        if file.is_file()
    }
