"""Alertmanager of the full stack: the given routes if their secrets are here, else its page alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from obs.stack import render
from obs.stack.launches.launch import Check, Launch
from obs.stack.launches.setup import Setup
from obs.stack.localise import localise_known
from obs.stack.native_config import require_file

_SECRET = re.compile(r"/run/secrets/([\w.-]+)")
_CONTAINER_PATHS = re.compile(r"/(?:run/secrets|etc/(?:alertmanager|obs))/")


@dataclass(frozen=True)
class _Routes:
    """The configuration to use: a file in place, or text to write; `note` says why nobody is notified."""

    path: Path
    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, Path] = field(default_factory=dict)
    note: str = ""


def alertmanager(setup: Setup) -> Launch:
    """Return how Alertmanager is started.

    Raises:
        ConfigError: the given configuration does not exist.
    """
    engine, directory = setup.found["alertmanager"], setup.directory("alertmanager")
    tool = setup.tool("amtool", engine)
    routes = _routes(setup, directory)
    shared = {engine.shared.name: engine.shared} if engine.shared is not None else {}
    return Launch(
        name="alertmanager",
        argv=(
            str(engine.path),
            f"--config.file={routes.path}",
            f"--storage.path={directory / 'data'}",
            f"--web.listen-address={setup.site.address('alertmanager', 'http')}",
            f"--web.external-url={setup.url('alertmanager')}",
            f"--web.config.file={setup.secrets / 'web.yml'}",
            # One server has nobody to gossip with, and the default listens on every interface.
            "--cluster.listen-address=",
        ),
        endpoint=setup.endpoint("alertmanager"),
        url=setup.url("alertmanager"),
        ports=setup.ports("alertmanager"),
        version=str(engine.version),
        route=engine.route,
        directory=directory,
        config=routes.path,
        files=routes.files,
        links={**shared, **routes.links},
        check=Check("amtool", str(tool.version), (str(tool.path), "check-config", str(routes.path))),
        login=setup.login,
        note=routes.note,
    )


def _routes(setup: Setup, directory: Path) -> _Routes:
    own = directory / "alertmanager.yml"
    page_only = {"alertmanager.yml": render.alertmanager_config()}
    if setup.config.alertmanager_config is None:
        return _Routes(own, page_only, note="notifies nobody: no --alertmanager-config was given")
    given = require_file(setup.config.alertmanager_config, "Alertmanager configuration")
    text = given.read_text(encoding="utf-8", errors="replace")
    missing = sorted({name for name in _SECRET.findall(text) if not (setup.secrets / name).is_file()})
    if missing:
        note = f"notifies nobody: {given.name} wants {', '.join(missing)} in {setup.secrets}"
        return _Routes(own, page_only, note=note)
    if not _CONTAINER_PATHS.search(text):
        # Used in place: it may name files relative to itself.
        return _Routes(given)
    templates = given.parent / "templates"
    return _Routes(
        own,
        {
            "alertmanager.yml": render.HEADER.format(name=given.name)
            + localise_known(text, "alertmanager", setup.site)
        },
        {"templates": templates} if templates.is_dir() else {},
    )
