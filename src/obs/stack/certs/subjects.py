"""Who of the stack gets a certificate, and the names under which it is reached."""

from __future__ import annotations

from collections.abc import Iterable

from obs.errors import ConfigError, suggest
from obs.stack.certs import authority, folder
from obs.stack.certs.authority import Subject, is_host
from obs.stack.certs.folder import Folder
from obs.stack.certs.inspection import CA
from obs.stack.servers import SERVERS

#: Shown by whoever only calls: people with curl, services that send OTLP.
CLIENT = "client"

#: How a server is reached from its own machine, by its health probe and by published ports.
_LOCAL = ("localhost", "127.0.0.1")


def subjects(extra: Iterable[tuple[str, str]] = (), services: Iterable[str] = ()) -> dict[str, Subject]:
    """Return everybody's subject, called like their servers and `services`, which Prometheus scrapes.

    `extra` are pairs of one of them and one more host by which it is reached.

    Raises:
        ConfigError: no such server or service, or no host name or address.
    """
    hosts = {name: [name, *_LOCAL] for name in SERVERS}
    for name in services:
        if not is_host(name) or "*" in name or name in (CLIENT, CA):
            raise ConfigError(f"service: got {name!r}, expected the name by which Prometheus reaches it")
        hosts[name] = [name, *_LOCAL]
    for name, host in extra:
        if name not in hosts:
            raise ConfigError(
                f"no server of the stack is called {name!r}: it has {', '.join(hosts)}",
                hint=suggest(name, hosts),
            )
        if not is_host(host):
            raise ConfigError(f"host of {name}: got {host!r}, expected a DNS name or an IP address")
        if host not in hosts[name]:
            hosts[name].append(host)
    found = {name: Subject(name, tuple(names)) for name, names in hosts.items()}
    return {**found, CLIENT: Subject(CLIENT, is_server=False)}


def served(place: Folder) -> list[str]:
    """Return the services of yours that have a certificate in this folder: they keep it until it is taken away.

    Raises:
        StackError: a file cannot be read.
    """
    trusted = folder.read(place.authority_certificate_path) or b""
    return [
        file.stem
        for file in sorted(place.directory.glob("*.crt"))
        if file.stem not in (*SERVERS, CLIENT, CA)
        and authority.is_issued_by(folder.read(file) or b"", trusted)
    ]
