"""The demo shop as the drill sees it: processes to start, customers, and a fault switch."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from obs.errors import VerifyError
from obs.stack.ports import LOOPBACK, Endpoint
from obs.stack.process import Program
from obs.verify.load import Call

SERVICES = ("storefront", "payments", "worker")
#: The service that is broken, and how: every second charge fails.
BROKEN = "payments"
FAULT: Mapping[str, Any] = {"errors": 0.5}

_SETTLE_EVERY_S = 2.0
#: What a user's shell may set for services of their own; the shop is to behave the same everywhere.
_FOREIGN = ("OBS_", "OTEL_", "SENTRY_", "LOG_LEVEL", "PROMETHEUS_")


def programs(
    places: Mapping[str, Endpoint], directory: Path, runbooks: Path, environment: str
) -> list[Program]:
    """Return what to start, in this order: the three services and the runbook pages."""
    port = {name: str(endpoint.port) for name, endpoint in places.items()}
    shop, data = (sys.executable, "-m", "obs.demo"), ("--data", str(directory / "data"))
    commands: dict[str, tuple[str, ...]] = {
        "payments": (*shop, "payments", "--port", port["payments"], *data),
        "storefront": (
            *shop, "storefront", "--port", port["storefront"], *data,
            "--payments-url", places["payments"].url,
        ),
        "worker": (
            *shop, "worker", "--port", port["worker"], *data,
            "--control-port", port["worker-control"], "--every", str(_SETTLE_EVERY_S),
        ),
        "runbooks": (
            sys.executable, "-m", "obs.console", "--runbooks", str(runbooks), "--port", port["runbooks"],
        ),
    }  # fmt: skip
    return [
        Program(
            name=name,
            argv=argv,
            log=directory / f"{name}.log",
            endpoint=places[name],
            environment=_environment(environment),
            # Not the user's directory: a file there could stand in for one of our modules.
            directory=directory,
        )
        for name, argv in commands.items()
    ]


def customers(storefront: str) -> list[Call]:
    """Return what customers do: look, then buy."""
    return [
        Call("GET", f"{storefront}/products/tea"),
        Call("POST", f"{storefront}/orders", {"sku": "tea", "quantity": 2}),
    ]


def break_(service: str) -> None:
    """Turn the fault switch of the service at that address on. Raises `VerifyError`."""
    _switch("POST", service, FAULT)


def repair(service: str) -> None:
    """Turn the fault switch of the service at that address off. Raises `VerifyError`."""
    _switch("DELETE", service, None)


def _switch(method: str, service: str, faults: Mapping[str, Any] | None) -> None:
    url = f"{service}/faults"
    try:
        httpx.request(method, url, json=faults, timeout=5.0, trust_env=False).raise_for_status()
    except httpx.HTTPError as error:
        raise VerifyError(f"the fault switch does not work: {error}", url) from None


def _environment(name: str) -> dict[str, str]:
    own = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    # The services talk to each other on loopback, where no proxy must come between.
    return {**own, "OBS_ENVIRONMENT": name, "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK}
