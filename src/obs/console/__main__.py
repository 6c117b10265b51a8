"""Serve runbooks as web pages: ``python -m obs.console --runbooks DIR --port N``."""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from obs.console.app import create
from obs.console.certificate import Certificate
from obs.errors import ConfigError, ObsError, StackError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit code.

    The address goes to stdout once the port listens, so that ``--port 0`` is of use.
    """
    options = _parse(arguments)
    try:
        app = create(options.runbooks, options.certs)
        own = _own_certificate(options)
        listener = _listen(options.host, options.port)
    except ObsError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    with listener:
        host = f"[{options.host}]" if ":" in options.host else options.host
        scheme = "http" if own is None else "https"
        sys.stdout.write(f"{scheme}://{host}:{listener.getsockname()[1]}/\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
        config.load()
        config.ssl = None if own is None else own.context
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            return 130
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m obs.console",
        description="Serve runbooks as web pages.",
        epilog="Example: python -m obs.console --runbooks ./runbooks --port 9465",
    )
    parser.add_argument(
        "--runbooks", type=Path, required=True, metavar="DIR", help="folder of <service>/<Alert>.md"
    )
    parser.add_argument(
        "--certs", type=Path, metavar="DIR", help="folder of certificates whose ends /metrics tells (*.crt)"
    )
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="serve HTTPS with it (PEM)")
    parser.add_argument("--key", type=Path, metavar="FILE", help="key of --certificate (PEM)")
    parser.add_argument("--port", type=int, required=True, help="port to listen on; 0 picks a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    return parser.parse_args(arguments)


def _own_certificate(options: argparse.Namespace) -> Certificate | None:
    if options.certificate is None and options.key is None:
        return None
    if options.certificate is None or options.key is None:
        raise ConfigError("--certificate and --key go together: got one of them")
    return Certificate(options.certificate, options.key)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Before the address is told: whoever reads it may connect at once.
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise StackError(
            f"cannot listen on {host}:{port}: {reason}", hint="free the port or choose another with --port"
        ) from None
    return listener


if __name__ == "__main__":
    sys.exit(main())
