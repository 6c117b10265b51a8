"""The level over HTTP: for whoever has the token, on the port of serve() alone."""

from __future__ import annotations

import http.client
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import obs
from obs.errors import ConfigError
from obs.runtime import levels

TOKEN = "a-token-of-twenty-chars"  # noqa: S105
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o400)
    return file


@pytest.fixture
def port(token_file: Path) -> int:
    obs.init("worker", control_token_file=str(token_file), log_format="json")
    return obs.serve(0)


def ask(
    port: int,
    method: str = "GET",
    body: Any = None,
    *,
    token: str | None = TOKEN,
    kind: str = "application/json",
    path: str = "/level",
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"content-type": kind} if body is not None else {}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    try:
        text = json.dumps(body) if isinstance(body, dict) else body
        connection.request(method, path, body=text, headers=headers)
        response = connection.getresponse()
        answered = response.read()
        is_json = response.getheader("content-type") == "application/json"
        return response.status, json.loads(answered) if is_json and answered else answered
    finally:
        connection.close()


def test_the_level_is_told_and_changed(port: int, lines: Lines) -> None:
    assert ask(port) == (200, {"level": "info", "loggers": {}})
    status, told = ask(port, "PUT", {"level": "debug", "logger": "shop"})
    assert (status, told) == (200, {"level": "info", "loggers": {"shop": {"level": "debug"}}})
    obs.get_logger("shop.basket").debug("seen")
    obs.get_logger("other").debug("hidden")
    changed, seen = lines()
    assert (changed["message"], changed["new_level"], changed["of_logger"]) == (
        "log level changed", "debug", "shop",
    )  # fmt: skip
    assert seen["message"] == "seen"


def test_a_form_does_it_as_well(port: int) -> None:
    form = "application/x-www-form-urlencoded"
    assert ask(port, "PUT", "level=warning", kind=form) == (200, {"level": "warning", "loggers": {}})
    assert ask(port, "PUT", "level=debug&logger=a&for=60", kind=f"{form}; charset=utf-8")[1]["loggers"]["a"][
        "level"
    ] == "debug"  # fmt: skip


def test_a_change_for_a_time_reverts_by_itself(port: int) -> None:
    levels.set_level("error", "shop")
    told = ask(port, "PUT", {"level": "debug", "logger": "shop", "for": 2})[1]
    assert told["loggers"]["shop"]["level"] == "debug"
    assert 0 < told["loggers"]["shop"]["reverts_in"] <= 2
    assert levels.threshold("shop") == logging.DEBUG
    ends = time.monotonic() + 30
    while levels.threshold("shop") == logging.DEBUG and time.monotonic() < ends:
        time.sleep(0.01)
    assert ask(port) == (200, {"level": "info", "loggers": {"shop": {"level": "error"}}})


def test_a_later_change_is_not_reverted_by_an_earlier_one(port: int) -> None:
    ask(port, "PUT", {"level": "debug", "for": 0.1})
    ask(port, "PUT", {"level": "error"})
    time.sleep(0.3)
    assert ask(port) == (200, {"level": "error", "loggers": {}})


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper()])
def test_without_the_token_nothing_is_told_or_changed(port: int, token: str | None) -> None:
    assert ask(port, token=token)[0] == 401
    assert ask(port, "PUT", {"level": "debug"}, token=token)[0] == 401
    assert levels.threshold("") == logging.INFO


def test_another_scheme_is_refused(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/level", headers={"authorization": f"Basic {TOKEN}"})
    response = connection.getresponse()
    assert (response.status, response.getheader("www-authenticate")) == (401, "Bearer")
    connection.close()


def test_without_the_setting_there_is_no_such_path() -> None:
    obs.init("worker")
    port = obs.serve(0)
    assert ask(port)[0] == 404
    assert ask(port, "PUT", {"level": "debug"})[0] == 404
    assert "level over HTTP" not in obs.status().on


def test_it_is_said_to_be_on(port: int) -> None:
    assert "level over HTTP" in obs.status().on


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"level": "debgu"}, "did you mean 'debug'?"),
        ({"levle": "debug"}, "did you mean 'level'?"),
        ({"logger": "shop"}, "expected level"),
        ({"level": 10}, "expected level"),
        ({"level": "debug", "for": -1}, "for is in seconds"),
        ({"level": "debug", "for": True}, "for is in seconds"),
        ({"level": "debug", "for": 1e9}, "for is in seconds"),
        ({"level": "debug", "logger": "x" * 300}, "as a logger"),
        ("[]", "expected JSON"),
        ("{", "expected JSON"),
        ("\xff", "expected JSON"),
    ],
)
def test_what_cannot_be_done_is_said(port: int, body: Any, expected: str) -> None:
    status, told = ask(port, "PUT", body)
    assert status == 400
    assert expected in told["error"]
    assert ask(port) == (200, {"level": "info", "loggers": {}})


def test_the_body_is_bounded(port: int) -> None:
    assert ask(port, "PUT", "x" * 5_000)[0] == 413
    with socket.create_connection(("127.0.0.1", port), timeout=60) as raw:
        raw.sendall(b"PUT /level HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        assert b" 411 " in raw.recv(100)


def test_other_paths_take_no_put(port: int) -> None:
    assert ask(port, "PUT", {"level": "debug"}, path="/metrics")[0] == 404


def test_the_token_is_read_anew_so_that_it_can_be_changed(port: int, token_file: Path) -> None:
    token_file.chmod(0o600)
    token_file.write_text("another-token-of-chars")
    assert ask(port)[0] == 401
    assert ask(port, token="another-token-of-chars")[0] == 200  # noqa: S106
    token_file.unlink()
    assert ask(port)[0] == 503


@pytest.mark.parametrize("mode", [0o404, 0o644, 0o420, 0o602])
def test_a_token_that_others_can_read_or_change_is_refused(token_file: Path, mode: int) -> None:
    token_file.chmod(mode)
    with pytest.raises(ConfigError, match=f"has mode {mode:04o}") as caught:
        obs.init("worker", control_token_file=str(token_file))
    assert caught.value.hint is not None
    assert not obs.status().running


@pytest.mark.parametrize("text", ["", "short", "two lines\nof a token that is long", "x" * 5_000, "ä" * 20])
def test_a_token_that_protects_nothing_is_refused(token_file: Path, text: str) -> None:
    token_file.chmod(0o600)
    token_file.write_text(text)
    with pytest.raises(ConfigError, match="control_token_file holds"):
        obs.init("worker", control_token_file=str(token_file))


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        obs.init("worker", control_token_file=str(tmp_path / "absent"))
    with pytest.raises(ConfigError, match="control_token_file"):
        obs.init("worker", control_token_file=str(tmp_path))
    os.mkfifo(tmp_path / "pipe", 0o400)
    with pytest.raises(ConfigError, match="is no file"):
        obs.init("worker", control_token_file=str(tmp_path / "pipe"))


def test_what_ends_a_temporary_level_ends_with_obs(port: int) -> None:
    ask(port, "PUT", {"level": "debug", "for": 60})
    (timer,) = [thread for thread in threading.enumerate() if thread.name == "obs-level"]
    obs.shutdown()
    timer.join(10)
    assert not timer.is_alive()
