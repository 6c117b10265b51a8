"""What redaction costs on an ordinary line, and that hostile input cannot make it slow."""

from __future__ import annotations

import json
from typing import Any

from bench import measure
from bench.table import Row, Table, at_most, beside

MODULE = "bench.bench_redaction"
COUNT, REPEATS, ROUNDS = 500, 20, 5
SIZE, TIMES = 20_000, 8
LINE: dict[str, Any] = {
    "order_id": 4711,
    "amount": 12.5,
    "currency": "EUR",
    "customer": "c-81723",
    "path": "/orders/4711/items",
    "duration": 0.0123,
}
NESTED: dict[str, Any] = {
    "user": {"name": "user-42", "password": "x", "tags": ["a", "b"]},
    "headers": {"auth": "Bearer abc"},
}
#: Each piece, repeated, is what patterns with nested quantifiers or a scan from every position choke on.
HOSTILE = {
    "bearer without end": "Bearer ",
    "almost a JWT": "eyJhbGciOiJIUzI1NiJ9.",
    "digits, almost card numbers": "4111 1111 ",
    "URLs without end": "http://a:",
    "at signs": "://a@",
    "dashes of private keys": "-----BEGIN ",
    "spaces": " ",
    "slashes and quotes": '\\"',
    "almost e-mail": "a.a@",
    "key=value pairs": "password=",
    "digests without end": 'Digest response="',
    "elements without end": "<password><",
    "fields of forms": 'form-data; name="password"\r\n\r\n',
    "almost logins": "ab:c@d",
    "parameters without end": "[parameters: (",
    "flags of commands": "curl -u a --pin '",
}


def measured(quick: bool) -> measure.Figures:
    """Measure ordinary lines, and each hostile text at a size and at eight times that size."""
    from obs.runtime import redaction

    names = {"clean": redaction.clean, "line": LINE, "nested": NESTED, "dumps": json.dumps}
    works = {
        "line": measure.statement("clean(line)", names),
        "nested": measure.statement("clean(nested)", names),
        "json": measure.statement("dumps(line)", names),
    }
    figures = measure.slices(works, COUNT, 5 if quick else REPEATS)
    for name, piece in HOSTILE.items():
        for times in (1, TIMES):
            size = SIZE * times
            text = (piece * (size // len(piece) + 1))[:size]
            work = measure.statement(
                "scrub(text, limit)", {"scrub": redaction.scrub, "text": text, "limit": size}
            )
            figures |= measure.slices({f"{name} x{times}": work}, 1, 3 if quick else 7)
    cut = "Bearer " * 1_000_000
    figures |= measure.slices(
        {"cut": measure.statement("scrub(text)", {"scrub": redaction.scrub, "text": cut})}, 5, 3
    )
    return figures


def table(quick: bool) -> Table:
    """Measure redaction."""
    found = measure.alternate(MODULE, ["measured"], 1 if quick else ROUNDS, *(["--quick"] if quick else []))
    rows = found["measured"]
    middle = measure.medians(rows)
    of = "json.dumps of the line"
    lines = [
        Row(of, f"{middle['json']:.2f} us", "1.00"),
        beside(
            "ordinary line, six fields", f"{middle['line']:.2f} us", measure.ratio(rows, "line", "json"), of
        ),
        beside(
            "nested, two secrets", f"{middle['nested']:.2f} us", measure.ratio(rows, "nested", "json"), of
        ),
        Row("7 MB of text in one field, cut first", f"{middle['cut']:.0f} us"),
    ]
    for name in HOSTILE:
        small, large = f"{name} x1", f"{name} x{TIMES}"
        lines.append(
            at_most(
                f"hostile: {name}",
                f"{middle[large] / 1e3:.2f} ms for {SIZE * TIMES // 1000} kB",
                measure.ratio(rows, large, small),
                # Linear is 8; caches and allocation make a large text somewhat dearer than that.
                TIMES * 1.5,
                f"{SIZE // 1000} kB",
            )
        )
    return Table(
        "Redaction",
        f"recursive, keys and values; hostile text is scanned whole here ({TIMES} times the text, {TIMES} times the "
        "time is linear), in a line it is cut to 8 kB before it is searched",
        lines,
    )


if __name__ == "__main__":
    measure.main(MODULE, table, {"measured": measured})
