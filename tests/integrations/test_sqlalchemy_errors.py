"""What an error of SQLAlchemy says of a statement's values: in lines, spans, error events and audit events."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.runtime.sentry_receiver import Receiver

import obs
from obs.runtime.crashes import unhandled
from obs.runtime.redaction import MASK

Lines = Callable[[], list[dict[str, Any]]]
SECRET = "hunter2" + "xyzzy"
_SAID = f"[parameters: {MASK}]"


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    found = sa.create_engine("sqlite://")
    obs.instrument(found)
    with found.begin() as connection:
        connection.execute(sa.text("CREATE TABLE users (email text PRIMARY KEY, note text)"))
    yield found
    found.dispose()


def _failed(engine: sa.Engine, given: Any = None) -> sa.exc.IntegrityError:
    """Return the error of a row that is there already; its values stand in its message."""
    rows = given or {"email": "a]b", "note": SECRET}
    try:
        with engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO users VALUES (:email, :note), (:email, :note)"), rows)
    except sa.exc.IntegrityError as error:
        return error
    raise AssertionError


def _is_told(text: str) -> None:
    """Check that the message is there, but for its values."""
    assert SECRET not in text
    assert "UNIQUE constraint failed: users.email" in text
    assert "[SQL: INSERT INTO users VALUES (?, ?), (?, ?)]" in text
    assert _SAID in text
    assert "(Background on this error at: https://sqlalche.me/e/" in text


@pytest.mark.parametrize(
    "given",
    [
        {"email": "a]b", "note": SECRET},
        {"email": "x]\n(Background on this error at: y", "note": f"'{SECRET}\""},
        [{"email": "same", "note": f"{SECRET}{number}"} for number in range(30)],
    ],
    ids=["a bracket", "the end of a message", "many rows"],
)
def test_a_line_keeps_the_message_without_the_values(engine: sa.Engine, lines: Lines, given: Any) -> None:
    obs.init("shop", metrics=False, traces=False)
    error = _failed(engine, given)
    assert SECRET in str(error)
    logging.getLogger("shop").error("not saved: %s", error, exc_info=error)
    obs.log.error("not saved", error=str(error), errors=[error])
    first, second = lines()
    _is_told(first["message"])
    _is_told(first["exception"])
    _is_told(second["error"])
    _is_told(second["errors"][0])


def test_a_span_keeps_the_message_without_the_values(engine: sa.Engine, collector: Any) -> None:
    obs.init("shop", logs=False, otlp_endpoint=collector.url)
    with pytest.raises(sa.exc.IntegrityError), obs.span("save"):
        raise _failed(engine)
    assert obs.flush(5)
    (saved,) = [span for span in collector.spans if span.name == "save"]
    assert SECRET not in str(collector.spans)
    (event,) = saved.events
    told = {item.key: item.value.string_value for item in event.attributes}
    _is_told(told["exception.message"])
    _is_told(told["exception.stacktrace"])
    _is_told(saved.status.message)


def test_an_error_event_has_neither_the_values_nor_the_variables_of_sqlalchemy(
    engine: sa.Engine, receiver: Receiver
) -> None:
    obs.init("shop", logs=False, sentry_dsn=receiver.dsn)
    unhandled(_failed(engine), "http", "not saved")
    assert obs.flush(5)
    (event,) = receiver.events
    assert SECRET not in json.dumps({**event, "exception": [value["value"] for value in _values(event)]})
    _is_told(_values(event)[-1]["value"])
    frames = [frame for value in _values(event) for frame in value["stacktrace"]["frames"]]
    theirs = [frame for frame in frames if frame["module"].startswith("sqlalchemy.")]
    assert theirs
    assert not [frame for frame in theirs if "vars" in frame]
    # The host's own variables are told; what it calls them is its own matter.
    assert [frame for frame in frames if "vars" in frame and frame["function"] == "_failed"]


def test_an_audit_event_keeps_the_message_without_the_values(engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    obs.init("shop", logs=False, metrics=False, traces=False, audit_file=str(path))
    obs.audit("CREATE", "user/7", actor="user-17", outcome="failure", reason=str(_failed(engine)))
    assert obs.flush(5)
    obs.shutdown(5)
    (line,) = [found for found in map(json.loads, path.read_text().splitlines()) if "user/7" in str(found)]
    _is_told(line["reason"])


def _values(event: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = event["exception"]["values"]
    return found
