"""The backends of the stack with the committed files: the command lines of compose, localised, on free ports.

One set of processes serves all tests of this folder. Tempo takes part where its program is given: on PATH
or by OBS_TEMPO.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.engines.backends.running import ROOT, Backends

from obs.stack import engines, secret_files
from obs.stack.localise import Site, localise
from obs.stack.ports import free
from obs.stack.servers import SERVERS, SHOP

SERVED = ("alertmanager", "collector", "loki", "prometheus", "tempo")
#: What a server's program is called, where it is called otherwise.
ENGINES = {"collector": "otelcol"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of this folder in one worker, where the distribution heeds groups, which it reads next: they share processes."""
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.xdist_group("backends"))


def tempo_program() -> str | None:
    """Return the program of Tempo that is given, or None."""
    return os.environ.get("OBS_TEMPO") or shutil.which("tempo")


def _prepare(directory: Path, programs: Mapping[str, str]) -> Backends:
    numbers = {
        (server.name, port.role): free()
        for server in (*SERVERS.values(), *SHOP.values())
        for port in server.ports
    }
    backends = Backends(Site(directory, numbers), programs)
    secret_files.ensure(backends.secrets)
    web = secret_files.web_config(backends.secrets)
    for name in SERVED:
        folder = backends.directory(name)
        (folder / "data").mkdir(parents=True)
        committed = ROOT / "collector" if name == "collector" else ROOT / "stack" / name
        for file in committed.glob(f"{name}.yml"):
            text = localise(file.read_text(encoding="utf-8"), name, backends.site)
            # Nobody waits a quarter of a minute for a scrape.
            text = re.sub(r"(scrape|evaluation)_interval: 15s", r"\1_interval: 1s", text).replace(
                "scrape_timeout: 10s", "scrape_timeout: 1s"
            )
            (folder / file.name).write_text(text, encoding="utf-8")
    for name in ("prometheus", "alertmanager"):
        (backends.directory(name) / "web.yml").write_text(web, encoding="utf-8")
    alerts = ROOT / "alerts"
    shutil.copytree(alerts / "prometheus", backends.directory("prometheus") / "rules")
    shutil.copytree(alerts / "loki", backends.directory("loki") / "rules" / "fake")
    shutil.copytree(alerts / "templates", backends.directory("alertmanager") / "templates")
    shutil.copy(alerts / "alertmanager.yml", backends.directory("alertmanager") / "alertmanager.yml")
    (backends.directory("prometheus") / "targets").mkdir()
    (directory / "log" / "services").mkdir(parents=True)
    return backends


@pytest.fixture(scope="session")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    """Prometheus, Alertmanager, Loki and, where it is given, Tempo."""
    names = [name for name in SERVED if name != "tempo"]
    found = engines.install([ENGINES.get(name, name) for name in names], routes=["go"])
    programs = {name: str(found[ENGINES.get(name, name)].path) for name in names}
    tempo = tempo_program()
    if tempo:
        programs["tempo"] = tempo
    running = _prepare(tmp_path_factory.mktemp("backends"), programs)
    try:
        running.start(*programs)
        yield running
    finally:
        running.stop(*running.running)
