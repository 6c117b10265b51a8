"""Ask a server whether it is ready, from inside its container: ``python -m obs.stack.probe URL``.

Images without a shell or a client need a probe of their own, and this one is part of ours.
"""

from __future__ import annotations

import argparse
import ssl
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when the URL answers with a status below 400, else 1 and the reason on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m obs.stack.probe", description="Tell whether URL answers."
    )
    parser.add_argument("url", help="such as http://127.0.0.1:8705/health")
    parser.add_argument("--timeout", type=float, default=3.0, help="in seconds (default: %(default)s)")
    parser.add_argument("--ca", type=Path, help="certificate authority (PEM) that the server is held to")
    parser.add_argument("--cert", type=Path, help="our own certificate (PEM)")
    parser.add_argument("--key", type=Path, help="its private key (PEM)")
    options = parser.parse_args(arguments)
    try:
        context = _trust(options.ca, options.cert, options.key)
        # No proxy, whatever the environment says: the server is in this container.
        ask = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with ask.open(options.url, timeout=options.timeout):
            return 0
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{options.url}: {error}\n")
        return 1


def _trust(ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    if cert is not None:
        context.load_cert_chain(cert, key)
    return context


if __name__ == "__main__":
    sys.exit(main())
