"""What one request costs: a FastAPI hello, called in process, bare, with obs and with the stacked peers."""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

from bench import measure, peers
from bench.table import Row, Table, at_most, beside
from fastapi import FastAPI

MODULE = "bench.bench_request"
COUNT, REPEATS, ROUNDS = 60, 80, 5
SCOPE: dict[str, Any] = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "query_string": b"",
    "root_path": "",
    "client": ("127.0.0.1", 5000),
    "server": ("127.0.0.1", 8000),
}
#: More distinct paths than anybody remembers.
PATHS = 20_000
HEADERS = [(b"host", b"svc.local"), (b"user-agent", b"bench/1"), (b"accept", b"*/*")]


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/hello/{name}")
    async def hello(name: str) -> dict[str, str]:
        return {"hello": name}

    return app


def with_obs(*, sentry: bool = True, encoded: bool = False, **settings: Any) -> FastAPI:
    """Everything on: metrics with exemplars, JSON logs, traces, redaction, Sentry."""
    import obs

    peers.drop_our_spans(encoded=encoded)
    if sentry:
        peers.drop_events()
        os.environ["SENTRY_DSN"] = peers.DSN
    # Lines that repeat are told apart and counted as usual, but none is left out.
    defaults: dict[str, Any] = {"otlp_endpoint": "http://127.0.0.1:9", "log_repeat_limit": 1_000_000}
    obs.init("bench", log_format="json", **defaults, **settings)
    app = application()
    obs.instrument(app)
    return app


def obs_four() -> FastAPI:
    return with_obs()


def obs_three() -> FastAPI:
    return with_obs(sentry=False)


def obs_encoded() -> FastAPI:
    return with_obs(encoded=True)


def obs_sampled_out() -> FastAPI:
    return with_obs(traces_ratio=0.0)


def obs_without_line() -> FastAPI:
    return with_obs(access_log=False)


def stacked() -> FastAPI:
    return peers.stack(application())


def stacked_sentry() -> FastAPI:
    peers.sentry()
    return peers.stack(application())


def stacked_encoded() -> FastAPI:
    peers.sentry()
    return peers.stack(application(), encoded=True)


def stacked_sampled_out() -> FastAPI:
    return peers.stack(application(), sampled=False)


CONFIGURATIONS: tuple[Callable[[], FastAPI], ...] = (
    obs_four,
    obs_encoded,
    obs_three,
    obs_sampled_out,
    obs_without_line,
    stacked,
    stacked_sentry,
    stacked_encoded,
    stacked_sampled_out,
)


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def requests(app: FastAPI, loop: asyncio.AbstractEventLoop) -> measure.Work:
    """Return what makes so many requests of `app` and holds their answers to 200."""
    paths = itertools.cycle([f"/hello/customer-{number}" for number in range(PATHS)])

    async def run(count: int) -> None:
        answered = []

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])

        for _ in range(count):
            path = next(paths)
            scope = {**SCOPE, "path": path, "raw_path": path.encode(), "headers": list(HEADERS), "state": {}}
            await app(scope, _receive, send)
        assert answered == [200] * count

    return lambda count: loop.run_until_complete(run(count))


def measured(configure: Callable[[], FastAPI], quick: bool) -> measure.Figures:
    """Return the microseconds of the bare application, before anything else is set up, and with it."""
    loop, repeats = asyncio.new_event_loop(), 30 if quick else REPEATS
    bare = measure.against_floor(requests(application(), loop), COUNT, repeats)
    work = requests(configure(), loop)
    assert configure is obs_without_line or measure.written(work, COUNT) > 100, "access lines are missing"
    return {"bare": bare, "with": measure.against_floor(work, COUNT, repeats)}


def table(quick: bool) -> Table:
    """Measure what one request costs."""
    names = [configure.__name__ for configure in CONFIGURATIONS]
    found = measure.alternate(MODULE, names, 3 if quick else ROUNDS, *(["--quick"] if quick else []))
    middle = {name: measure.medians(rows) for name, rows in found.items()}
    bare = statistics.median(figures["bare"] for figures in middle.values())
    times = {name: measure.ratio(rows, "with", "bare") for name, rows in found.items()}
    peer = times["stacked_sentry"]

    def figure(name: str) -> str:
        return f"{times[name] * bare:.0f} us"

    four = "obs: four pillars, redaction, exemplars"
    return Table(
        "One request, FastAPI hello, in process",
        "processor time without network, corrected by a fixed piece of work for the speed of the moment; bare is the same "
        "application, measured in the same process before anything was set up",
        (
            Row("bare FastAPI", f"{bare:.0f} us", "1.00 x bare"),
            at_most(four, figure("obs_four"), times["obs_four"], 3.0, "bare"),
            at_most(four, figure("obs_four"), times["obs_four"] / peer, 0.25, "stacked + Sentry"),
            at_most(
                "obs: the same, sampled out", figure("obs_sampled_out"), times["obs_sampled_out"], 2.0, "bare"
            ),
            beside("obs: without Sentry", figure("obs_three"), times["obs_three"], "bare"),
            beside("obs: without access line", figure("obs_without_line"), times["obs_without_line"], "bare"),
            beside(
                "obs: spans encoded for OTLP as well", figure("obs_encoded"), times["obs_encoded"], "bare"
            ),
            beside("stacked + Sentry", figure("stacked_sentry"), peer, "bare"),
            beside(
                "stacked + Sentry, spans encoded as well",
                figure("stacked_encoded"),
                times["stacked_encoded"],
                "bare",
            ),
            beside("stacked", figure("stacked"), times["stacked"], "bare"),
            beside(
                "stacked, sampled out",
                figure("stacked_sampled_out"),
                times["stacked_sampled_out"],
                "bare",
            ),
        ),
    )


if __name__ == "__main__":
    measure.main(
        MODULE,
        table,
        {configure.__name__: partial(measured, configure) for configure in CONFIGURATIONS},
    )
