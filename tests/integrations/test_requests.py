"""Outgoing calls by requests: measured until the body's last byte, traced, and carrying our ids."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest
import requests

import obs

Values = Callable[..., dict[tuple[str, ...], float]]
_COUNT = "http_client_request_duration_seconds_count"
_LABELS = ("http_request_method", "server_address", "http_response_status_code", "error_type")


class Shop(ThreadingHTTPServer):
    """Answers, redirects, breaks off, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.elsewhere = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        path = self.path.partition("?")[0]
        if path in {"/moved", "/away"}:
            self.send_response(302)
            self.send_header("location", "/there" if path == "/moved" else self.server.elsewhere)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        body = b"x" * 50_000
        self.send_response(503 if path == "/down" else 200)
        self.send_header("content-length", str(len(body) * (2 if path == "/cut" else 1)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        obs.instrument(made)
        obs.instrument(made)
        yield made


def test_a_call_is_measured_by_server_and_outcome(
    shop: Shop, session: requests.Session, values: Values
) -> None:
    obs.init("shop")
    session.get(shop.url)
    session.get(f"{shop.url}/down")
    with pytest.raises(requests.ConnectionError):
        session.get("http://127.0.0.1:1/")
    assert values(_COUNT, *_LABELS) == {
        ("GET", "127.0.0.1", "200", ""): 1,
        ("GET", "127.0.0.1", "503", "503"): 1,
        ("GET", "127.0.0.1", "", "ConnectionError"): 1,
    }


def test_the_request_carries_the_ids_of_its_span(
    shop: Shop, session: requests.Session, collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    with obs.extract({"x-request-id": "req-1"}), obs.span("outer"):
        session.get(shop.url.replace("//", "//user:hunter2@") + "/pay?token=hunter2#hunter2")
        here = obs.ids().span_id
    assert obs.flush(30)
    call, outer = collector.spans
    assert (call.name, call.kind, call.parent_span_id) == ("GET", 3, outer.span_id)
    assert here == outer.span_id.hex()
    _, headers = shop.asked[0]
    assert headers["traceparent"] == f"00-{call.trace_id.hex()}-{call.span_id.hex()}-01"
    assert headers["x-request-id"] == "req-1"
    assert attributes(call)["url.full"] == f"{shop.url}/pay"
    assert "hunter2" not in str(call)


def test_each_redirect_is_a_call_with_a_span_of_its_own(
    shop: Shop, session: requests.Session, values: Values, collector: Any
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    assert session.get(f"{shop.url}/moved").url == f"{shop.url}/there"
    assert {key[2]: count for key, count in values(_COUNT, *_LABELS).items()} == {"302": 1, "200": 1}
    assert obs.flush(30)
    sent = [headers["traceparent"].split("-")[2] for _, headers in shop.asked]
    assert sent == [span.span_id.hex() for span in collector.spans]


def test_our_headers_follow_no_redirect_out_of_the_house(shop: Shop, session: requests.Session) -> None:
    shop.elsewhere = f"{shop.url.replace('127.0.0.1', 'localhost')}/there"
    obs.init("shop", propagate_to="127.0.0.1")
    with obs.extract({"x-request-id": "req-1"}):
        session.get(f"{shop.url}/away")
    (_, inside), (_, outside) = shop.asked
    assert {"traceparent", "x-request-id"} <= set(inside)
    assert not {"traceparent", "x-request-id"} & set(outside)


def test_headers_set_by_the_caller_stay(shop: Shop, session: requests.Session) -> None:
    obs.init("shop")
    session.get(shop.url, headers={"traceparent": "mine"})
    assert shop.asked[0][1]["traceparent"] == "mine"


def test_a_streamed_body_counts_when_it_has_been_read(
    shop: Shop, session: requests.Session, values: Values
) -> None:
    obs.init("shop")
    with obs.span("outer"):
        here = obs.ids()
        response = session.get(shop.url, stream=True)
        assert obs.ids() == here
        assert values(_COUNT, *_LABELS) == {}
        assert sum(len(part) for part in response.iter_content(1_000)) == 50_000
    assert values(_COUNT, *_LABELS) == {("GET", "127.0.0.1", "200", ""): 1}


def test_a_streamed_body_that_is_given_up_or_forgotten_counts_as_well(
    shop: Shop, session: requests.Session, values: Values
) -> None:
    obs.init("shop")
    given_up = session.get(shop.url, stream=True)
    given_up.close()
    assert given_up.raw.closed
    assert sum(values(_COUNT, *_LABELS).values()) == 1
    gc.disable()
    try:
        assert session.get(shop.url, stream=True).status_code == 200
    finally:
        gc.enable()
    assert sum(values(_COUNT, *_LABELS).values()) == 2


def test_a_body_that_breaks_off_is_an_error(shop: Shop, session: requests.Session, values: Values) -> None:
    obs.init("shop")
    response = session.get(f"{shop.url}/cut", stream=True)
    # What urllib3 makes of it is by version an error or just an end.
    try:
        response.content  # noqa: B018 - reads the body
    except requests.exceptions.RequestException as error:
        wanted = type(error).__name__
    else:
        wanted = ""
    assert values(_COUNT, *_LABELS) == {("GET", "127.0.0.1", "200", wanted): 1}


def test_the_module_stands_for_every_session_of_it(
    shop: Shop, values: Values, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests.Session, "get_adapter", requests.Session.get_adapter)
    monkeypatch.setattr(requests, "_obs_instrumented", False, raising=False)
    monkeypatch.delattr(requests, "_obs_instrumented")
    assert isinstance(requests, ModuleType)
    obs.init("shop")
    obs.instrument(requests)
    obs.instrument(requests)
    requests.get(shop.url, timeout=10)
    with requests.Session() as session:
        obs.instrument(session)
        session.get(shop.url)
    assert sum(values(_COUNT, *_LABELS).values()) == 2


def test_an_exporters_own_requests_are_not_observed(
    shop: Shop, session: requests.Session, values: Values
) -> None:
    obs.init("shop")
    session.get(f"{shop.url}/v1/traces")
    assert values(_COUNT, *_LABELS) == {}
    assert "traceparent" not in shop.asked[0][1]


def test_before_init_a_call_just_happens(shop: Shop, session: requests.Session) -> None:
    assert session.get(shop.url).status_code == 200
    assert "traceparent" not in shop.asked[0][1]
