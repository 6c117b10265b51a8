"""Django, plain and asynchronous, under its test clients and as WSGI and ASGI application."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults

import django
import httpx
import pytest
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.test import AsyncClient, Client, override_settings
from tests.integrations import django_views
from tests.integrations.django_site import configure

import obs
from obs.integrations.django import Middleware
from obs.testing import Telemetry

OURS = "obs.integrations.django.Middleware"
DURATION = "http.server.duration"


class Plain:
    """A middleware of the user's that cannot run asynchronously."""

    sync_capable, async_capable = True, False

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        return self.get_response(request)


configure()


@pytest.fixture(autouse=True)
def _site() -> Iterator[None]:
    with override_settings(
        ROOT_URLCONF=django_views.__name__, MIDDLEWARE=[OURS, "django.middleware.common.CommonMiddleware"]
    ):
        yield


def call(url: str, *, asynchronous: bool, method: str = "get", **headers: str) -> Any:
    """Send one request through Django's own test client, read the whole answer and close it."""

    async def later() -> Any:
        answer = await getattr(AsyncClient(raise_request_exception=False), method)(url, headers=headers)
        try:
            if answer.streaming and answer.is_async:
                answer.body = b"".join([part async for part in answer.streaming_content])
        finally:
            answer.close()
        return answer

    if asynchronous:
        return asyncio.run(later())
    answer = getattr(Client(raise_request_exception=False), method)(url, headers=headers)
    try:
        if answer.streaming:
            answer.body = b"".join(answer.streaming_content)
    finally:
        answer.close()
    return answer


def routes(telemetry: Telemetry) -> list[tuple[str, int]]:
    return [(line["route"], line["status"]) for line in telemetry.logs if line.get("event") == "http.request"]


both = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


@both
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/items/7/", ("/items/<int:number>/", 200)),
        ("/api/blue/items/7/", ("/api/<slug:tenant>/items/<int:number>/", 200)),
        ("/news/articles/2026/", ("/news/articles/<year>/", 200)),
        ("/later/", ("/later/", 200)),
        ("/missing/", ("/missing/", 404)),
        ("/busy/", ("/busy/", 503)),
        ("/items/7", ("unmatched", 301)),
        ("/scan/1", ("unmatched", 404)),
    ],
)
def test_a_request_has_the_template_of_its_route_and_one_line(
    telemetry: Telemetry, url: str, expected: tuple[str, int], asynchronous: bool
) -> None:
    answer = call(url, asynchronous=asynchronous)
    assert answer.status_code == expected[1]
    assert routes(telemetry) == [expected]
    telemetry.assert_counted(DURATION, 1, {"http.route": expected[0]})
    assert not [line for line in telemetry.logs if line.get("logger", "").startswith("django")]
    assert answer.headers["x-request-id"] == telemetry.logs[-1]["request_id"]


@both
@pytest.mark.parametrize("url", ["/items/7/", "/later/"])
def test_a_view_is_in_the_trace_of_its_request_whichever_kind_it_is(
    telemetry: Telemetry, url: str, asynchronous: bool
) -> None:
    answer = call(url, asynchronous=asynchronous)
    (span,) = telemetry.spans
    assert answer.json() == {"trace": span.trace_id}
    assert [line["trace_id"] for line in telemetry.logs] == [span.trace_id] * 2
    assert obs.ids().trace_id == ""


@both
def test_a_plain_middleware_of_the_user_does_not_part_the_trace(
    telemetry: Telemetry, asynchronous: bool
) -> None:
    with override_settings(MIDDLEWARE=[OURS, f"{__name__}.Plain"]):
        answer = call("/items/7/", asynchronous=asynchronous)
    assert answer.json() == {"trace": telemetry.spans[0].trace_id}
    assert len(routes(telemetry)) == 1


