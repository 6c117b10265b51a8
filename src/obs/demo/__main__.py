"""`python -m obs.demo storefront|payments|worker`: run one service of the shop, on loopback unless told otherwise."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

import obs
from obs.demo.faults import FaultSwitch

#: The fault switch lets a caller end the process, so the shop listens elsewhere only inside a container.
LOOPBACK = "127.0.0.1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the service that `arguments` name until SIGINT or SIGTERM."""
    options = _parser().parse_args(arguments)
    options.data.mkdir(parents=True, exist_ok=True)
    obs.init(options.service)
    _SERVICES[options.service](options)
    obs.shutdown()
    return 0


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--port", type=int, required=True, help="port to listen on")
    common.add_argument("--host", default=LOOPBACK, help="address to listen on (default: %(default)s)")
    common.add_argument("--data", type=Path, default=Path(".shop"), help="directory of the SQLite files")
    common.add_argument(
        "--certificate", default=os.environ.get("SHOP_CERTIFICATE"), help="serve HTTPS with it (PEM)"
    )
    common.add_argument("--key", default=os.environ.get("SHOP_KEY"), help="key of --certificate (PEM)")
    parser = argparse.ArgumentParser(prog="python -m obs.demo", description=__doc__)
    services = parser.add_subparsers(dest="service", required=True)
    front = services.add_parser("storefront", parents=[common])
    front.add_argument("--payments-url", required=True, help="such as http://127.0.0.1:8702")
    services.add_parser("payments", parents=[common])
    back = services.add_parser("worker", parents=[common])
    back.add_argument("--control-port", type=int, required=True, help="port of its fault switch")
    back.add_argument("--every", type=float, default=2.0, help="seconds between two settlements")
    return parser


# A service imports its own module only: one that imported the others would offer their metrics as well.


def _storefront(options: argparse.Namespace) -> None:
    from obs.demo import storefront

    with httpx.Client(base_url=options.payments_url, timeout=5.0) as payments:
        _serve(storefront.create_app(options.data, payments), options, options.port)


def _payments(options: argparse.Namespace) -> None:
    from obs.demo import payments

    _serve(payments.create_app(options.data), options, options.port)


def _worker(options: argparse.Namespace) -> None:
    from obs.demo.worker import Settlement

    faults = FaultSwitch()
    settlement = Settlement(options.data, faults, options.every)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: settlement.stop())
    # A worker has no web app, so its fault switch gets a small one of its own.
    control = FastAPI(title="worker control")
    control.include_router(faults.router())
    ports = [options.control_port]
    if options.certificate is None:
        obs.serve(options.port, options.host)
    else:
        # Its own server knows no TLS: the small one offers metrics and health instead.
        obs.instrument(control, exclude=("/faults",))
        ports.append(options.port)
    for port in ports:
        threading.Thread(target=_serve, args=(control, options, port), daemon=True).start()
    settlement.run()


def _serve(app: FastAPI, options: argparse.Namespace, port: int) -> None:
    # obs writes the access line; uvicorn's own would be a second one.
    uvicorn.run(
        app,
        host=options.host,
        port=port,
        log_config=None,
        access_log=False,
        ssl_certfile=options.certificate,
        ssl_keyfile=options.key,
        # Seconds: under TLS an idle connection may keep its end waiting for half a minute.
        timeout_graceful_shutdown=3,
    )


_SERVICES = {"storefront": _storefront, "payments": _payments, "worker": _worker}


if __name__ == "__main__":
    raise SystemExit(main())
