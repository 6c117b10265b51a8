"""The TLS overlay: a sender without a certificate of the stack is refused, and so is a back end without one."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests import certificates
from tests.engines.collector import otlp
from tests.engines.collector.backend import Backend
from tests.engines.collector.running import Collector, parse, running, site
from tests.engines.waiting import await_

from obs.stack import bundle, render
from obs.stack.certs.folder import Folder
from obs.stack.ports import free

pytestmark = pytest.mark.engines


@pytest.fixture
def certs(tmp_path: Path) -> Folder:
    """Certificates as `obs stack certs` makes them, where the overlay looks for them."""
    folder = Folder.of(tmp_path)
    certificates.make(folder)
    return folder


def _server(certs: Folder, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=str(certs.authority_certificate_path)
    )
    context.load_cert_chain(certs.certificate_path(name), certs.key_path(name))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _client(certs: Folder, name: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certs.authority_certificate_path))
    if name:
        context.load_cert_chain(certs.certificate_path(name), certs.key_path(name))
    return context


@contextlib.contextmanager
def _caller(collector: Collector, context: ssl.SSLContext | None) -> Iterator[None]:
    """Let it be called by somebody else for a while: None speaks without TLS."""
    own, collector.client = collector.client, context
    try:
        yield
    finally:
        collector.client = own


#: What a server of Go answers whom it does not know, by its alert or by the end of the connection.
REFUSED = r"certificate required|alert|reset|EOF|closed connection|Broken pipe"


@pytest.fixture
def secured(tmp_path: Path, certs: Folder) -> Iterator[tuple[Collector, Backend]]:
    """The collector under TLS, with its own metrics on a further port as they are without."""
    plain, ours = (
        render.load(bundle.path("collector", name))["service"]["telemetry"]["metrics"]["readers"]
        for name in ("collector.yml", "tls.yml")
    )
    unsecured = free()
    plain[0]["pull"]["exporter"]["prometheus"].update(host="127.0.0.1", port=unsecured)
    ours[0]["periodic"]["interval"] = 500
    both = {"service": {"telemetry": {"metrics": {"readers": [*plain, *ours]}}}}
    with Backend(_server(certs, "loki")) as loki:
        place = site(tmp_path, loki_http=loki.http_port)
        collector = Collector(
            replace(place, numbers={**place.numbers, ("collector", "unsecured"): unsecured}),
            environment={"OBS_COLLECTOR_OWN_PORT": str(free())},
            overlays=[json.dumps(both)],
            further=["tls.yml"],
            client=_client(certs, "client"),
        )
        for file in collector.files:
            # So that a test needs not wait for what is read again.
            file.write_text(
                file.read_text(encoding="utf-8").replace("reload_interval: 1h", "reload_interval: 1s")
            )
        with running(collector):
            yield collector, loki


def test_every_hop_wants_a_certificate_of_the_stack(
    secured: tuple[Collector, Backend], certs: Folder
) -> None:
    collector, loki = secured
    body = otlp.logs(otlp.resource("secured"), [("line 1", {})])
    with _caller(collector, None):
        assert collector.send("logs", body) == 400
    with _caller(collector, _client(certs)):
        assert collector.send("logs", body) == 0
    assert collector.send("logs", body) == 200
    await_(lambda: len(list(loki.received.records())) == 1, "the line arrived over TLS")
    for role, path in (("health", "/"), ("metrics", "/metrics"), ("span_metrics", "/metrics")):
        with _caller(collector, None):
            assert collector.get(role, path)[0] == 400, role
        with _caller(collector, _client(certs)), pytest.raises(OSError, match=REFUSED):
            collector.get(role, path)
        assert collector.get(role, path)[0] == 200, role


def test_a_renewed_certificate_is_shown_without_a_restart(
    secured: tuple[Collector, Backend], certs: Folder
) -> None:
    collector, loki = secured

    def shown() -> dict[str, bytes | None]:
        return {role: _shown(collector, role) for role in ("otlp_http", "metrics", "span_metrics", "health")}

    before = shown()
    certificates.make(certs, "collector", "client")
    collector.client = _client(certs, "client")
    await_(lambda: not set(shown().values()) & set(before.values()), "each port shows the new one")
    assert len(set(shown().values())) == 1
    body = otlp.logs(otlp.resource("renewed"), [("line 1", {})])
    assert collector.send("logs", body) == 200
    await_(lambda: len(list(loki.received.records())) == 1, "the line arrived")


def _shown(collector: Collector, role: str) -> bytes | None:
    connection = collector.connection(role)
    try:
        connection.connect()
        assert isinstance(connection.sock, ssl.SSLSocket)
        return connection.sock.getpeercert(binary_form=True)
    finally:
        connection.close()


#: Told under another name, which no rule and no panel asks for: the exporter lets "total" stand at the end only.
RENAMED = {"otelcol_process_runtime_total_alloc_bytes_total": "otelcol_process_runtime_alloc_bytes_total"}
#: About the way that is not taken.
OF_THE_READER = {"promhttp_metric_handler_errors_total", "target_info"}


def test_its_own_metrics_are_told_under_the_same_names_as_without(
    secured: tuple[Collector, Backend],
) -> None:
    collector, loki = secured
    of = otlp.resource("told")
    assert collector.send("traces", otlp.traces(of, [otlp.span(failed=True)])) == 200
    assert collector.send("metrics", otlp.samples(of, "told", {}, 1)) == 200
    loki.status = 400
    assert collector.send("logs", otlp.logs(of, [("refused for good", {})])) == 200
    with _caller(collector, None):
        failed = "otelcol_exporter_send_failed_log_records"
        await_(lambda: failed in collector.scrape("unsecured"), "it was refused")
    loki.status = 200
    assert collector.send("logs", otlp.logs(of, [("password=hunter2hunter2", {})])) == 200
    with _caller(collector, None):
        await_(lambda: "otelcol_exporter_sent_log_records" in collector.scrape("unsecured"), "it was sent")
    await_(lambda: "otelcol_exporter_sent_log_records" in collector.scrape(), "the metrics come round")
    with _caller(collector, None):
        expected = _series(collector.scrape("unsecured"))
    await_(lambda: expected <= _series(collector.scrape()), "every series comes round")


def _series(text: str) -> set[tuple[str, str, frozenset[tuple[str, str]]]]:
    """Return type, name and labels of each series."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    return {
        (
            next(kind for family, kind in types.items() if name in (family, *_parts(family))),
            RENAMED.get(name, name),
            frozenset(labels.items()),
        )
        for name, labels, _ in parse(text)
        if name not in OF_THE_READER
    }


def _parts(family: str) -> tuple[str, ...]:
    return tuple(f"{family}_{part}" for part in ("bucket", "sum", "count"))
