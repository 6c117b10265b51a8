"""What obs itself answers over HTTP: metrics, health, readiness and liveness, for any server."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from obs.catalogue.self import ERRORS
from obs.runtime import guard
from obs.runtime.json import dumps
from obs.runtime.settings import Settings

if TYPE_CHECKING:
    from obs.runtime.health import Report
    from obs.runtime.metrics.backend import Metrics

_JSON = "application/json"
_metrics: Metrics | None = None
_offered = False


class Response(NamedTuple):
    """A response; header names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def use(metrics: Metrics | None) -> None:
    """Serve `metrics` from now on; None answers that there are none."""
    global _metrics, _offered
    _metrics = metrics
    if metrics is None:
        _offered = False


def offer() -> None:
    """Note that this process answers requests, so that its metrics can be scraped."""
    global _offered
    _offered = True


def offered() -> bool:
    """Return whether metrics could be scraped from this process."""
    return _offered


def paths(settings: Settings) -> dict[str, str]:
    """Return path -> endpoint for `settings`."""
    return {
        settings.metrics_path: "metrics",
        settings.health_path: "health",
        settings.ready_path: "ready",
        settings.live_path: "live",
    }


async def answer(endpoint: str, accept: str, accept_encoding: str) -> Response:
    """Return the response of `endpoint` on an event loop; an error inside is a 500 without details."""
    try:
        if endpoint == "metrics":
            return _scrape(accept, accept_encoding)
        # A process that serves nothing need not load it.
        from obs.runtime import health

        if endpoint == "health":
            return _json(await health.report_on_loop())
        return _json(await health.readiness_on_loop() if endpoint == "ready" else health.liveness())
    except Exception as error:
        return _failed(endpoint, error)


def answer_in_thread(endpoint: str, accept: str, accept_encoding: str) -> Response:
    """Return the response of `endpoint`, waiting for it: for WSGI and servers with threads."""
    try:
        if endpoint == "metrics":
            return _scrape(accept, accept_encoding)
        from obs.runtime import health

        if endpoint == "health":
            return _json(health.report())
        return _json(health.readiness() if endpoint == "ready" else health.liveness())
    except Exception as error:
        return _failed(endpoint, error)


def _failed(endpoint: str, error: Exception) -> Response:
    guard.report("metrics" if endpoint == "metrics" else "health", error)
    return _text(500, f"obs could not answer; its log and {ERRORS.metric} tell more\n")


def _scrape(accept: str, accept_encoding: str) -> Response:
    if _metrics is None:
        return _text(404, "metrics are off\n")
    offer()
    from obs.runtime.metrics import scrape

    body, content_type, encoding = scrape.answer(_metrics, accept, accept_encoding)
    headers = [("content-type", content_type), ("vary", "accept, accept-encoding")]
    if encoding:
        headers.append(("content-encoding", encoding))
    return _response(200, headers, body)


def _json(report: Report) -> Response:
    headers = [("content-type", _JSON), ("cache-control", "no-store")]
    return _response(report.status, headers, dumps(report.body))


def _text(status: int, text: str) -> Response:
    return _response(status, [("content-type", "text/plain; charset=utf-8")], text.encode())


def _response(status: int, headers: list[tuple[str, str]], body: bytes) -> Response:
    return Response(status, (*headers, ("content-length", str(len(body)))), body)