@both
@pytest.mark.parametrize("url", ["/boom/", "/later-boom/"])
def test_an_error_that_django_turns_into_a_500_is_reported_once_and_the_users_page_is_shown(
    telemetry: Telemetry, url: str, asynchronous: bool
) -> None:
    answer = call(url, asynchronous=asynchronous)
    assert (answer.status_code, answer.content) == (500, b"our own page")
    failure, access = telemetry.logs
    assert "kaputt" in failure["exception"]
    assert access["message"] == f"GET {url} 500"
    assert answer.headers["x-request-id"] == failure["request_id"] == access["request_id"]
    assert failure["trace_id"] == access["trace_id"]
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
    (span,) = telemetry.spans
    assert (span.status, [name for name, _ in span.events]) == ("error", ["exception"])


@both
def test_an_error_that_django_is_told_to_raise_is_reported_once(
    telemetry: Telemetry, asynchronous: bool
) -> None:
    with override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True), pytest.raises(ValueError, match="kaputt"):
        call("/boom/", asynchronous=asynchronous)
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
    assert routes(telemetry) == [("/boom/", 500)]
    assert obs.ids().trace_id == ""


@both
def test_what_django_says_about_a_refusal_is_kept(telemetry: Telemetry, asynchronous: bool) -> None:
    call("/refused/", asynchronous=asynchronous)
    assert routes(telemetry) == [("/refused/", 403)]
    (own,) = [line for line in telemetry.logs if line.get("logger") == "django.request"]
    assert own["message"].startswith("Forbidden")


def test_without_access_lines_django_keeps_its_own(telemetry: Telemetry) -> None:
    obs.init("shop", access_log=False)
    call("/missing/", asynchronous=False)
    assert [line["message"] for line in telemetry.logs] == ["Not Found: /missing/"]


@pytest.mark.parametrize(
    ("url", "asynchronous"), [("/stream/", False), ("/later-stream/", True)], ids=["sync", "async"]
)
def test_a_streamed_body_is_in_the_trace_until_it_is_closed(
    telemetry: Telemetry, url: str, asynchronous: bool
) -> None:
    answer = call(url, asynchronous=asynchronous)
    assert answer.body == b"012"
    (span,) = telemetry.spans
    assert [line["trace_id"] for line in telemetry.logs] == [span.trace_id] * 4
    assert routes(telemetry) == [(url, 200)]
    assert "disconnected" not in telemetry.logs[-1]
    assert obs.ids().trace_id == ""


def test_an_error_in_a_streamed_body_is_reported(telemetry: Telemetry) -> None:
    with pytest.raises(ValueError, match="half way"):
        call("/broken-stream/", asynchronous=False)
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
    assert routes(telemetry) == [("/broken-stream/", 200)]
    assert "half way" in telemetry.logs[0]["exception"]


@both
@pytest.mark.parametrize("url", ["/metrics", "/health", "/ready", "/live"])
def test_the_endpoints_of_obs_answer_and_are_not_observed(
    telemetry: Telemetry, url: str, asynchronous: bool
) -> None:
    answer = call(url, asynchronous=asynchronous)
    assert (answer.status_code, bool(answer.content)) == (200, True)
    assert call(url, asynchronous=asynchronous, method="post").status_code == 404
    assert [line["message"] for line in telemetry.logs] == ["POST unmatched 404"]


class Selective(Middleware):
    exclude = ("/items",)


def test_paths_can_be_excluded_by_a_subclass(telemetry: Telemetry) -> None:
    with override_settings(MIDDLEWARE=[f"{__name__}.Selective"]):
        assert call("/items/7/", asynchronous=False).status_code == 200
        call("/busy/", asynchronous=False)
    assert routes(telemetry) == [("/busy/", 503)]


@both
def test_the_callers_trace_and_ids_are_continued(telemetry: Telemetry, asynchronous: bool) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    given = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "X-Request-ID": "r-1"}
    answer = call("/items/7/", asynchronous=asynchronous, **given)
    assert telemetry.spans[0].trace_id == trace
    assert answer.headers["x-request-id"] == "r-1"


class Wsgi:
    """A WSGI server for one request."""

    def __init__(self, application: Any, url: str) -> None:
        environ: dict[str, Any] = {"PATH_INFO": url, "wsgi.file_wrapper": FileWrapper}
        setup_testing_defaults(environ)
        self.status = ""
        self.wrapped = False

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            self.status, self.headers = status, dict(headers)

        body = application(environ, start)
        self.wrapped = isinstance(body, FileWrapper)
        self.body = b"".join(body)
        body.close()


