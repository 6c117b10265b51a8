"""The engines' places on the network: loopback only, one default port each, one readiness endpoint each."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from obs.errors import ConfigError, StackError, suggest

#: Nothing of the native stack listens anywhere else.
LOOPBACK = "127.0.0.1"


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

    @property
    def ready_url(self) -> str:
        """Address that answers 200 when the server is ready."""
        return self.url + self.ready_path


SERVERS: Mapping[str, Endpoint] = MappingProxyType(
    {
        "prometheus": Endpoint("prometheus", 9090),
        "alertmanager": Endpoint("alertmanager", 9093),
    }
)


def endpoints(chosen: Mapping[str, int] | None = None) -> dict[str, Endpoint]:
    """Return every server's endpoint, on the `chosen` port where one is given.

    Raises:
        ConfigError: an unknown server, a port outside 1 to 65535, or one port for two servers.
    """
    chosen = chosen or {}
    for name, port in chosen.items():
        if name not in SERVERS:
            raise ConfigError(
                f"no server of the stack is called {name!r}: it has {', '.join(SERVERS)}",
                hint=suggest(name, SERVERS),
            )
        if not 1 <= port <= 65535:
            raise ConfigError(f"port of {name}: got {port}, expected 1 to 65535")
    found = {
        name: Endpoint(name, chosen.get(name, server.port), server.ready_path)
        for name, server in SERVERS.items()
    }
    owners: dict[int, str] = {}
    for endpoint in found.values():
        if endpoint.port in owners:
            raise ConfigError(f"port {endpoint.port} is given to {owners[endpoint.port]} and {endpoint.name}")
        owners[endpoint.port] = endpoint.name
    return found


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
    """Return a loopback port that nobody listens on just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int, path: str, *, timeout: float = 2.0) -> bool:
    """Tell whether GET `path` on the loopback `port` answers 200 within `timeout` seconds.

    No proxy is asked, whatever the environment says: the server is on this machine.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
