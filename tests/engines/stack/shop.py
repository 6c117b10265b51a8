"""The demo shop on the stack: its lines go to the files that the collector reads, its spans to the collector."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from obs.stack import process
from obs.stack.native import Target
from obs.stack.ports import LOOPBACK, Endpoint, free
from obs.stack.process import Program, Running

ENVIRONMENT = "test"
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_FOREIGN = ("OBS_", "OTEL_", "SENTRY_", "LOG_LEVEL", "PROMETHEUS_")


@dataclass
class Shop:
    """Storefront, payments and worker as processes of ours."""

    ports: dict[str, int] = field(
        default_factory=lambda: {
            name: free() for name in ("storefront", "payments", "worker", "worker-control")
        }
    )
    running: list[Running] = field(default_factory=list)

    def url(self, name: str) -> str:
        """Return the address of a service."""
        return f"http://{LOOPBACK}:{self.ports[name]}"

    def targets(self) -> list[Target]:
        """Return what Prometheus is to scrape."""
        return [
            Target(
                f"{LOOPBACK}:{self.ports[name]}",
                {"service": name, "environment": ENVIRONMENT, "instance": f"{name}-1"},
            )
            for name in ("storefront", "payments", "worker")
        ]

    def start(self, data: Path, logs: Path, collector: str) -> None:
        """Start all three; a line is in its file when it is written, a span soon at the collector."""
        commands = {
            "payments": (),
            "storefront": ("--payments-url", self.url("payments")),
            "worker": ("--control-port", str(self.ports["worker-control"]), "--every", "1"),
        }
        own = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
        environment = {
            **own,
            "OBS_ENVIRONMENT": ENVIRONMENT,
            "OBS_OTLP_ENDPOINT": collector,
            "NO_PROXY": LOOPBACK,
            "no_proxy": LOOPBACK,
        }
        # Tied to this program, so that a test run that is killed leaves none behind.
        self.running = process.start_all(
            [
                Program(
                    name=name,
                    argv=(
                        *(sys.executable, "-m", "obs.demo", name, "--port", str(self.ports[name])),
                        *("--data", str(data), *options),
                    ),
                    log=logs / f"{name}.log",
                    endpoint=Endpoint(name, self.ports[name], "/ready"),
                    environment=environment,
                    directory=data.parent,
                    ready_within=120.0,
                )
                for name, options in commands.items()
            ],
            tied=True,
        )

    def stop(self) -> None:
        """End all three; twice is harmless."""
        for one in self.running:
            process.stop(one)
        self.running = []

    def call(
        self, method: str, path: str, body: Any = None, *, service: str = "storefront", trace_id: str = ""
    ) -> int:
        """Send one request and return the status of its answer."""
        headers = {"content-type": "application/json"}
        if trace_id:
            headers["traceparent"] = f"00-{trace_id}-{os.urandom(8).hex()}-01"
        content = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.url(service)}{path}", content, headers, method=method
        )
        try:
            with _direct.open(request, timeout=30) as answer:
                answer.read()
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            refusal.close()
            return refusal.code

    def faults(self, service: str, **faults: Any) -> None:
        """Turn the fault switch of a service on, or off when no fault is named."""
        if faults:
            self.call("POST", "/faults", faults, service=service)
        else:
            self.call("DELETE", "/faults", service=service)

    def buy(self, *, trace_id: str = "", quantity: int = 1) -> int:
        """Place one order."""
        return self.call("POST", "/orders", {"sku": "tea", "quantity": quantity}, trace_id=trace_id)
