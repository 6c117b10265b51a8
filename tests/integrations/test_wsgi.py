"""Plain WSGI: one observation, span, line and the same ids for a request, however its body is made."""

from __future__ import annotations

import contextlib
import gc
import io
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref import util
from wsgiref.validate import validator

import pytest
from tests.integrations.wsgi_servers import Answer, Start, fetch, serving

import obs
from obs.integrations.wsgi import Middleware
from obs.runtime import endpoints
from obs.testing import Telemetry

TRACE = "0af7651916cd43dd8448eb211c80319c"
DURATION = "http.server.duration"


def plain(environ: Any, start: Start) -> Iterable[bytes]:
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def test_a_request_is_one_observation_one_span_and_one_line_with_the_same_ids(telemetry: Telemetry) -> None:
    answer = Answer(Middleware(plain, resolve=lambda _: "/things/<n>"), "/things/7")
    assert (answer.status, answer.body) == ("200 OK", b"ok")
    telemetry.assert_counted(DURATION, 1, {"http.route": "/things/<n>", "http.response.status_code": "200"})
    (span,) = telemetry.spans
    assert (span.name, span.kind) == ("GET /things/<n>", "server")
    (line,) = telemetry.logs
    assert (line["message"], line["path"], line["client"]) == ("GET /things/<n> 200", "/things/7", "10.0.0.9")
    assert line["trace_id"] == span.trace_id
    assert answer.headers["x-request-id"] == line["request_id"]
    assert answer.headers["traceparent"] == f"00-{span.trace_id}-{span.span_id}-01"
    assert telemetry.value("http.server.active", {"http.request.method": "GET"}) == 0


def test_the_callers_trace_and_ids_are_continued(telemetry: Telemetry) -> None:
    given: dict[str, Any] = {
        "HTTP_TRACEPARENT": f"00-{TRACE}-b7ad6b7169203331-01",
        "HTTP_X_REQUEST_ID": "r-1",
    }
    answer = Answer(Middleware(plain), **given)
    assert telemetry.spans[0].trace_id == TRACE
    assert (answer.headers["x-request-id"], answer.headers["x-correlation-id"]) == ("r-1", "r-1")


def test_who_called_is_known_to_audit_records_inside(telemetry: Telemetry) -> None:
    from obs.runtime import context

    seen = []

    def app(environ: Any, start: Start) -> Iterable[bytes]:
        seen.append(context.client.get())
        return plain(environ, start)

    Answer(Middleware(app), HTTP_USER_AGENT="curl/8")
    assert seen == [("10.0.0.9", "curl/8")]
    assert context.client.get() == ("", "")


def test_a_list_is_handed_on_as_it_is_so_that_servers_know_its_length(telemetry: Telemetry) -> None:
    environ: dict[str, Any] = {}
    util.setup_testing_defaults(environ)
    assert Middleware(plain)(environ, lambda *_: io.BytesIO().write) == [b"ok"]
    assert len(telemetry.logs) == 1


