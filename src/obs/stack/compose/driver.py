"""Start, stop and inspect the stack as containers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from obs.errors import ConfigError, StackError, suggest
from obs.stack import ports, secret_files
from obs.stack.compose import evaluated, mounted, program, readable, service
from obs.stack.compose.config import ComposeConfig
from obs.stack.compose.program import Compose
from obs.stack.compose.service import ServiceStatus
from obs.stack.progress import Report
from obs.stack.servers import SHOP

#: Seconds: the collector, Loki and Prometheus may take a minute each to write down what they hold.
_DOWN_WITHIN = 180.0

#: Docker's own downloads and our builds come before the first container starts.
_IMAGES_WITHIN = 3600.0

#: Lines of a service that did not become healthy, as its log has the cause.
_QUOTED = 5

#: Readable for every user inside a container; the directory keeps the users of this machine away.
_SECRET_MODE, _DIRECTORY_MODE = 0o444, 0o700


def up(config: ComposeConfig, *, report: Report | None = None) -> list[ServiceStatus]:
    """Make the secrets, build the images that are ours, start everything and wait until it is healthy.

    Twice is harmless: what runs already with the same configuration stays as it is. Where a file that is read at the
    start has changed, such as a renewed certificate, containers are made anew; their data stays.

    Raises:
        ConfigError: an unknown server, profile or port.
        StackError: no Docker or Compose; a port is taken; a container cannot read its secrets; an image cannot be
            had; a service does not become healthy, and the end of its log is quoted.
    """
    compose = program.find()
    _prepare(config)
    project = _project(compose, config)
    running = {one.name for one in _services(compose, config) if one.state != service.STOPPED}
    shop = bool({*project["services"], *running} & set(SHOP))
    new_rules = evaluated.prepare(
        config.directory.absolute(), evaluated.addresses(project), shop=shop, tls=config.tls
    )
    readable.require_readable(project)
    _require_free_ports(project, running)
    record = config.directory.absolute() / "mounted"
    anew = bool(running) and not mounted.is_current(project, record)
    options = ["--detach", "--wait", "--wait-timeout", f"{config.within:.0f}"]
    try:
        compose.do(
            [*_base(config), "up", *options, *(["--force-recreate"] if anew else [])],
            what="starting the containers",
            within=_IMAGES_WITHIN + config.within,
            report=report,
        )
        if new_rules and "prometheus" in running:
            # Nothing else tells it: the directory that is mounted is the same.
            compose.ask([*_base(config), "kill", "--signal", "HUP", "prometheus"])
    except StackError as error:
        raise StackError(_why(compose, config, error)) from None
    mounted.remember(project, record)
    return _services(compose, config)


def down(config: ComposeConfig, *, volumes: bool = False, report: Report | None = None) -> list[str]:
    """Stop and remove the containers and networks, the `volumes` with all data as well if asked; return what ran.

    Raises:
        StackError: no Docker or Compose, or the engine refuses.
    """
    compose = program.find()
    stopped = [one.name for one in _services(compose, config)]
    # With the overlay wherever it may have been used: Compose removes the volumes that its files name, and no other.
    everything = replace(config, tls=config.tls or config.places_file.is_file())
    arguments = [*_base(everything, every_profile=True), "down", "--remove-orphans"]
    compose.do(
        [*arguments, *(["--volumes"] if volumes else [])],
        what="stopping the containers",
        within=_DOWN_WITHIN,
        report=report,
    )
    return stopped


def status(config: ComposeConfig) -> list[ServiceStatus]:
    """Return every service that has a container, by name.

    Raises:
        StackError: no Docker or Compose, or the engine refuses.
    """
    return _services(program.find(), config)


def logs(config: ComposeConfig, name: str, lines: int = 50) -> str:
    """Return the last `lines` lines that the service `name` has printed to Docker's log.

    Raises:
        ConfigError: no such service.
        StackError: no Docker or Compose, or the engine refuses.
    """
    compose = program.find()
    known = list(_project(compose, config, every_profile=True)["services"])
    if name not in known:
        raise ConfigError(
            f"no service is called {name!r}: there are {', '.join(known)}", hint=suggest(name, known)
        )
    return _tail(compose, config, name, lines)


def _prepare(config: ComposeConfig) -> None:
    """Make the secrets that are missing, and write down what differs from the defaults."""
    variables = config.variables()
    folder = config.secrets
    secret_files.ensure(folder, mode=_SECRET_MODE)
    secret_files.web_config(folder)
    try:
        folder.chmod(_DIRECTORY_MODE)
        (folder / "web.yml").chmod(_SECRET_MODE)
        for file, values in ((config.places_file, config.places()), (config.environment_file, variables)):
            text = "".join(f"{name}={_quoted(value)}\n" for name, value in sorted(values.items()))
            file.write_text("# Written by `obs stack up`.\n" + text, encoding="utf-8")
    except OSError as error:
        raise StackError(
            f"cannot prepare the secrets: {error.strerror}", where=str(error.filename or folder)
        ) from None
    if config.tls:
        # Only now: reading certificates takes a large library.
        from obs.stack.compose import tls

        tls.prepare(config.directory.absolute(), folder, int(variables["OBS_CERTS_GROUP"]))


def _quoted(value: str) -> str:
    # Within single quotes Compose expands nothing.
    return "'" + value.replace("'", "\\'") + "'"


def _base(config: ComposeConfig, *, every_profile: bool = False) -> list[str]:
    files = config.files()
    # The last one that names a variable counts.
    own = [config.places_file, files[0].parent / ".env", config.environment_file]
    profiles = ["*"] if every_profile else config.profiles
    return [
        *(part for file in files for part in ("--file", str(file))),
        *(part for file in own if file.is_file() for part in ("--env-file", str(file))),
        *(part for profile in profiles for part in ("--profile", profile)),
        *("--project-name", config.project),
    ]


def _project(compose: Compose, config: ComposeConfig, *, every_profile: bool = False) -> dict[str, Any]:
    try:
        printed = compose.ask([*_base(config, every_profile=every_profile), "config", "--format", "json"])
    except StackError as error:
        raise StackError(
            f"the compose files cannot be read with the values given: {error.message}",
            where=str(config.files()[0].parent / ".env"),
            hint="every value is told in .env.example; variables of the environment go before the file",
        ) from None
    project: dict[str, Any] = json.loads(printed)
    return project


def _services(compose: Compose, config: ComposeConfig) -> list[ServiceStatus]:
    return service.parse(compose.ask([*_base(config, every_profile=True), "ps", "--all", "--format", "json"]))


def _require_free_ports(project: Mapping[str, Any], running: set[str]) -> None:
    owners: dict[int, str] = {}
    for name, port in _published(project):
        if port in owners:
            raise ConfigError(f"port {port} is given twice: to {owners[port]} and to {name}")
        owners[port] = name
        if name not in running:
            ports.require_free(ports.Endpoint(name, port))


def _published(project: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, entry in project["services"].items():
        for port in entry.get("ports") or ():
            if str(port.get("published") or "").isdecimal():
                yield name, int(port["published"])


def _tail(compose: Compose, config: ComposeConfig, name: str, lines: int) -> str:
    arguments = ["logs", "--no-color", "--no-log-prefix", "--tail", str(lines), name]
    return compose.ask([*_base(config, every_profile=True), *arguments]).rstrip("\n")


def _why(compose: Compose, config: ComposeConfig, error: StackError) -> str:
    """Return the failure, with the last lines of each service that is not ready."""
    try:
        failing = service.not_ready(_services(compose, config))
        quoted = [
            f"{name}:\n        " + _tail(compose, config, name, _QUOTED).replace("\n", "\n        ")
            for name in failing
        ]
    except StackError:
        return error.message
    return "\n    ".join([error.message, *quoted])
