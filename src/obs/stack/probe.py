"""Ask a server whether it is ready, from inside its container: ``python -S -m obs.stack.probe URL [CA [CERT KEY]]``.

Images without a shell or a client need a probe of their own, and this one is part of ours. It runs every few seconds
for as long as the container does, so it loads next to nothing: no argument parser, no HTTP library.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence

_WITHIN_S = 3.0
_USAGE = "expected: python -m obs.stack.probe http://HOST:PORT/PATH [CA [CERTIFICATE KEY]]\n"


def main(arguments: Sequence[str]) -> int:
    """Return 0 when the URL answers with a status below 400, 1 and the reason when it does not, 2 for misuse."""
    if len(arguments) not in (1, 2, 4):
        sys.stderr.write(_USAGE)
        return 2
    url, *files = arguments
    scheme, _, rest = url.partition("://")
    place, _, path = rest.partition("/")
    host, _, port = place.rpartition(":")
    if scheme not in ("http", "https") or not host or not port.isdecimal():
        sys.stderr.write(_USAGE)
        return 2
    try:
        status = _status(host, int(port), f"/{path}", files if scheme == "https" else None)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1
    if status >= 400:
        sys.stderr.write(f"{url}: answered {status}\n")
        return 1
    return 0


def _status(host: str, port: int, path: str, files: Sequence[str] | None) -> int:
    with socket.create_connection((host, port), _WITHIN_S) as plain:
        if files is None:
            return _asked(plain, host, port, path)
        with _secured(plain, host, files) as secured:
            return _asked(secured, host, port, path)


def _asked(connection: socket.socket, host: str, port: int, path: str) -> int:
    connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode())
    first = b""
    while b"\r\n" not in first and (part := connection.recv(4096)):
        first += part
    protocol, _, rest = first.partition(b" ")
    if not protocol.startswith(b"HTTP/"):
        raise ValueError("no answer in HTTP")
    return int(rest[:3])


def _secured(plain: socket.socket, host: str, files: Sequence[str]) -> socket.socket:
    import ssl

    context = ssl.create_default_context(cafile=files[0] if files else None)
    if own := files[1:]:
        context.load_cert_chain(*own)
    return context.wrap_socket(plain, server_hostname=host)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
