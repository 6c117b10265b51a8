"""The demo shop on the stack: its lines go to the files that the collector reads, its spans to the collector."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.engines.stack.running import await_

from obs.stack.native import Target
from obs.stack.ports import LOOPBACK, answers, free

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
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

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
        logs.mkdir(parents=True, exist_ok=True)
        for name, options in commands.items():
            with (logs / f"{name}.log").open("ab") as lines:
                self.processes[name] = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "obs.demo", name, "--port", str(self.ports[name])),
                        *("--data", str(data), *options),
                    ],
                    stdout=lines,
                    cwd=data.parent,
                    env=environment,
                )
        for name in commands:
            port = self.ports[name]
            await_(lambda port=port: answers(port, "/ready"), f"{name} is ready")  # type: ignore[misc]

    def stop(self) -> None:
        """End all three; twice is harmless."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)
        self.processes.clear()

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
