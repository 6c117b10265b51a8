"""What the collector of the stack takes on two processors before it pushes back, and what each record costs it."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import emission, load, measure, payload
from bench.collector import serving
from bench.payload import Payload
from bench.pipeline import Pipeline, decision_wait, plain, stack
from bench.sink import Sink
from bench.table import Row, Table, at_most, beside, exactly

MODULE = "bench.bench_stack"
#: Seconds as fast as it takes, at each of the rates, and before either.
FULL, PACED, WARM = 5.0, 2.5, 0.5
#: Shares of what it took as fast as it could; what a record costs may grow so much from the first to the last.
RATES, GROWTH = (0.2, 0.4, 0.8), 1.3
#: Seconds that a trace waits for its decision where only work is measured; as committed where memory is.
BRIEFLY = 1.0
#: Lines of a file a second, for as many as fill the time.
FILE_RATE = 8_000


@dataclass(frozen=True)
class Kind:
    """One kind of data: how it comes, how the collector counts it, and what a core is published to take of it."""

    name: str
    noun: str
    made: Callable[[Mapping[str, Sequence[bytes]]], Payload]
    path: str
    counted: str
    published: int

    def taken(self, pipeline: Pipeline) -> float:
        """Return how many records the collector has taken in."""
        return pipeline.total(f"otelcol_receiver_accepted_{self.counted}_total")

    def has_delivered(self, pipeline: Pipeline, records: float) -> bool:
        """Tell whether the collector has delivered so many records."""
        return pipeline.total(f"otelcol_exporter_sent_{self.counted}_total", "otlp_http") >= records


SPANS = Kind("spans", "spans", payload.spans, "/v1/traces", "spans", 15_000)
LINES = Kind("lines", "lines", payload.records, "/v1/logs", "log_records", 10_000)
FILES = Kind("files", "lines of a file", payload.lines, "", "log_records", 10_000)
SAMPLES = Kind("samples", "samples", payload.points, "/v1/metrics", "metric_points", 20_000)
KINDS = (SPANS, LINES, FILES, SAMPLES)


@dataclass(frozen=True)
class Phase:
    """So many records in so many seconds, and the processor seconds that they cost until all were delivered."""

    records: int
    seconds: float
    cost: float
    pushed_back: int

    @property
    def rate(self) -> float:
        return self.records / self.seconds

    @property
    def a_million(self) -> float:
        """Processor seconds of a million records."""
        return self.cost / self.records * 1e6

    @property
    def a_core(self) -> float:
        """Records that one core takes in a second."""
        return self.records / self.cost


class Bench:
    """One kind of data under load; counts what it sends, so that the sink can be asked for all of it."""

    def __init__(self, kind: Kind, sample: Mapping[str, Sequence[bytes]], behind: Sink) -> None:
        self.kind, self.payload, self.behind = kind, kind.made(sample), behind
        # No id is nothing but zeros.
        self.first = self.next = payload.BATCH

    def run(self, pipeline: Pipeline, seconds: float, rate: float | None, wait: float) -> Phase:
        """Send for so many seconds, wait until all of it was delivered, and return what it cost."""
        spent, started = pipeline.seconds(), self.kind.taken(pipeline)
        if self.kind is FILES:
            sent = self._write(pipeline, started, seconds, rate)
        else:
            sent = load.post((pipeline.port, self.kind.path), self.payload, self.next, seconds, rate)
        self.next += sent.records
        self._settle(pipeline, started + sent.records, wait)
        return Phase(sent.records, sent.seconds, pipeline.seconds() - spent, sent.pushed_back)

    def _write(self, pipeline: Pipeline, started: float, seconds: float, rate: float | None) -> load.Sent:
        file = pipeline.logs / "checkout.log"
        if rate:
            return load.append(file, self.payload, self.next, seconds, rate)
        began = time.monotonic()
        count = load.pile(file, self.payload, self.next, int(seconds * FILE_RATE))
        pipeline.settle(lambda: self.kind.taken(pipeline) >= started + count)
        return load.Sent(count, time.monotonic() - began, 0)

    def _settle(self, pipeline: Pipeline, records: float, wait: float) -> None:
        pipeline.settle(lambda: self.kind.taken(pipeline) >= records)
        if self.kind is SPANS:
            # Those of the last moment are decided on, then all that is kept goes.
            time.sleep(wait + 1.5)
            pipeline.settle(lambda: not pipeline.total("otelcol_exporter_queue_size", "tempo"))
        else:
            pipeline.settle(partial(self.kind.has_delivered, pipeline, records))

    def lost(self) -> tuple[int, int]:
        """Return how many records are missing behind the collector, and of how many."""
        wanted = set(range(self.first, self.next))
        if self.kind is SPANS:
            wanted = {number for number in wanted if payload.has_failed(number)}
        found = self.behind.values() if self.kind is SAMPLES else self.behind.numbers()
        return len(wanted.difference(found)), len(wanted)


@dataclass(frozen=True)
class Measured:
    """What was found for one kind of data."""

    full: Phase
    paced: Sequence[Phase]
    peak: int
    lost: int
    of: int


@contextlib.contextmanager
def _stack(behind: Sink, kind: Kind, wait: float) -> Iterator[Pipeline]:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory).resolve()
        variables = {"OBS_SAMPLING_WAIT": f"{wait:.1f}s"}
        with stack(behind, place, variables, traces=kind is SPANS) as pipeline:
            yield pipeline


def measured(kind: Kind, sample: Mapping[str, Sequence[bytes]], share: float) -> Measured:
    """Measure one kind of data: all that is taken, then three rates."""
    with serving(Sink()) as behind:
        bench = Bench(kind, sample, behind)
        if kind is not SPANS:
            with _stack(behind, kind, BRIEFLY) as pipeline:
                full, peak = _full(bench, pipeline, FULL * share, BRIEFLY)
                paced = _paced(bench, pipeline, PACED * share, full.rate)
                return Measured(full, paced, peak, *bench.lost())
        # Only once the first traces are decided on does it do all of its work.
        with _stack(behind, kind, wait := decision_wait()) as pipeline:
            full, peak = _full(bench, pipeline, FULL * share + wait, wait)
        with _stack(behind, kind, BRIEFLY) as pipeline:
            paced = _paced(bench, pipeline, PACED * share, full.rate)
        return Measured(full, paced, peak, *bench.lost())


def _full(bench: Bench, pipeline: Pipeline, seconds: float, wait: float) -> tuple[Phase, int]:
    """Return what it takes as fast as it can, and the most memory of it until then."""
    bench.run(pipeline, WARM, None, wait)
    return bench.run(pipeline, seconds, None, wait), pipeline.peak()


def _paced(bench: Bench, pipeline: Pipeline, seconds: float, full: float) -> Sequence[Phase]:
    bench.run(pipeline, WARM, full * RATES[0], BRIEFLY)
    return [bench.run(pipeline, seconds, full * rate, BRIEFLY) for rate in RATES]


def without_work(sample: Mapping[str, Sequence[bytes]], share: float) -> dict[str, Phase]:
    """Measure the same binary where it only takes in, batches and sends on."""
    found = {}
    with (
        serving(Sink()) as behind,
        tempfile.TemporaryDirectory() as directory,
        plain(behind, Path(directory)) as pipeline,
    ):
        for kind in (SPANS, LINES, SAMPLES):
            made, spent = kind.made(sample), pipeline.seconds()
            sent = load.post((pipeline.port, kind.path), made, payload.BATCH, FULL * share / 2)
            pipeline.settle(partial(kind.has_delivered, pipeline, sent.records))
            found[kind.name] = Phase(sent.records, sent.seconds, pipeline.seconds() - spent, sent.pushed_back)
            behind.bodies.clear()
    return found


def table(quick: bool) -> Table:
    """Measure the collector of the stack under load."""
    share = 1 / 3 if quick else 1.0
    sample = emission.decoded(measure.fresh(MODULE, "sample"))
    bare = without_work(sample, share)
    rows: list[Row] = []
    for kind in KINDS:
        found = measured(kind, sample, share)
        rows += _rows(kind, found, bare.get(kind.name))
    return Table(
        "The collector under load",
        "the committed configuration on two processors with the 512 MB of its container, which the sender of the load "
        "shares; processor time is the collector's own, until everything is delivered. Published is what the "
        "OpenTelemetry Collector distribution of Splunk tells its users to plan a core for; plain is the same binary "
        "that only takes in, batches and sends on: without masking, sampling, sizes and a queue on disk",
        rows,
    )


def _rows(kind: Kind, found: Measured, bare: Phase | None) -> list[Row]:
    noun, full = kind.noun, found.full
    rows = [
        Row(f"{noun}: taken as fast as they come", f"{full.rate:,.0f} a second"),
        Row(f"{noun}: most memory meanwhile", f"{found.peak / 1e6:.0f} MB"),
        Row(f"{noun}: senders told to come again", f"{full.pushed_back}"),
        beside(
            f"{noun}: one core", f"{full.a_core:,.0f} a second", full.a_core / kind.published, "published"
        ),
    ]
    if bare is not None:
        rows.append(
            beside(
                f"{noun}: one core, plain",
                f"{bare.a_core:,.0f} a second",
                bare.a_core / kind.published,
                "published",
            )
        )
    cost = [phase.a_million for phase in found.paced]
    rows += [
        Row(f"{noun}: at {phase.rate:,.0f} a second", f"{phase.a_million:.0f} s of a core a million")
        for phase in found.paced[:-1]
    ]
    rows += [
        at_most(
            f"{noun}: at {found.paced[-1].rate:,.0f} a second",
            f"{cost[-1]:.0f} s of a core a million",
            cost[-1] / cost[0],
            GROWTH,
            "the lowest rate",
        ),
        exactly(f"{noun}: lost", found.lost, found.of, 0),
    ]
    return rows


if __name__ == "__main__":
    measure.main(MODULE, table, {"sample": emission.sample})
