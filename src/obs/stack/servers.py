"""The servers of the stack: names, roles, ports and paths, written once for every way of running it.

The committed configuration is the one that containers mount, so its addresses are `name:port` of this
table and its paths those of this table. The native runtime replaces both, see `obs.stack.localise`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Port:
    """One port of a server: what it is for, its number among containers, and its number on loopback.

    `published` ports are reachable on the loopback of the machine that runs the containers; the others
    only among the containers.
    """

    role: str
    inside: int
    native: int
    published: bool = True


@dataclass(frozen=True)
class Server:
    """One server: its ports (the first is the one that people open) and its directories.

    Attributes:
        name: the name of the service among containers, its host name there, and its name everywhere else.
        ports: by role.
        ready: the role and the path that answer 200 once the server can do its work.
        paths: a directory inside the container, and its place below the native state directory.
        engine: the program of the engines' table that it runs; empty for a program of ours.
        asks_password: whether it wants basic authentication in the full stack.
        optional: it is left out, with a line that says so, where its program cannot be found.
        ready_within: seconds after which a start has failed; replaying a long log takes its time.
        stop_within: seconds in which it may end by itself.
    """

    name: str
    ports: tuple[Port, ...]
    ready: tuple[str, str]
    paths: Mapping[str, str]
    engine: str = ""
    asks_password: bool = False
    optional: bool = False
    ready_within: float = 120.0
    stop_within: float = 30.0


def _server(
    name: str,
    *ports: Port,
    ready: tuple[str, str],
    paths: Mapping[str, str] | None = None,
    engine: str = "",
    asks_password: bool = False,
    optional: bool = False,
    stop_within: float = 30.0,
) -> Server:
    return Server(
        name,
        ports,
        ready,
        MappingProxyType(dict(paths or {})),
        engine,
        asks_password=asks_password,
        optional=optional,
        stop_within=stop_within,
    )


#: Every server, in the order in which they are shown.
SERVERS: Mapping[str, Server] = MappingProxyType(
    {
        server.name: server
        for server in (
            _server(
                "prometheus",
                Port("http", 9090, 9090),
                ready=("http", "/-/ready"),
                paths={"/etc/prometheus": "prometheus", "/prometheus": "prometheus/data"},
                engine="prometheus",
                asks_password=True,
            ),
            _server(
                "alertmanager",
                Port("http", 9093, 9093),
                ready=("http", "/-/ready"),
                paths={"/etc/alertmanager": "alertmanager", "/alertmanager": "alertmanager/data"},
                engine="alertmanager",
                asks_password=True,
            ),
            _server(
                "loki",
                Port("http", 3100, 3100),
                Port("grpc", 9095, 19095, published=False),
                ready=("http", "/ready"),
                paths={"/etc/loki": "loki", "/loki": "loki/data"},
                engine="loki",
            ),
            _server(
                "tempo",
                Port("http", 3200, 3200),
                Port("otlp_grpc", 4317, 14317, published=False),
                Port("grpc", 9096, 19096, published=False),
                ready=("http", "/ready"),
                paths={"/etc/tempo": "tempo", "/var/tempo": "tempo/data"},
                engine="tempo",
                optional=True,
                # 3.0.3 does not end by itself when it was asked something half a minute ago or later; it flushes
                # first, at once.
                stop_within=10.0,
            ),
            _server(
                "collector",
                Port("otlp_http", 4318, 4318),
                Port("otlp_grpc", 4317, 4317),
                Port("health", 13133, 13133, published=False),
                Port("metrics", 8888, 8888, published=False),
                Port("span_metrics", 8889, 8889, published=False),
                ready=("health", "/"),
                paths={
                    "/etc/otelcol": "collector",
                    "/var/lib/otelcol": "collector/data",
                    "/var/log/obs": "log/services",
                },
                engine="otelcol",
            ),
            _server(
                "grafana",
                Port("http", 3000, 3000),
                ready=("http", "/api/health"),
                paths={"/etc/grafana": "grafana", "/var/lib/grafana": "grafana/data"},
                engine="grafana",
                optional=True,
            ),
            _server("runbooks", Port("http", 8705, 8705), ready=("http", "/health")),
        )
    }
)

#: The demo shop: the native runtime does not start it, but addresses in configuration may name it.
SHOP: Mapping[str, Server] = MappingProxyType(
    {
        name: _server(name, Port("http", port, port, published=False), ready=("http", "/ready"))
        for name, port in (("storefront", 8701), ("payments", 8702), ("worker", 8703))
    }
)

#: What every server shares: files that hold a secret each, and the certificates of the TLS overlay.
SHARED_PATHS: Mapping[str, str] = MappingProxyType({"/run/secrets": "secrets", "/etc/obs/certs": "certs"})

#: The two that evaluate rules and group alerts: all that the demo, backtests and many tests need.
SMALL: tuple[str, ...] = ("prometheus", "alertmanager")

#: All that this machine can run: what `obs stack up` starts.
FULL: tuple[str, ...] = tuple(SERVERS)

#: In this order they are started, and in the reverse one stopped: whoever sends comes after whoever takes.
START_ORDER: tuple[str, ...] = (
    "alertmanager",
    "loki",
    "tempo",
    "prometheus",
    "collector",
    "runbooks",
    "grafana",
)
