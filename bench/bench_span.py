"""What a span with three attributes costs, beside OpenTelemetry's own SDK with the same exporter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench import measure, peers
from bench.table import Row, Table, beside

MODULE = "bench.bench_span"
COUNT, REPEATS, ROUNDS = 200, 80, 5


def _opentelemetry(sampled: bool) -> measure.Work:
    tracer = peers.tracer_provider(sampled=sampled).get_tracer("bench")

    def work(count: int) -> None:
        for _ in range(count):
            with tracer.start_as_current_span("work") as span:
                span.set_attribute("method", "GET")
                span.set_attribute("route", "/a/{id}")
                span.set_attribute("n", 1)

    return work


def _obs(**settings: Any) -> measure.Work:
    import obs

    peers.drop_our_spans()
    obs.init("bench", log_format="json", otlp_endpoint="http://127.0.0.1:9", **settings)

    def work(count: int) -> None:
        for _ in range(count):
            with obs.span("work") as span:
                span.set(method="GET", route="/a/{id}", n=1)

    return work


def _off() -> measure.Work:
    import obs

    obs.init("bench", log_format="json", traces=False)

    def work(count: int) -> None:
        for _ in range(count):
            with obs.span("work") as span:
                span.set(method="GET", route="/a/{id}", n=1)

    return work


CONFIGURATIONS: dict[str, Callable[[], measure.Work]] = {
    "obs": _obs,
    "obs_sampled_out": lambda: _obs(traces_ratio=0.0),
    "obs_off": _off,
    "peer": lambda: _opentelemetry(sampled=True),
    "peer_sampled_out": lambda: _opentelemetry(sampled=False),
}


def measured(configure: Callable[[], measure.Work], quick: bool) -> measure.Figures:
    """Return the microseconds of one span."""
    return {"span": measure.against_floor(configure(), COUNT, 30 if quick else REPEATS)}


def table(quick: bool) -> Table:
    """Measure what a span costs."""
    found = measure.alternate(
        MODULE, list(CONFIGURATIONS), 2 if quick else ROUNDS, *(["--quick"] if quick else [])
    )
    times = {name: measure.medians(rows)["span"] for name, rows in found.items()}

    def figure(name: str) -> str:
        return f"{times[name]:.1f} us"

    of = "OpenTelemetry SDK"
    return Table(
        "A span with three attributes",
        "started, filled, ended, queued for a dropping exporter; obs masks secrets in names and values; "
        "corrected by a fixed piece of work for the speed of the moment",
        (
            Row(of, figure("peer"), "1.00"),
            beside("obs.span", figure("obs"), times["obs"] / times["peer"], of),
            Row(f"{of}, sampled out", figure("peer_sampled_out"), "1.00"),
            beside(
                "obs.span, sampled out",
                figure("obs_sampled_out"),
                times["obs_sampled_out"] / times["peer_sampled_out"],
                f"{of}, sampled out",
            ),
            beside("obs.span, traces off", figure("obs_off"), times["obs_off"] / times["peer"], of),
        ),
    )


if __name__ == "__main__":
    from functools import partial

    measure.main(MODULE, table, {name: partial(measured, make) for name, make in CONFIGURATIONS.items()})