def test_a_streamed_body_keeps_the_ids_until_it_is_closed(telemetry: Telemetry) -> None:
    closed = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            for number in range(3):
                obs.log.info("step", number=number)
                yield str(number).encode()

        def close(self) -> None:
            closed.append(obs.ids().trace_id)

    def app(environ: Any, start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        return Body()

    answer = Answer(Middleware(app))
    (span,) = telemetry.spans
    assert answer.body == b"012"
    assert closed == [span.trace_id]
    assert [line["trace_id"] for line in telemetry.logs] == [span.trace_id] * 4
    assert obs.ids().trace_id == ""


def test_a_body_that_is_closed_twice_is_one_request_and_no_error(telemetry: Telemetry) -> None:
    # Werkzeug's test client and some servers do, each layer for itself.
    def app(environ: Any, start: Start) -> Iterable[bytes]:
        start("200 OK", [])
        return iter([b"ok"])

    body: Any = Middleware(app)({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: io.BytesIO().write)
    assert list(body) == [b"ok"]
    body.close()
    body.close()
    assert (len(telemetry.spans), len(telemetry.logs)) == (1, 1)
    telemetry.assert_counted(DURATION, 1, {"http.response.status_code": "200"})
    assert telemetry.value("obs.errors", {"component": "integration"}) == 0


def test_where_the_servers_own_logging_cannot_be_adopted_requests_are_served(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(endpoints, "offer", broken)
    middleware = Middleware(plain)
    assert Answer(middleware).body == b"ok"
    assert Answer(middleware).body == b"ok"
    assert Answer(middleware, "/live").status == "200 OK"


def test_a_generator_that_starts_its_response_late_is_recorded_with_its_status(telemetry: Telemetry) -> None:
    def app(environ: Any, start: Start) -> Iterator[bytes]:
        start("404 Not Found", [])
        yield b"no"

    answer = Answer(Middleware(app))
    assert answer.headers["x-request-id"]
    telemetry.assert_counted(DURATION, 1, {"http.response.status_code": "404"})


def test_what_is_written_through_the_old_door_arrives(telemetry: Telemetry) -> None:
    def app(environ: Any, start: Start) -> Iterable[bytes]:
        write = start("200 OK", [])
        write(b"a")
        return [b"b"]

    assert Answer(Middleware(app)).body == b"ab"


def test_an_application_that_raises_is_answered_with_ids_and_its_error_reaches_the_server(
    telemetry: Telemetry,
) -> None:
    def app(environ: Any, start: Start) -> Iterable[bytes]:
        raise ValueError("kaputt")

    answer = Answer(Middleware(app))
    assert (answer.status, answer.body) == ("500 Internal Server Error", b"Internal Server Error")
    assert isinstance(answer.error, ValueError)
    failure, access = telemetry.logs
    assert "kaputt" in failure["exception"]
    assert answer.headers["x-request-id"] == failure["request_id"] == access["request_id"]
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
    telemetry.assert_counted(DURATION, 1, {"http.response.status_code": "500"})
    assert telemetry.spans[0].status == "error"


def test_a_head_request_that_fails_is_answered_before_anybody_iterates(telemetry: Telemetry) -> None:
    def app(environ: Any, start: Start) -> Iterable[bytes]:
        raise ValueError

    statuses: list[str] = []
    environ: dict[str, Any] = {"REQUEST_METHOD": "HEAD"}
    util.setup_testing_defaults(environ)
    start: Any = lambda status, *_: statuses.append(status)  # noqa: E731
    body: Any = Middleware(app)(environ, start)
    body.close()
    assert statuses == ["500 Internal Server Error"]


def test_a_response_that_fails_before_its_first_byte_is_a_500_whatever_it_had_promised(
    telemetry: Telemetry,
) -> None:
    def app(environ: Any, start: Start) -> Iterator[bytes]:
        start("200 OK", [])
        if environ:
            raise ValueError
        yield b""

    answer = Answer(Middleware(app))
    assert answer.status.startswith("500")
    assert isinstance(answer.error, ValueError)
    telemetry.assert_counted(DURATION, 1, {"http.response.status_code": "500"})


def test_an_error_in_the_middle_of_a_body_is_reported_with_the_status_that_was_sent(
    telemetry: Telemetry,
) -> None:
    def app(environ: Any, start: Start) -> Iterator[bytes]:
        start("200 OK", [])
        yield b"a"
        raise ValueError("half way")

    answer = Answer(Middleware(app))
    assert isinstance(answer.error, ValueError)
    telemetry.assert_counted(DURATION, 1, {"http.response.status_code": "200"})
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
    assert telemetry.spans[0].status == "error"
    assert "disconnected" not in telemetry.logs[-1]


@pytest.mark.parametrize("begun", [False, True])
def test_only_an_answer_that_was_begun_is_taken_back_with_the_error(
    telemetry: Telemetry, begun: bool
) -> None:
    # uWSGI raises whatever error it is given here, and never answers.
    given: list[object] = []

    def start(status: str, headers: Any, exc_info: Any = None) -> Any:
        given.append((status[:3], exc_info is not None))

    def app(environ: Any, start: Start) -> Iterable[bytes]:
        if begun:
            start("200 OK", [])
        raise ValueError("kaputt")

    with contextlib.suppress(ValueError):
        b"".join(Middleware(app)({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, start))
    assert given[-1] == ("500", begun)
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")


def test_an_error_page_of_the_applications_own_is_reported_too(telemetry: Telemetry) -> None:
    import sys

    def app(environ: Any, start: Start) -> Iterable[bytes]:
        try:
            raise ValueError("caught")  # noqa: TRY301
        except ValueError:
            start("500 Sorry", [], sys.exc_info())
            return [b"sorry"]

    answer = Answer(Middleware(app))
    assert (answer.status, answer.body, answer.error) == ("500 Sorry", b"sorry", None)
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")


def test_a_client_that_leaves_during_the_body_is_no_error(telemetry: Telemetry) -> None:
    def app(environ: Any, start: Start) -> Iterator[bytes]:
        start("200 OK", [])
        for _ in range(9):
            yield b"x"

    Answer(Middleware(app), take=2)
    (access,) = telemetry.logs
    assert access["disconnected"] is True
    telemetry.assert_no_errors()


def test_a_worker_that_is_stopped_during_a_request_leaves_no_ids_behind(telemetry: Telemetry) -> None:
    def app(environ: Any, start: Start) -> Iterable[bytes]:
        raise SystemExit

    with pytest.raises(SystemExit):
        Answer(Middleware(app))
    assert obs.ids().trace_id == ""
    assert telemetry.value("http.server.active", {"http.request.method": "GET"}) == 0


@pytest.mark.parametrize("path", ["/metrics", "/health", "/ready", "/live"])
def test_the_endpoints_of_obs_answer_and_are_not_observed(telemetry: Telemetry, path: str) -> None:
    answer = Answer(Middleware(plain), path)
    assert answer.status == "200 OK"
    assert answer.body not in {b"", b"ok"}
    assert Answer(Middleware(plain), path, "HEAD").body == b""
    assert Answer(Middleware(plain), path, "POST").body == b"ok"
    assert [line["message"] for line in telemetry.logs] == ["POST unmatched 200"]


def test_excluded_paths_are_served_and_not_observed(telemetry: Telemetry) -> None:
    app = Middleware(plain, exclude=("/admin",))
    assert [Answer(app, path).body for path in ("/admin", "/admin/x", "/administration")] == [b"ok"] * 3
    assert [line["path"] for line in telemetry.logs] == ["/administration"]


def test_the_path_includes_what_a_proxy_has_taken_and_reads_as_text(telemetry: Telemetry) -> None:
    Answer(Middleware(plain), "/caf\u00c3\u00a9", SCRIPT_NAME="/shop")
    assert telemetry.logs[0]["path"] == "/shop/caf\u00e9"


def test_headers_that_the_application_sets_itself_are_not_doubled(telemetry: Telemetry) -> None:
    def app(environ: Any, start: Start) -> Iterable[bytes]:
        start("200 OK", [("X-Request-ID", "own")])
        return []

    sent: list[Any] = []
    environ: dict[str, Any] = {}
    util.setup_testing_defaults(environ)
    keep: Any = lambda _, headers: sent.extend(headers)  # noqa: E731
    Middleware(app)(environ, keep)
    assert [value for name, value in sent if name.lower() == "x-request-id"] == ["own"]


def test_a_resolver_that_raises_costs_the_route_and_nothing_else(telemetry: Telemetry) -> None:
    def broken(environ: Any) -> str:
        raise KeyError("route")

    assert Answer(Middleware(plain, resolve=broken)).status == "200 OK"
    telemetry.assert_counted(DURATION, 1, {"http.route": "unmatched"})


def test_one_middleware_inside_another_observes_once(telemetry: Telemetry) -> None:
    Answer(Middleware(Middleware(plain)))
    assert len(telemetry.logs) == 1


def test_the_middleware_keeps_to_the_protocol_on_both_sides(telemetry: Telemetry) -> None:
    answer = Answer(validator(Middleware(validator(plain))), QUERY_STRING="", SCRIPT_NAME="")
    assert (answer.error, answer.body) == (None, b"ok")


def test_before_init_the_application_runs_as_if_alone() -> None:
    answer = Answer(Middleware(plain))
    assert answer.headers == {"content-type": "text/plain", "content-length": "2"}


def test_a_file_is_still_sent_by_the_server_itself(telemetry: Telemetry, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("from the disk")
    kept, closed = [], []

    class File(io.FileIO):
        def close(self) -> None:
            closed.append(obs.ids().trace_id)
            super().close()

    def app(environ: Any, start: Start) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        body: Iterable[bytes] = environ["wsgi.file_wrapper"](File(tmp_path / "a.txt"))
        return body

    def look(environ: Any, start: Start) -> Iterable[bytes]:
        body = Middleware(app)(environ, start)
        kept.append(isinstance(body, environ["wsgi.file_wrapper"]))
        return body

    with serving(look) as port:
        status, headers, body = fetch(port, "/a.txt")
    assert (status, body, kept) == (200, b"from the disk", [True])
    (access,) = telemetry.logs
    assert closed[0] == access["trace_id"]
    assert headers["x-request-id"] == access["request_id"]


def test_a_real_server_sends_the_500_and_hears_of_the_error(telemetry: Telemetry) -> None:
    heard: list[BaseException] = []

    def app(environ: Any, start: Start) -> Iterable[bytes]:
        raise ValueError("kaputt")

    def listen(environ: Any, start: Start) -> Iterator[bytes]:
        try:
            yield from Middleware(app)(environ, start)
        except ValueError as error:
            heard.append(error)

    with serving(listen) as port:
        status, headers, body = fetch(port, "/")
    assert (status, body) == (500, b"Internal Server Error")
    assert headers["x-request-id"]
    assert len(heard) == 1


@pytest.mark.parametrize(
    "odd",
    [{"SCRIPT_NAME": None}, {"REMOTE_ADDR": 7}, {"HTTP_X_REQUEST_ID": b"bytes"}, {"HTTP_USER_AGENT": None}],
)
def test_an_environ_that_cannot_be_read_is_served_as_if_obs_were_not_there(
    telemetry: Telemetry, odd: dict[str, Any]
) -> None:
    answer = Answer(Middleware(plain), **odd)
    assert (answer.status, answer.body, answer.error) == ("200 OK", b"ok", None)


def test_headers_that_cannot_be_read_reach_the_server_as_they_are(telemetry: Telemetry) -> None:
    sent: list[Any] = []

    def app(environ: Any, start: Start) -> Iterable[bytes]:
        start("200 OK", [("odd", "1", "2")])
        return []

    environ: dict[str, Any] = {}
    util.setup_testing_defaults(environ)
    keep: Any = lambda _, headers: sent.extend(headers)  # noqa: E731
    Middleware(app)(environ, keep)
    assert sent == [("odd", "1", "2")]


def test_what_a_failed_request_had_in_hand_is_freed_at_once(telemetry: Telemetry) -> None:
    held: list[Any] = []

    class Upload:
        """Stands for something large."""

    def app(environ: Any, start: Start) -> Iterable[bytes]:
        upload = Upload()
        held.append(weakref.ref(upload))
        raise ValueError

    environ: dict[str, Any] = {}
    util.setup_testing_defaults(environ)
    gc.disable()
    try:
        body: Any = Middleware(app)(environ, lambda *_: io.BytesIO().write)
        with contextlib.suppress(ValueError):
            b"".join(body)
        body.close()
        del body
        environ.clear()
        # Before the garbage collector has had a reason to run.
        assert held[0]() is None
    finally:
        gc.enable()
