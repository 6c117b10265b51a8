"""A Prometheus over the blocks of a test: it scrapes nobody, and is asked about what was written there before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from obs.stack import process
from obs.stack.ports import LOOPBACK, Endpoint, free
from obs.stack.process import Program


@contextmanager
def serve(program: Path, data: Path) -> Iterator[str]:
    """Run a Prometheus over a directory of blocks and yield its address; its log stands beside the directory."""
    config, port = data.parent / "prometheus.yml", free()
    config.write_text("global: {}\n", encoding="utf-8")
    running = process.start(
        Program(
            "prometheus",
            (
                str(program), f"--config.file={config}", f"--storage.tsdb.path={data}",
                "--storage.tsdb.retention.time=40d", f"--web.listen-address={LOOPBACK}:{port}",
            ),
            data.parent / "prometheus.log",
            Endpoint("prometheus", port, "/-/ready"),
            ready_within=120.0,
            stop_within=60.0,
        )
    )  # fmt: skip
    try:
        yield f"http://{LOOPBACK}:{port}"
    finally:
        process.stop(running)
