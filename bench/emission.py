"""What one service of the SDK emits: its log lines, the OTLP bodies of its spans and lines, its scrape."""

from __future__ import annotations

import asyncio
import base64
import os
import tempfile
from collections import defaultdict
from typing import Any

from bench.bench_request import HEADERS, SCOPE
from fastapi import FastAPI

SERVICE, ENVIRONMENT = "checkout", "production"
#: Of the service: metrics have a set of series for each.
ROUTES = 10
#: What stands for a number of its own in everything that a request leaves behind.
NUMBER = "0123456789"


def emitted(count: int) -> dict[str, Any]:
    """Make so many requests of a service in this process and return all that they leave behind, as base64.

    Each request writes the line of its access and one of the service's own, and has a span of its own
    within the server's. `idle` is the scrape before the first request, `busy` the one after the last.
    """
    import obs
    from obs.runtime.otel.answer import Answer
    from obs.runtime.otel.channel import OtlpChannel

    bodies = defaultdict(list)

    def deliver(channel: Any, batch: Any, _: float) -> Answer:
        # A benchmark looks inside.
        bodies[channel.url.rpartition("/")[2]].append(channel._codec.encode(batch))  # noqa: SLF001
        return Answer("delivered")

    vars(OtlpChannel)["deliver"]  # fail here, not in the exporter's thread, when it has moved
    OtlpChannel.deliver = deliver  # type: ignore[method-assign]
    with tempfile.TemporaryFile() as lines:
        os.dup2(lines.fileno(), 1)
        obs.init(
            SERVICE,
            environment=ENVIRONMENT,
            log_format="json",
            otlp_endpoint="http://127.0.0.1:9",
            otlp_logs="both",
            # Lines that repeat are told apart and counted as usual, but none is left out.
            log_repeat_limit=1_000_000,
        )
        app = _service()
        obs.instrument(app)
        idle, busy = asyncio.run(_use(app, count))
        obs.shutdown(10)
        lines.seek(0)
        bodies["lines"].append(lines.read())
    bodies["idle"].append(idle)
    bodies["busy"].append(busy)
    return {name: [base64.b64encode(body).decode() for body in found] for name, found in bodies.items()}


def sample(_quick: bool) -> dict[str, Any]:
    """Return what a single request leaves behind: what load is made of."""
    return emitted(1)


def decoded(found: dict[str, Any]) -> dict[str, list[bytes]]:
    """Return what `emitted` returned in a process of its own, as bytes again."""
    return {name: [base64.b64decode(body) for body in bodies] for name, bodies in found.items()}


def _service() -> FastAPI:
    import obs

    app = FastAPI()
    for route in range(ROUTES):

        @app.get(f"/customers-{route}/{{name}}")
        async def answer(name: str) -> dict[str, str]:
            with obs.span("customers.select", {"db.collection.name": "customers", "rows": 1}):
                obs.log.info("customer found", customer=name, tenant="blue", cached=False)
            return {"name": name}

    return app


async def _use(app: FastAPI, count: int) -> tuple[bytes, bytes]:
    idle = await _get(app, "/metrics")
    for number in range(count):
        await _get(app, f"/customers-{number % ROUTES}/{int(NUMBER) + number:010}")
    return idle, await _get(app, "/metrics")


async def _get(app: FastAPI, path: str) -> bytes:
    parts: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        assert message.get("status", 200) == 200
        parts.append(message.get("body", b""))

    scope = {**SCOPE, "path": path, "raw_path": path.encode(), "headers": list(HEADERS), "state": {}}
    await app(scope, receive, send)
    return b"".join(parts)
