"""The servers' places on the network: loopback only, one port a role, one readiness endpoint each."""

from __future__ import annotations

import base64
import http.client
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice
from pathlib import Path

from obs.errors import ConfigError, StackError, suggest
from obs.stack.servers import FULL, SERVERS, SHOP

#: Nothing of the native stack listens anywhere else.
LOOPBACK = "127.0.0.1"
#: Ports in a row that a process may have for itself, and where such rows begin: below those that systems
#: give to outgoing connections and to whoever asks for any (from 32768 on Linux, 49152 elsewhere).
_BLOCK = 512
_BLOCKS = range(40 * _BLOCK, 64 * _BLOCK, _BLOCK)


@dataclass(frozen=True)
class Endpoint:
    """Where one server listens, and the path that answers 200 once it can do its work."""

    name: str
    port: int
    ready_path: str = "/-/ready"

    @property
    def address(self) -> str:
        """Host and port, as configuration files want it."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """Address for people and links, without a trailing slash."""
        return f"http://{self.address}"


def numbers(
    chosen: Mapping[str, int] | None = None, servers: Iterable[str] = FULL
) -> dict[tuple[str, str], int]:
    """Return the loopback port of each server and role, the `chosen` one where it is given.

    Keys of `chosen` are `SERVER` for the port that people open, or `SERVER.ROLE`. Ports of `servers`
    must differ; what does not run holds none.

    Raises:
        ConfigError: an unknown server or role, a port outside 1 to 65535, or one port for two of them.
    """
    known, servers = {**SERVERS, **SHOP}, tuple(servers)
    wished: dict[tuple[str, str], int] = {}
    for key, number in (chosen or {}).items():
        name, _, role = key.partition(".")
        if name not in known:
            raise ConfigError(
                f"no server of the stack is called {name!r}: it has {', '.join(SERVERS)}",
                hint=suggest(name, known),
            )
        roles = [port.role for port in known[name].ports]
        if role and role not in roles:
            raise ConfigError(
                f"{name} has no port called {role!r}: it has {', '.join(roles)}", hint=suggest(role, roles)
            )
        if not 1 <= number <= 65535:
            raise ConfigError(f"port of {key}: got {number}, expected 1 to 65535")
        wished[name, role or roles[0]] = number
    found = {
        (server.name, port.role): wished.get((server.name, port.role), port.native)
        for server in known.values()
        for port in server.ports
    }
    owners: dict[int, str] = {}
    for (name, role), number in found.items():
        if name not in servers:
            continue
        owner = spell(name, role)
        if number in owners:
            raise ConfigError(f"port {number} is given to {owners[number]} and {owner}")
        owners[number] = owner
    return found


def shifted(servers: Iterable[str], by: int) -> dict[str, int]:
    """Return every port of `servers` moved `by` from its default, as `numbers` takes it; unknown names have none."""
    return {
        spell(name, port.role): port.native + by
        for name in servers
        if name in SERVERS
        for port in SERVERS[name].ports
    }


def spell(name: str, role: str) -> str:
    """Return how a port is called on the command line: `loki` for its first one, else `loki.grpc`."""
    known = {**SERVERS, **SHOP}
    return name if known[name].ports[0].role == role else f"{name}.{role}"


def require_free(endpoint: Endpoint) -> None:
    """Make sure that nobody listens on the endpoint's port yet.

    Raises:
        StackError: the port is taken, or this user may not listen on it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the engines do, so that connections still winding down do not count as a listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, endpoint.port))
            probe.listen()
        except OSError as error:
            raise StackError(
                f"{endpoint.name} wants port {endpoint.port} on {LOOPBACK}, which cannot be had:"
                f" {(error.strerror or str(error)).lower()}",
                hint=f"stop what listens there, or choose another: --port {endpoint.name}=PORT",
            ) from None


def free() -> int:
    """Return a loopback port that nobody listens on just now; it is none of the last three hundred of this process.

    Nor does the system give it to others until its server listens, or another process that asks here. One whose
    server ended a moment ago is passed over, too: its last connections keep it for a minute.

    Raises:
        StackError: every port that may be given is taken.
    """
    for _ in range(_BLOCK):
        port = next(_own_ports())
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise StackError(f"none of {_BLOCK} ports tried on {LOOPBACK} is free")


@cache
def _own_ports() -> Iterator[int]:
    """Return the ports of the first block that is no other process's, again and again.

    Who listens nowhere but holds the first of them has the block; the system lets go of it with the process.
    """
    for first in _BLOCKS:
        holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            holder.bind((LOOPBACK, first))
        except OSError:
            holder.close()
            continue
        holder.detach()
        return cycle(range(first + 1, first + _BLOCK))
    # More processes than blocks: better a port that another one may want as well than none.
    return islice(cycle(range(_BLOCKS.start, _BLOCKS.stop)), os.getpid() % _BLOCK, None)


def answers(port: int, path: str, *, timeout: float = 2.0, login: tuple[str, Path] | None = None) -> bool:
    """Tell whether GET `path` on the loopback `port` answers 200 within `timeout` seconds.

    `login` is a name and the file of a password, for basic authentication. No proxy is asked, whatever
    the environment says: the server is on this machine.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout)
    headers = {}
    try:
        if login is not None:
            both = f"{login[0]}:{login[1].read_text(encoding='utf-8').strip()}"
            headers["Authorization"] = "Basic " + base64.b64encode(both.encode()).decode()
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
