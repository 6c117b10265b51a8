"""Tempo with the committed file, wherever its program is given: spans in, traces out by id and by TraceQL."""

from __future__ import annotations

import os
import secrets
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.engines.sockets import sockets_of
from tests.engines.waiting import await_

if TYPE_CHECKING:
    from tests.engines.backends.running import Backends

pytestmark = pytest.mark.engines


@pytest.fixture
def tempo(backends: Backends) -> Backends:
    """The backends, if Tempo is one of them."""
    if not backends.has("tempo"):
        pytest.skip("not run: tempo (give its program by OBS_TEMPO or on PATH)")
    return backends


def _push(tempo: Backends, service: str, *, error: bool = False, **fields: str) -> str:
    """Send a trace of one span and return its id."""
    trace = secrets.token_bytes(16)
    tempo.push_request(service, trace=trace, error=error, **fields)
    return trace.hex()


def _search(tempo: Backends, query: str) -> list[dict[str, Any]]:
    """Return what Grafana's search of the last hour shows."""
    now = int(time.time())
    found = tempo.json("tempo", "/api/search", q=query, start=str(now - 3600), end=str(now), limit="20")
    traces: list[dict[str, Any]] = found.get("traces", [])
    return traces


def test_a_trace_is_found_by_its_id_and_by_what_it_says(tempo: Backends) -> None:
    failed = _push(tempo, "storefront", error=True, order="o-1", stack="x" * 10_000)
    _push(tempo, "storefront", order="o-2")

    found = tempo.await_answer(f"{tempo.url('tempo')}/api/traces/{failed}")
    assert b"o-1" in found
    assert b"x" * 10_000 in found

    query = '{ resource.service.name = "storefront" && status = error && span.order = "o-1" }'
    traces = await_(lambda: _search(tempo, query), query, instead=lambda: tempo.log("tempo")[-2000:])

    # Leading zeros are not shown by the search.
    assert [int(one["traceID"], 16) for one in traces] == [int(failed, 16)]
    assert traces[0]["rootServiceName"] == "storefront"


def test_a_trace_that_was_idle_for_some_seconds_survives_a_crash(tempo: Backends) -> None:
    trace = _push(tempo, "survivor")
    # Twice max_trace_idle and flush_check_period: what is younger may be lost.
    time.sleep(4)
    tempo.await_answer(f"{tempo.url('tempo')}/api/traces/{trace}")

    os.kill(tempo.running["tempo"].pid, signal.SIGKILL)
    tempo.stop("tempo")
    tempo.start("tempo")

    assert b"survivor" in tempo.await_answer(f"{tempo.url('tempo')}/api/traces/{trace}")


def test_retention_is_in_effect_and_nothing_is_generated_or_reported(tempo: Backends) -> None:
    config = tempo.ask(tempo.url("tempo") + "/status/config")[1].decode()

    retentions = [
        line.split()[1] for line in config.splitlines() if line.strip().startswith("block_retention:")
    ]
    assert retentions == ["168h0m0s", "168h0m0s"]
    assert "reporting_enabled: false" in config
    # Metrics of spans are the collector's alone.
    assert "metrics generator will be disabled" in tempo.log("tempo")


def test_it_listens_on_the_addresses_of_the_table_only(tempo: Backends) -> None:
    given = {tempo.site.numbers["tempo", role] for role in ("http", "grpc", "otlp_grpc")}

    assert _listening(tempo.running["tempo"].pid) == {("127.0.0.1", port) for port in given}


def _listening(pid: int) -> set[tuple[str, int]]:
    """Return the addresses on which a process listens."""
    sockets = sockets_of(pid)
    found = set()
    for table in ("tcp", "tcp6"):
        lines = Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]
        for fields in map(str.split, lines):
            if fields[3] == "0A" and fields[9] in sockets:
                address, _, port = fields[1].partition(":")
                loopback = address in ("0100007F", "00000000000000000000000001000000")
                found.add(("127.0.0.1" if loopback else address, int(port, 16)))
    return found
