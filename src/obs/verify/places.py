"""Where everything of the demo listens: loopback, one fixed port each, so that links stay the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from obs.errors import ConfigError, suggest
from obs.stack.ports import Endpoint, free, require_free

#: Server -> default port; none of `obs stack up`, its shop included: demo and stack run side by side.
PORTS: Mapping[str, int] = MappingProxyType(
    {
        "storefront": 8711,
        "payments": 8712,
        "worker": 8713,
        "worker-control": 8714,
        "runbooks": 8715,
        "notifications": 8716,
        "prometheus": 8790,
        "alertmanager": 8793,
    }
)
#: The word that stands for a free port, for one server or for all.
AUTO = "auto"
_READY = {"prometheus": "/-/ready", "alertmanager": "/-/ready", "runbooks": "/health"}


def choose(wishes: Iterable[str]) -> dict[str, Endpoint]:
    """Return every server's endpoint after wishes like ``prometheus=9090``, ``worker=auto`` or ``auto``.

    Raises:
        ConfigError: a wish that is none of these, an unknown server, or one port for two servers.
    """
    ports: dict[str, int] = dict(PORTS)
    automatic: set[str] = set()
    for wish in wishes:
        name, _, port = wish.partition("=")
        if wish == AUTO:
            automatic.update(PORTS)
        elif name not in PORTS:
            known = f"expected {AUTO} or NAME=PORT with one of {', '.join(PORTS)}"
            raise ConfigError(f"--port {wish}: {known}", hint=suggest(name, PORTS))
        elif port == AUTO:
            automatic.add(name)
        elif port.isdecimal() and 1 <= int(port) <= 65535:
            ports[name] = int(port)
            automatic.discard(name)
        else:
            raise ConfigError(f"--port {wish}: expected a port from 1 to 65535 or {AUTO}, got {port!r}")
    fixed = {ports[name]: name for name in PORTS if name not in automatic}
    if len(fixed) + len(automatic) < len(PORTS):
        twice = next(n for n in PORTS if n not in automatic and fixed[ports[n]] != n)
        raise ConfigError(f"port {ports[twice]} is given to {twice} and {fixed[ports[twice]]}")
    taken = set(fixed)
    for name in sorted(automatic):
        ports[name] = next(port for port in iter(free, None) if port not in taken)
        taken.add(ports[name])
    return {name: Endpoint(name, port, _READY.get(name, "/ready")) for name, port in ports.items()}


def require_all_free(places: Mapping[str, Endpoint]) -> None:
    """Make sure that nobody listens on any of the ports yet.

    Raises:
        StackError: one is taken, most likely by another demo.
    """
    for endpoint in places.values():
        require_free(endpoint)
