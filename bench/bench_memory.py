"""Whether memory stays flat over a million requests to a hundred thousand distinct paths."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from bench import measure
from bench.bench_request import HEADERS, SCOPE, with_obs
from bench.table import Row, Table

MODULE = "bench.bench_memory"
REQUESTS, PATHS, MARKS = 1_000_000, 100_000, 10
#: Growth, after the first fifth, that still counts as flat: allocators are not exact.
FLAT = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


def requests(quick: bool) -> list[tuple[int, int]]:
    """Make the requests; return resident bytes after each tenth of them."""
    total, paths = (REQUESTS // 20, PATHS // 20) if quick else (REQUESTS, PATHS)
    app = with_obs()
    answered: dict[int, int] = {}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answered[message["status"]] = answered.get(message["status"], 0) + 1

    async def run() -> list[tuple[int, int]]:
        marks = [(0, resident())]
        for number in range(1, total + 1):
            # One in ten has no route; those paths must not become series either.
            name = f"/{'nowhere' if number % 10 == 0 else 'hello'}/{number % paths}"
            scope = {**SCOPE, "path": name, "raw_path": name.encode(), "headers": list(HEADERS), "state": {}}
            await app(scope, receive, send)
            if number % (total // MARKS) == 0:
                # Let the exporter's thread run dry, as it would beside a server that sometimes waits.
                await asyncio.sleep(0.2)
                marks.append((number, resident()))
        return marks

    marks = asyncio.run(run())
    assert set(answered) == {200, 404}
    return marks


def table(quick: bool) -> Table:
    """Measure resident memory."""
    marks = measure.fresh(MODULE, "requests", *(["--quick"] if quick else []))
    warm, end = marks[MARKS // 5][1], marks[-1][1]
    growth = end / warm - 1
    rows = [Row(f"after {number:,} requests", f"{size / 1e6:.1f} MB") for number, size in marks]
    rows.append(
        Row(
            f"growth after the first {marks[MARKS // 5][0]:,}",
            f"{(end - warm) / 1e6:+.1f} MB",
            f"{growth:+.1%}",
            f"<= {FLAT:+.0%}",
            growth <= FLAT,
        )
    )
    return Table(
        "Memory",
        f"resident, one process with four pillars, {(PATHS // 20 if quick else PATHS):,} distinct paths, "
        "a tenth of the requests without a route",
        rows,
    )


if __name__ == "__main__":
    measure.main(MODULE, table, {"requests": requests})
