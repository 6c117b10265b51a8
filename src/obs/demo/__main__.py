"""`python -m obs.demo storefront|payments|worker`: run one service of the shop on loopback."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

import obs
from obs.demo import payments, storefront
from obs.demo.faults import FaultSwitch
from obs.demo.worker import Settlement

#: The fault switch lets a caller end the process, so the shop never listens elsewhere.
LOOPBACK = "127.0.0.1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the service that `arguments` name until SIGINT or SIGTERM."""
    options = _parser().parse_args(arguments)
    options.data.mkdir(parents=True, exist_ok=True)
    obs.init(options.service)
    if options.service == "storefront":
        with httpx.Client(base_url=options.payments_url, timeout=5.0) as client:
            _serve(storefront.create_app(options.data, client), options.port)
    elif options.service == "payments":
        _serve(payments.create_app(options.data), options.port)
    else:
        _work(options.data, options.port, options.control_port, options.every)
    obs.shutdown()
    return 0


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--port", type=int, required=True, help="port to listen on, on loopback")
    common.add_argument("--data", type=Path, default=Path(".shop"), help="directory of the SQLite files")
    parser = argparse.ArgumentParser(prog="python -m obs.demo", description=__doc__)
    services = parser.add_subparsers(dest="service", required=True)
    front = services.add_parser("storefront", parents=[common])
    front.add_argument("--payments-url", required=True, help="such as http://127.0.0.1:8702")
    services.add_parser("payments", parents=[common])
    back = services.add_parser("worker", parents=[common])
    back.add_argument("--control-port", type=int, required=True, help="port of its fault switch")
    back.add_argument("--every", type=float, default=2.0, help="seconds between two settlements")
    return parser


def _serve(app: FastAPI, port: int) -> None:
    # obs writes the access line; uvicorn's own would be a second one.
    uvicorn.run(app, host=LOOPBACK, port=port, log_config=None, access_log=False)


def _work(data: Path, port: int, control_port: int, every: float) -> None:
    faults = FaultSwitch()
    settlement = Settlement(data, faults, every)
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: settlement.stop())
    obs.serve(port, LOOPBACK)
    # A worker has no web app, so its fault switch gets a small one of its own.
    control = FastAPI(title="worker control")
    control.include_router(faults.router())
    threading.Thread(target=_serve, args=(control, control_port), daemon=True).start()
    settlement.run()


if __name__ == "__main__":
    raise SystemExit(main())
