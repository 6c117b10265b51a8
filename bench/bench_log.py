"""What one JSON log line costs, beside the standard library with python-json-logger."""

from __future__ import annotations

import itertools
import logging
import os
from typing import Any

from bench import measure, peers
from bench.table import Row, Table, at_most, beside

MODULE = "bench.bench_log"
COUNT, REPEATS, ROUNDS = 1_000, 30, 5
#: More distinct values than anybody remembers.
CUSTOMERS = 20_000
_FIELDS = "{'order_id': 4711, 'amount': 12.5, 'currency': 'EUR', 'customer': next(customers)}"
#: What is measured, by name; the peer's logger is `plain`.
STATEMENTS = {
    "structured": (
        "log.info('order placed', order_id=4711, amount=12.5, currency='EUR', customer=next(customers))"
    ),
    "standard": f"foreign.info('order placed', extra={_FIELDS})",
    "standard_plain": "foreign.info('order %s placed', 4711)",
    "json_logger": f"plain.info('order placed', extra={_FIELDS})",
    "json_logger_plain": "plain.info('order %s placed', 4711)",
    "disabled": "log.debug('order placed', order_id=4711, amount=12.5)",
    "disabled_standard": "plain.debug('order %s placed, %s', 4711, 12.5)",
}


def peer() -> logging.Logger:
    """Return a logger of the standard library that writes JSON to the null device."""
    from pythonjsonlogger.json import JsonFormatter

    handler = logging.FileHandler(os.devnull, encoding="utf-8")
    handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("peer")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


def lines(quick: bool) -> measure.Figures:
    """Measure everything in one process, in a sampled span, taking turns."""
    import obs

    plain = peer()
    peers.drop_our_spans()
    # Lines that repeat are told apart and counted as usual, but none is left out.
    obs.init("bench", log_format="json", otlp_endpoint="http://127.0.0.1:9", log_repeat_limit=1_000_000)
    names: dict[str, Any] = {"log": obs.log, "foreign": logging.getLogger("shop.orders"), "plain": plain}
    names["customers"] = itertools.cycle([f"customer {number}" for number in range(CUSTOMERS)])
    works = {name: measure.statement(text, names) for name, text in STATEMENTS.items()}
    with obs.span("bench"):
        for name in ("structured", "standard", "standard_plain"):
            assert measure.written(works[name], 1_000) > 150, f"{name} left lines out"
        return measure.slices(works, COUNT, 8 if quick else REPEATS)


def table(quick: bool) -> Table:
    """Measure what one log line costs."""
    found = measure.alternate(MODULE, ["lines"], 2 if quick else ROUNDS, *(["--quick"] if quick else []))[
        "lines"
    ]
    middle = measure.medians(found)
    of = "python-json-logger"

    def figure(name: str) -> str:
        return f"{middle[name]:.2f} us"

    return Table(
        "One JSON log line",
        "to the null device, four fields, in a sampled span; python-json-logger writes neither ids nor masks secrets",
        (
            Row("python-json-logger, four extra fields", figure("json_logger"), "1.00"),
            at_most(
                "obs.log.info: ids, redaction",
                figure("structured"),
                measure.ratio(found, "structured", "json_logger"),
                0.6,
                of,
            ),
            at_most(
                "record of the standard library, four extra fields",
                figure("standard"),
                measure.ratio(found, "standard", "json_logger"),
                1.0,
                of,
            ),
            at_most(
                "record of the standard library, one argument",
                figure("standard_plain"),
                measure.ratio(found, "standard_plain", "json_logger_plain"),
                1.0,
                of,
            ),
            beside(
                "obs.log.debug, disabled",
                figure("disabled"),
                measure.ratio(found, "disabled", "disabled_standard"),
                "logging's own",
            ),
        ),
    )


if __name__ == "__main__":
    measure.main(MODULE, table, {"lines": lines})
