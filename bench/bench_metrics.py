"""What counting costs, beside prometheus_client itself."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from bench import measure, peers
from bench.table import Row, Table, at_most, beside

MODULE = "bench.bench_metrics"
COUNT, REPEATS, ROUNDS = 2_000, 30, 5
LABELS = ("method", "route", "status")
_KEYWORDS = "method='GET', route='/a', status='200'"
#: What is measured outside of a span, by name.
STATEMENTS = {
    "bound_inc": "bound.inc()",
    "peer_bound_inc": "child.inc()",
    "inc": f"ours.inc({_KEYWORDS})",
    "peer_inc": f"theirs.labels({_KEYWORDS}).inc()",
    "bound_observe": "kept.observe(0.03)",
    "peer_bound_observe": "bucket.observe(0.03)",
    "observe": f"durations.observe(0.03, {_KEYWORDS})",
    "peer_observe": f"seconds.labels({_KEYWORDS}).observe(0.03)",
}
#: What is measured in a sampled span, where obs adds an exemplar.
SPANNED = {
    "spanned_bound_inc": "bound.inc()",
    "peer_exemplar": "child.inc(1, exemplar)",
    "spanned_inc": f"ours.inc({_KEYWORDS})",
    "peer_spanned_inc": f"theirs.labels({_KEYWORDS}).inc(1, exemplar)",
}


def hot(quick: bool) -> measure.Figures:
    """Measure counters and histograms in one process, taking turns."""
    import prometheus_client

    import obs

    peers.drop_our_spans()
    obs.init("bench", log_level="critical", log_format="json", otlp_endpoint="http://127.0.0.1:9")
    registry = prometheus_client.CollectorRegistry()
    theirs = prometheus_client.Counter("peer_orders", "Orders.", LABELS, registry=registry)
    seconds = prometheus_client.Histogram("peer_seconds", "Seconds.", LABELS, registry=registry)
    child = theirs.labels("GET", "/a", "200")
    ours = obs.counter("bench.orders", "Orders.", labels=LABELS)
    durations = obs.histogram("bench.seconds", "Seconds.", labels=LABELS)
    given = {"method": "GET", "route": "/a", "status": "200"}
    bound = ours.bind(**given)
    exemplar = {"trace_id": "0123456789abcdef" * 2, "span_id": "0123456789abcdef"}

    names: dict[str, Any] = {"theirs": theirs, "seconds": seconds, "child": child}
    names |= {"ours": ours, "durations": durations, "bound": bound, "exemplar": exemplar}
    names |= {"kept": durations.bind(**given), "bucket": seconds.labels(**given)}
    repeats = 8 if quick else REPEATS
    plain = measure.slices(_works(names, STATEMENTS), COUNT, repeats)
    with obs.span("bench"):
        spanned = measure.slices(_works(names, SPANNED), COUNT, repeats)
    return plain | spanned


def _works(names: dict[str, Any], statements: dict[str, str]) -> dict[str, measure.Work]:
    return {name: measure.statement(text, names) for name, text in statements.items()}


def workers(quick: bool) -> measure.Figures:
    """The same with several workers' files; the variable counts when prometheus_client is imported."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        return hot(quick)


def table(quick: bool) -> Table:
    """Measure what counting costs."""
    found = measure.alternate(
        MODULE, ["hot", "workers"], 2 if quick else ROUNDS, *(["--quick"] if quick else [])
    )
    child, keyed = "bound child", ".labels(**kw)"
    rows = [Row("prometheus_client: bound child .inc()", _us(found["hot"], "peer_bound_inc"), "1.00")]
    for name, what, to, limit, of in (
        ("bound_inc", "counter, bound handle .inc()", "peer_bound_inc", 1.5, child),
        ("inc", "counter .inc(**labels)", "peer_inc", 0.7, f"{keyed}.inc()"),
        ("bound_observe", "histogram, bound handle .observe()", "peer_bound_observe", None, child),
        ("observe", "histogram .observe(**labels)", "peer_observe", None, f"{keyed}.observe()"),
        ("spanned_bound_inc", "bound handle in a sampled span", "peer_exemplar", None, f"{child}, exemplar"),
        (
            "spanned_inc",
            ".inc(**labels) in a sampled span",
            "peer_spanned_inc",
            None,
            f"{keyed}.inc(), exemplar",
        ),
    ):
        for mode, where in (("hot", ""), ("workers", "several workers: ")):
            ratio = measure.ratio(found[mode], name, to)
            figure = _us(found[mode], name)
            rows.append(
                at_most(where + what, figure, ratio, limit, of)
                if limit is not None and not where
                else beside(where + what, figure, ratio, of)
            )
    return Table(
        "Counting",
        "three labels; the same call of prometheus_client 0.26 in the same process, taking turns",
        rows,
    )


def _us(found: list[measure.Figures], name: str) -> str:
    return f"{measure.medians(found)[name]:.2f} us"


if __name__ == "__main__":
    measure.main(MODULE, table, {"hot": hot, "workers": workers})