def test_a_wsgi_application_is_instrumented_in_place(telemetry: Telemetry) -> None:
    with override_settings(MIDDLEWARE=[]):
        application = get_wsgi_application()
        obs.instrument(application, exclude=("/busy",))
        obs.instrument(application)
        for url in ("/items/7/", "/boom/", "/busy/"):
            Wsgi(application, url)
    assert routes(telemetry) == [("/items/<int:number>/", 200), ("/boom/", 500)]
    assert obs.ids().trace_id == ""


def test_the_middleware_in_the_settings_and_on_the_application_observe_once(telemetry: Telemetry) -> None:
    application = get_wsgi_application()
    obs.instrument(application)
    Wsgi(application, "/items/7/")
    assert len(routes(telemetry)) == len(telemetry.spans) == 1


def test_a_file_is_still_sent_by_the_server_itself(telemetry: Telemetry) -> None:
    answer = Wsgi(get_wsgi_application(), "/file/")
    assert (answer.wrapped, answer.body) == (True, b"from the disk")
    assert routes(telemetry) == [("/file/", 200)]


def test_a_client_that_leaves_during_a_streamed_body_is_no_error(telemetry: Telemetry) -> None:
    environ: dict[str, Any] = {"PATH_INFO": "/stream/"}
    setup_testing_defaults(environ)
    body: Any = get_wsgi_application()(environ, lambda *_: None)
    next(iter(body))
    body.close()
    assert telemetry.logs[-1]["disconnected"] is True
    telemetry.assert_no_errors()


def test_an_asgi_application_is_instrumented_in_place(telemetry: Telemetry) -> None:
    with override_settings(MIDDLEWARE=[]):
        application = get_asgi_application()
        obs.instrument(application)

        async def run() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app=application)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
                return [
                    await client.get(url) for url in ("/items/7/", "/later-stream/", "/boom/", "/metrics")
                ]

        answers = asyncio.run(run())
    assert [answer.status_code for answer in answers] == [200, 200, 500, 200]
    assert answers[1].text == "012"
    # Django closes a response in another task than it was made in.
    assert {line["trace_id"] for line in telemetry.logs} == {span.trace_id for span in telemetry.spans}
    assert routes(telemetry) == [("/items/<int:number>/", 200), ("/later-stream/", 200), ("/boom/", 500)]


def test_a_client_that_leaves_an_asynchronous_stream_is_told_by_the_line_and_is_no_error(
    telemetry: Telemetry,
) -> None:
    application = get_asgi_application()
    sent: list[Any] = []

    async def run() -> None:
        gone = asyncio.Event()
        waiting = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            if waiting:
                return waiting.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            if len(sent) == 3:
                gone.set()

        scope = {
            "type": "http", "method": "GET", "path": "/patient-stream/", "query_string": b"", "headers": [],
            "scheme": "http", "server": ("s", 80), "client": ("c", 1), "root_path": "", "asgi": {"version": "3.0"},
        }  # fmt: skip
        await application(scope, receive, send)

    asyncio.run(run())
    (access,) = telemetry.logs
    assert (access["route"], access["status"], access["level"]) == ("/patient-stream/", 200, "info")
    assert access["trace_id"] == telemetry.spans[0].trace_id
    # Before 5.0 Django does not listen, and sends to the end.
    assert access.get("disconnected", False) is (django.VERSION >= (5, 0))
    assert telemetry.value("http.server.active", {"http.request.method": "GET"}) == 0
    telemetry.assert_no_errors()


def test_the_access_line_of_the_development_server_is_replaced(telemetry: Telemetry) -> None:
    call("/items/7/", asynchronous=False)
    telemetry.clear()
    own = logging.getLogger("django.server")
    own.warning('"GET /items/7/?token=x HTTP/1.1" 404 2', extra={"server_time": "now", "status_code": 404})
    own.warning("- Broken pipe from %s", "127.0.0.1")
    assert [line["message"] for line in telemetry.logs] == ["- Broken pipe from 127.0.0.1"]


def test_before_init_the_application_runs_as_if_alone() -> None:
    assert "x-request-id" not in call("/items/7/", asynchronous=False).headers
