"""Flask: the whole template of a route, errors that Flask answers itself, bodies made step by step."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort, request, stream_with_context
from flask.logging import default_handler
from flask.views import MethodView
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse

import obs
from obs.errors import ObsError
from obs.testing import Telemetry

DURATION = "http.server.duration"


def make_shop() -> Flask:  # noqa: C901 - one view each
    app = Flask("shop", static_folder=None)
    basket = Blueprint("basket", "basket", url_prefix="/basket")
    lines = Blueprint("lines", "lines", url_prefix="/lines")

    @lines.get("/<int:number>")
    def line(number: int) -> dict[str, int]:
        return {"number": number}

    basket.register_blueprint(lines)
    app.register_blueprint(basket)

    @app.get("/items/<item>")
    def item(item: str) -> dict[str, str]:
        obs.log.info("looked up", item=item)
        return {"item": item}

    @app.get("/boom")
    def boom() -> str:
        raise ValueError("kaputt")

    @app.get("/gone")
    def gone() -> str:
        abort(410)

    @app.get("/later")
    async def later() -> dict[str, str]:
        obs.log.info("in a coroutine")
        return {"trace": obs.ids().trace_id}

    @app.get("/stream")
    def stream() -> Response:
        def steps() -> Iterator[str]:
            for number in range(2):
                obs.log.info("step", number=number)
                yield f"{number}{request.path}"

        return Response(stream_with_context(steps()))

    @app.get("/broken-stream")
    def broken_stream() -> Response:
        def steps() -> Iterator[str]:
            yield "a"
            raise ValueError("half way")

        return Response(steps())

    class Orders(MethodView):
        def get(self, number: int) -> dict[str, int]:
            return {"number": number}

        def put(self, number: int) -> dict[str, int]:
            return {"number": number}

    app.add_url_rule("/orders/<int:number>", view_func=Orders.as_view("orders"))
    return app


@pytest.fixture
def shop(telemetry: Telemetry) -> Flask:
    app = make_shop()
    obs.instrument(app)
    return app


def get(app: Any, path: str, method: str = "GET", **options: Any) -> TestResponse:
    # Werkzeug's own client: the one of Flask 2.3 does not run with a new Werkzeug.
    return Client(app).open(path, method=method, **options)


def routes(telemetry: Telemetry) -> list[tuple[str, int]]:
    return [(line["route"], line["status"]) for line in telemetry.logs if line.get("event") == "http.request"]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/items/7", ("/items/<item>", 200)),
        ("GET", "/basket/lines/3", ("/basket/lines/<int:number>", 200)),
        ("PUT", "/orders/3", ("/orders/<int:number>", 200)),
        ("HEAD", "/orders/3", ("/orders/<int:number>", 200)),
        ("DELETE", "/orders/3", ("/orders/<int:number>", 405)),
        ("GET", "/gone", ("/gone", 410)),
        ("GET", "/orders/text", ("unmatched", 404)),
        ("GET", "/nothing/5", ("unmatched", 404)),
        ("GET", "/static/a.txt", ("unmatched", 404)),
        ("BREW", "/orders/3", ("/orders/<int:number>", 405)),
    ],
)
def test_a_request_has_the_whole_template_of_its_route(
    shop: Flask, telemetry: Telemetry, method: str, path: str, expected: tuple[str, int]
) -> None:
    answer = get(shop, path, method)
    assert routes(telemetry) == [expected]
    assert answer.status_code == expected[1]
    assert answer.headers["x-request-id"] == telemetry.logs[-1]["request_id"]


def test_static_files_share_one_route(telemetry: Telemetry, tmp_path: Any) -> None:
    (tmp_path / "a.txt").write_text("x")
    app = Flask("shop", static_folder=str(tmp_path), static_url_path="/static")
    obs.instrument(app)
    with get(app, "/static/a.txt") as answer:
        assert answer.data == b"x"
    assert routes(telemetry) == [("/static/<path:filename>", 200)]


def test_an_application_mounted_below_has_the_mount_in_its_templates(telemetry: Telemetry) -> None:
    app, inner = make_shop(), make_shop()
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/inner": inner})  # type: ignore[method-assign]
    obs.instrument(app)
    get(app, "/inner/items/7", base_url="http://shop/behind-a-proxy")
    get(app, "/items/7", base_url="http://shop/behind-a-proxy")
    assert routes(telemetry) == [("/inner/items/<item>", 200), ("/items/<item>", 200)]


def test_an_application_mounted_below_is_observed_once_though_it_is_instrumented_too(
    telemetry: Telemetry,
) -> None:
    app, inner = make_shop(), make_shop()
    obs.instrument(inner)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/inner": inner})  # type: ignore[method-assign]
    obs.instrument(app)
    get(app, "/inner/items/7")
    assert routes(telemetry) == [("/inner/items/<item>", 200)]


def test_the_applications_lines_share_the_ids_of_the_request(shop: Flask, telemetry: Telemetry) -> None:
    get(shop, "/items/7")
    own, access = telemetry.logs
    assert own["trace_id"] == access["trace_id"] == telemetry.spans[0].trace_id
    assert obs.ids().trace_id == ""


def test_an_asynchronous_view_is_in_the_trace_of_its_request(shop: Flask, telemetry: Telemetry) -> None:
    answer = get(shop, "/later")
    assert answer.json == {"trace": telemetry.spans[0].trace_id}
    assert routes(telemetry) == [("/later", 200)]


def test_a_streamed_body_keeps_ids_and_flasks_own_context(shop: Flask, telemetry: Telemetry) -> None:
    with get(shop, "/stream") as answer:
        assert answer.data == b"0/stream1/stream"
    assert len({line["trace_id"] for line in telemetry.logs}) == 1
    assert routes(telemetry) == [("/stream", 200)]


def test_an_error_in_a_streamed_body_is_reported(shop: Flask, telemetry: Telemetry) -> None:
    answer = get(shop, "/broken-stream")
    with pytest.raises(ValueError, match="half way"):
        _ = answer.data
    answer.close()
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
    assert routes(telemetry) == [("/broken-stream", 200)]


def test_an_error_that_flask_turns_into_a_500_is_reported_once_with_its_stack(
    shop: Flask, telemetry: Telemetry
) -> None:
    answer = get(shop, "/boom")
    assert answer.status_code == 500
    failure, access = telemetry.logs
    assert "kaputt" in failure["exception"]
    assert (access["message"], access["level"]) == ("GET /boom 500", "error")
    assert answer.headers["x-request-id"] == failure["request_id"] == access["request_id"]
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
    (span,) = telemetry.spans
    assert (span.name, span.status, [name for name, _ in span.events]) == (
        "GET /boom",
        "error",
        ["exception"],
    )


def test_an_error_handler_of_the_user_still_answers_and_the_error_counts_as_handled(
    telemetry: Telemetry,
) -> None:
    app = make_shop()

    @app.errorhandler(ValueError)
    def own(error: ValueError) -> tuple[str, int]:
        return "our own page", 422

    obs.instrument(app)
    assert get(app, "/boom").data == b"our own page"
    telemetry.assert_counted("exceptions.unhandled", 0)
    assert routes(telemetry) == [("/boom", 422)]


def test_a_handler_of_the_user_for_500_still_answers_and_the_error_is_reported(telemetry: Telemetry) -> None:
    app = make_shop()

    @app.errorhandler(500)
    def own(error: Exception) -> tuple[str, int]:
        return "sorry", 500

    obs.instrument(app)
    answer = get(app, "/boom")
    assert answer.data == b"sorry"
    assert answer.headers["x-request-id"]
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")


def test_an_error_that_the_user_wants_to_see_is_raised_and_reported_once(
    shop: Flask, telemetry: Telemetry
) -> None:
    shop.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(ValueError, match="kaputt"):
        get(shop, "/boom")
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="http")
    assert routes(telemetry) == [("/boom", 500)]
    assert obs.ids().trace_id == ""


def test_after_its_first_request_it_is_too_late() -> None:
    app = make_shop()
    get(app, "/items/1")
    with pytest.raises(ObsError, match="has started"):
        obs.instrument(app)


def test_instrumenting_twice_is_harmless(shop: Flask, telemetry: Telemetry) -> None:
    obs.instrument(shop)
    get(shop, "/items/1")
    assert len(routes(telemetry)) == 1


def test_an_application_of_a_factory_is_instrumented_where_it_is_made(telemetry: Telemetry) -> None:
    def create_app() -> Flask:
        app = make_shop()
        obs.instrument(app, exclude=("/items",))
        return app

    get(create_app(), "/items/1")
    get(create_app(), "/boom")
    assert routes(telemetry) == [("/boom", 500)]


def test_an_application_that_has_logged_before_init_has_each_line_once(
    shop: Flask, telemetry: Telemetry, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.logger.addHandler(default_handler)
    shop.logger.warning("low stock")
    assert [line["message"] for line in telemetry.logs] == ["low stock"]
    obs.shutdown()
    shop.logger.warning("after the end")
    assert "low stock" not in capsys.readouterr().err


def test_werkzeugs_own_access_line_is_replaced_and_its_other_lines_are_not(
    shop: Flask, telemetry: Telemetry
) -> None:
    get(shop, "/items/1")
    telemetry.clear()
    own = logging.getLogger("werkzeug")
    own.warning(
        "%s - - [%s] %s\n", "127.0.0.1", "22/Nov/2026 02:45:00", '"GET /items/1?token=x HTTP/1.1" 200 -'
    )
    own.warning("Debugger is active")
    assert [line["message"] for line in telemetry.logs] == ["Debugger is active"]


def test_before_init_the_application_runs_as_if_alone() -> None:
    app = make_shop()
    obs.instrument(app)
    assert "x-request-id" not in get(app, "/items/1").headers
