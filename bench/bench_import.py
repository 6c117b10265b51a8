"""What it costs to import and start obs, beside the very libraries it stands on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from bench import measure
from bench.table import Row, Table, at_most, beside

MODULE = "bench.bench_import"
ROUNDS = 15
DSN = "http://key@127.0.0.1:9/1"
INIT = "import obs; obs.init('bench', log_level='error', log_format='json'{})"
OTLP = ", otlp_endpoint='http://127.0.0.1:9'"
THREE = (
    "import logging, prometheus_client, orjson, opentelemetry.sdk.trace.export, "
    "opentelemetry.exporter.otlp.proto.http.trace_exporter"
)
FRAMEWORKS = (
    "fastapi",
    "starlette",
    "flask",
    "django",
    "grpc",
    "celery",
    "sqlalchemy",
    "redis",
)
CANDIDATES = {
    "empty": "",
    "import obs": "import obs",
    "init, no export": INIT.format(""),
    "init, OTLP": INIT.format(OTLP),
    "init, OTLP and Sentry": f"import os; os.environ['SENTRY_DSN'] = '{DSN}'; {INIT.format(OTLP)}",
    "first span": f"{INIT.format(OTLP)}\nwith obs.span('first'):\n    pass\nobs.flush(0.5)",
    "libraries": THREE,
    "libraries and Sentry": f"{THREE}, sentry_sdk",
    "structlog": "import structlog",
    "fastapi": "import fastapi",
}


def spent(code: str) -> float:
    """Return the processor milliseconds that an interpreter takes for `code`, exit handlers left out."""
    return measure.process_seconds([sys.executable, "-c", f"{code}\nimport os; os._exit(0)"]) * 1e3


def loaded(code: str, names: Sequence[str]) -> tuple[int, list[str]]:
    """Return how many modules `code` loads and which of `names` are among them."""
    script = f"{code}\nimport sys, os; print(*sys.modules, file=sys.stderr, flush=True); os._exit(0)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env=measure.clean_environment(),
    )
    modules = done.stderr.splitlines()[-1].split()
    return len(modules), [name for name in names if name in modules]


def table(quick: bool) -> Table:
    """Measure import and init."""
    found: list[measure.Figures] = []
    for code in CANDIDATES.values():
        # Bytecode is written once.
        spent(code)
    for _ in range(5 if quick else ROUNDS):
        times = {name: spent(code) for name, code in CANDIDATES.items()}
        # Over an empty interpreter of the same round: the machine may be slower in the next one.
        found.append({name: max(0.1, took - times["empty"]) for name, took in times.items()})
    middle = measure.medians(found)

    def figure(name: str) -> str:
        return f"{middle[name]:.0f} ms, {loaded(CANDIDATES[name], ())[0]} modules"

    three, four = "the same libraries", "the same libraries with sentry_sdk"
    everything = "init, OTLP and Sentry"
    frameworks = loaded(CANDIDATES[everything], FRAMEWORKS)[1]
    return Table(
        "Import and init",
        "processor time of a fresh interpreter over an empty one; `libraries` are those that obs loads, "
        "imported in one process without any set-up",
        (
            Row("libraries", figure("libraries"), "1.00"),
            at_most(
                "import obs and init, OTLP/HTTP",
                figure("init, OTLP"),
                measure.ratio(found, "init, OTLP", "libraries"),
                1.1,
                three,
            ),
            Row("libraries and sentry_sdk", figure("libraries and Sentry"), "1.00"),
            at_most(
                "import obs and init, all pillars, OTLP/HTTP, Sentry",
                figure(everything),
                measure.ratio(found, everything, "libraries and Sentry"),
                1.1,
                four,
            ),
            Row(
                "frameworks loaded by that",
                ", ".join(frameworks) or "none",
                "",
                "none",
                not frameworks,
            ),
            beside(
                "import obs and init, nothing exported",
                figure("init, no export"),
                measure.ratio(found, "init, no export", "libraries"),
                three,
            ),
            beside(
                "import obs, init, and the first span tried at a dead collector",
                figure("first span"),
                measure.ratio(found, "first span", "libraries"),
                three,
            ),
            Row("import obs", figure("import obs")),
            Row("import structlog", figure("structlog")),
            Row("import fastapi", figure("fastapi")),
        ),
    )


if __name__ == "__main__":
    measure.main(MODULE, table)
