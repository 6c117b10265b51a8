"""Who of the stack gets a certificate, and the names under which it is reached."""

from __future__ import annotations

from collections.abc import Iterable

from obs.errors import ConfigError, suggest
from obs.stack.certs.authority import Subject, is_host
from obs.stack.servers import SERVERS

#: Shown by whoever only calls: people with curl, services that send OTLP.
CLIENT = "client"

#: How a server is reached from its own machine, by its health probe and by published ports.
_LOCAL = ("localhost", "127.0.0.1")


def subjects(extra: Iterable[tuple[str, str]] = ()) -> dict[str, Subject]:
    """Return everybody's subject, called like their servers; `extra` are pairs of a server and one more host by which it is reached.

    Raises:
        ConfigError: no such server, or no host name or address.
    """
    hosts = {name: [name, *_LOCAL] for name in SERVERS}
    for name, host in extra:
        if name not in hosts:
            raise ConfigError(
                f"no server of the stack is called {name!r}: it has {', '.join(SERVERS)}",
                hint=suggest(name, SERVERS),
            )
        if not is_host(host):
            raise ConfigError(f"host of {name}: got {host!r}, expected a DNS name or an IP address")
        if host not in hosts[name]:
            hosts[name].append(host)
    found = {name: Subject(name, tuple(names)) for name, names in hosts.items()}
    return {**found, CLIENT: Subject(CLIENT, is_server=False)}
