"""The proxy on the way to a collector, as the variables HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say."""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from obs.runtime.redaction import plain_text

#: An answer to CONNECT is a few lines.
_MOST_ANSWER = 64 * 1024
_END = b"\r\n\r\n"


class Proxy(NamedTuple):
    """A proxy that is spoken to in plain HTTP."""

    host: str
    port: int
    #: Value of the header Proxy-Authorization; empty without credentials.
    authorization: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """Return what the proxy, and nobody else, is told."""
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}


def find(scheme: str, host: str, port: int) -> Proxy | None:
    """Return the proxy for a server; None where it is spoken to directly, as one of this machine always is.

    Raises `ValueError` for a proxy of another kind.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ) or _is_loopback(host):
        return None
    import urllib.request

    reader: Any = urllib.request
    known: dict[str, str] = reader.getproxies_environment()
    url = known.get(scheme) or known.get("all")
    if (
        not url
        or reader.proxy_bypass_environment(f"{host}:{port}", known)
        or _is_in(host, known.get("no", ""))
    ):
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme == "http" and parts.hostname:
            return Proxy(parts.hostname, parts.port or 80, _authorization(parts.username, parts.password))
    except ValueError:
        pass
    # Nothing of it is quoted: there may be a password in any part.
    raise ValueError("the environment names a proxy in a form that is not http://host:port")


def connect(proxy: Proxy, sock: socket.socket, host: str, port: int, ends: float) -> None:
    """Have `proxy` at the other end of `sock` connect it to a server, before `ends` on the monotonic clock.

    Raises `OSError` when it does not.
    """
    server = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {server} HTTP/1.1", f"Host: {server}"]
    lines += [f"{name}: {value}" for name, value in proxy.headers.items()]
    sock.settimeout(_left(ends))
    sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    answer = b""
    while _END not in answer:
        sock.settimeout(_left(ends))
        part = sock.recv(_MOST_ANSWER)
        answer += part
        if not part or len(answer) > _MOST_ANSWER:
            raise ConnectionError("the proxy gave no answer of HTTP")
    words = answer.partition(b"\r\n")[0].decode("latin-1").split(" ", 2)
    if not words[0].startswith("HTTP/") or len(words) < 2:
        raise ConnectionError("the proxy gave no answer of HTTP")
    if not words[1].startswith("2"):
        raise ConnectionError(f"the proxy refused: HTTP {plain_text(' '.join(words[1:]), 64)}")


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    return left


def _authorization(user: str | None, password: str | None) -> str:
    if user is None:
        return ""
    import base64

    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _is_loopback(host: str) -> bool:
    address = _address(host)
    if address is not None:
        return address.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _is_in(host: str, excepted: str) -> bool:
    """Tell whether NO_PROXY has the address, or a network that it is of: what requests reads as well."""
    address = _address(host)
    if address is None:
        return False
    networks = (_network(item.strip()) for item in excepted.split(","))
    return any(network is not None and address in network for network in networks)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
