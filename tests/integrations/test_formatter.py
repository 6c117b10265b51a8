"""Our lines from processes without init(), by a configuration of standard logging."""

from __future__ import annotations

import json
import logging
import logging.config
import threading
from typing import Any

import pytest

from obs.errors import ConfigError
from obs.integrations.formatter import JsonFormatter
from obs.runtime import tally


def record(message: str = "started", *args: Any, **attributes: Any) -> logging.LogRecord:
    made = logging.LogRecord("uvicorn.error", logging.INFO, "server.py", 7, message, args, None)
    vars(made).update(attributes)
    return made


def test_a_record_becomes_the_line_that_init_would_write() -> None:
    text = JsonFormatter("shop", environment="test").format(record("took %d s", 3, table="users", token="t"))  # noqa: S106
    assert "\n" not in text
    line = json.loads(text)
    assert (line["service"], line["environment"], line["level"], line["logger"]) == (
        "shop", "test", "info", "uvicorn.error",
    )  # fmt: skip
    assert (line["message"], line["table"], line["token"]) == ("took 3 s", "users", "[redacted]")


def test_it_is_made_by_a_configuration_with_settings_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OBS_SERVICE", "shop")
    monkeypatch.setenv("OBS_LOG_LOCATION", "true")
    found = logging.getLogger("test.formatter")
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"obs": {"()": "obs.integrations.formatter.JsonFormatter"}},
            "handlers": {
                "obs": {"class": "logging.StreamHandler", "formatter": "obs", "stream": "ext://sys.stdout"}
            },
            "loggers": {"test.formatter": {"handlers": ["obs"], "level": "INFO", "propagate": False}},
        }
    )
    try:
        for _ in range(300):
            found.info("again")
    finally:
        found.handlers.clear()
        found.propagate = True
        found.setLevel(logging.NOTSET)
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    # A formatter cannot leave lines out, however often they repeat.
    assert len(written) == 300
    assert written[0]["code_file_path"] == __file__


def test_without_a_service_it_is_refused() -> None:
    with pytest.raises(ConfigError, match="no service name"):
        JsonFormatter()
    with pytest.raises(ConfigError, match="log_lovel"):
        JsonFormatter("shop", log_lovel="debug")


def test_a_record_that_cannot_be_formatted_is_told_and_not_raised() -> None:
    broken = record()
    broken.levelno = "none"  # type: ignore[assignment]
    assert json.loads(JsonFormatter("shop").format(broken))["level"] == "error"
    assert tally.count("errors", "logs") == 1


def test_threads_do_not_get_one_anothers_lines() -> None:
    formatter = JsonFormatter("shop")
    wrong: list[str] = []

    def work(name: str) -> None:
        made = (json.loads(formatter.format(record(name)))["message"] for _ in range(300))
        wrong.extend(message for message in made if message != name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
