"""Standard logging led through one handler: the root, the loggers of servers, and back again."""

from __future__ import annotations

import logging
import logging.config
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import obs
from obs.runtime import access, setup

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def as_found() -> Iterator[None]:
    """Fail where a logger is not given back as it was; start without middleware."""
    access.restore()
    names = [
        "",
        "uvicorn",
        "uvicorn.access",
        "gunicorn.error",
        "gunicorn.access",
        "celery",
        "werkzeug",
        "django",
    ]
    before = {name: state(name) for name in names}
    yield
    obs.shutdown(0)
    access.restore()
    assert {name: state(name) for name in names} == before


def state(name: str) -> tuple[Any, ...]:
    found = logging.getLogger(name)
    return own(found), list(found.filters), found.propagate, found.level


def own(logger: logging.Logger) -> list[logging.Handler]:
    """Return the handlers of `logger` that write somewhere.

    pytest adds some to loggers that keep their lines to themselves; Celery, once imported, has one for nothing.
    """
    return [
        item
        for item in logger.handlers
        if not type(item).__module__.startswith("_pytest") and not isinstance(item, logging.NullHandler)
    ]


@pytest.fixture
def configured(request: pytest.FixtureRequest) -> Iterator[logging.Logger]:
    """A logger that a server has configured: a console handler, and lines kept from everybody else."""
    found = logging.getLogger(request.param)
    before = list(found.handlers), found.propagate, found.level
    found.handlers[:] = [logging.StreamHandler(sys.__stderr__)]
    found.propagate = False
    found.setLevel(logging.INFO)
    yield found
    found.handlers[:], found.propagate = before[0], before[1]
    found.setLevel(before[2])


SERVERS = ["uvicorn", "uvicorn.error", "gunicorn.error", "celery", "celery.task", "django", "werkzeug"]


@pytest.mark.parametrize("configured", SERVERS, indirect=True)
def test_what_configured_itself_before_init_is_led_through_ours_and_given_back(
    configured: logging.Logger, capfd: pytest.CaptureFixture[str], lines: Lines
) -> None:
    handlers = own(configured)
    obs.init("shop", log_format="json")
    configured.info("started")
    captured = capfd.readouterr()
    assert captured.out.count("started") == 1
    assert captured.err == ""
    obs.shutdown()
    assert (own(configured), configured.propagate, configured.level) == (handlers, False, logging.INFO)


@pytest.mark.parametrize("name", SERVERS)
def test_what_configures_itself_after_init_is_led_through_ours_when_adopted_again(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    obs.init("shop", log_format="json")
    found, console = logging.getLogger(name), logging.StreamHandler(sys.__stderr__)
    found.addHandler(console)
    found.propagate = False
    setup.adopt_servers()
    found.warning("started")
    captured = capfd.readouterr()
    assert captured.out.count("started") == 1
    assert captured.err == ""
    obs.shutdown()
    assert (own(found), found.propagate) == ([console], False)
    found.removeHandler(console)
    found.propagate = True


def test_a_root_that_was_configured_anew_gets_our_handler_again(capfd: pytest.CaptureFixture[str]) -> None:
    obs.init("shop", log_format="json")
    kept = list(logging.root.handlers)
    try:
        # As Celery's worker does.
        logging.root.handlers = [logging.StreamHandler(sys.__stderr__)]
        setup.adopt_servers()
        logging.getLogger("lib").warning("x")
    finally:
        obs.shutdown()
        logging.root.handlers = [item for item in kept if not type(item).__module__.startswith("obs.")]
    captured = capfd.readouterr()
    assert captured.out.count('"message":"x"') == 1
    assert captured.err == ""


def test_a_level_that_was_set_for_a_server_outlives_its_own_configuration(lines: Lines) -> None:
    obs.init("shop")
    obs.set_level("debug", "uvicorn.error")
    logging.config.dictConfig(
        {"version": 1, "disable_existing_loggers": False, "loggers": {"uvicorn.error": {"level": "INFO"}}}
    )
    setup.adopt_servers()
    logging.getLogger("uvicorn.error").debug("detail")
    assert [line["message"] for line in lines()] == ["detail"]
    obs.shutdown()
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)


def test_files_of_a_servers_logger_stay(tmp_path: Path, lines: Lines) -> None:
    file = logging.FileHandler(tmp_path / "gunicorn.log")
    found = logging.getLogger("gunicorn.error")
    found.addHandler(file)
    try:
        obs.init("shop")
        found.warning("x")
        assert file in found.handlers
    finally:
        found.removeHandler(file)
        file.close()
    assert (tmp_path / "gunicorn.log").read_text() == "x\n"
    assert [line["message"] for line in lines()] == ["x"]


ACCESS: list[tuple[str, str, dict[str, Any]]] = [
    ("uvicorn.access", '%s - "%s %s HTTP/%s" %d', {}),
    ("gunicorn.access", '%(h)s "%(r)s" %(s)s', {}),
    ("hypercorn.access", "GET / 200", {}),
    ("werkzeug", '127.0.0.1 - - [22/Nov/2026 00:00:00] "%s" %s %s', {}),
    ("django.server", '"%s" %s %s', {"server_time": "22/Nov/2026 00:00:00", "request": None}),
]


@pytest.mark.parametrize(("name", "message", "extra"), ACCESS, ids=[row[0] for row in ACCESS])
def test_access_lines_of_servers_end_where_ours_take_their_place(
    name: str, message: str, extra: dict[str, Any], lines: Lines
) -> None:
    obs.init("shop")
    found = logging.getLogger(name)
    record = found.makeRecord(
        name, logging.INFO, __file__, 1, message.replace("%", "%%"), (), None, extra=extra
    )
    found.handle(record)
    assert len(lines()) == 1
    access.replace()
    found.handle(record)
    assert lines() == []


@pytest.mark.parametrize("name", ["werkzeug", "django.server", "uvicorn.error", "gunicorn.error"])
def test_what_a_server_says_besides_is_written(name: str, lines: Lines) -> None:
    obs.init("shop")
    access.replace()
    logging.getLogger(name).warning("address already in use")
    assert [line["message"] for line in lines()] == ["address already in use"]


def test_after_shutdown_servers_write_their_own_access_lines_again() -> None:
    obs.init("shop")
    access.replace()
    found = logging.getLogger("uvicorn.access")
    record = logging.makeLogRecord({"name": found.name, "msg": "GET /"})
    assert not found.filter(record)
    obs.shutdown()
    assert found.filter(record)


def test_warnings_that_the_host_captures_itself_are_written_once(lines: Lines) -> None:
    logging.captureWarnings(capture=True)
    try:
        obs.init("shop")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old", DeprecationWarning, stacklevel=1)
        assert len(lines()) <= 1
    finally:
        obs.shutdown()
        logging.captureWarnings(capture=False)
