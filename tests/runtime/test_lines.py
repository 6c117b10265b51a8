"""One line: bounded as a whole, with the place that it comes from on request, and to every output."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

import obs
from obs.runtime import logger, tally
from obs.runtime.lines import LINE_LIMIT, shorten

Lines = Callable[[], list[dict[str, Any]]]


@pytest.mark.parametrize(
    "fields",
    [
        {f"field_{number}": "x" * 8_000 for number in range(100)},
        {"deep": [["y" * 8_000] * 30] * 30},
        {f"{number}_" + "n" * 250: 1 for number in range(900)},
        {"controls": "\x00" * 8_000, "more": "\x01" * 8_000},
        {"wide": "\U0001f980" * 8_000, "wider": ["\U0001f980" * 8_000] * 20},
    ],
    ids=["many", "nested", "long names", "escapes", "astral"],
)
def test_a_line_has_a_bound_whatever_is_in_it(
    fields: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    obs.init("shop", log_format="json")
    try:
        raise ValueError("\x00" * 30_000)  # noqa: TRY301
    except ValueError:
        obs.log.exception("\x01" * 8_000, **fields)
    out = capfd.readouterr().out.encode()
    assert len(out) <= LINE_LIMIT
    line = json.loads(out)
    assert line["truncated"] is True
    assert line["level"] == "error"
    assert line["message"].startswith("\x01")
    assert "ValueError" in line["exception"]


def test_long_texts_share_one_budget_and_a_single_one_does_not_use_it_up(lines: Lines) -> None:
    obs.init("shop")
    obs.log.info("x", first="y" * 10_000_000, many=["z" * 8_000] * 900, last=7)
    obs.log.info("x", first="y" * 10_000_000, last=7)
    many, single = lines()
    assert many["..."] == "more values cut"
    assert single["last"] == 7


def test_small_fields_survive_a_large_one(lines: Lines) -> None:
    obs.init("shop")
    obs.log.info("order placed", order_id=7, document=["x" * 8_000] * 20)
    (line,) = lines()
    assert (line["order_id"], line["truncated"]) == (7, True)
    assert line["document"].endswith("bytes cut)...")


_LONG = st.builds(lambda text, times: text * times, st.text(max_size=20), st.integers(0, 4_000))


@settings(max_examples=50)
# Long lines are the point; hypothesis warns of their length where it writes an example down.
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=20).filter(lambda name: name not in {"message", "exception", "level"}),
        st.one_of(st.integers(-(2**63), 2**63 - 1), _LONG, st.lists(_LONG, max_size=3)),
        max_size=8,
    ),
    _LONG,
)
def test_shortening_fits_every_line_and_leaves_those_that_fit(own: dict[str, Any], stack: str) -> None:
    def encoded(line: dict[str, Any]) -> bytes:
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace") + b"\n"

    line = {"timestamp": "t", "level": "info", "message": "m", **own, "exception": stack}
    short = shorten(line)
    assert len(encoded(short)) <= LINE_LIMIT
    if len(encoded({**line, "truncated": True})) < LINE_LIMIT - 100:
        assert short == {**line, "truncated": True}


def here(log: Any) -> None:
    log.warning("x")


@pytest.mark.parametrize("kind", ["obs", "structlog", "logging"])
def test_on_request_a_line_names_the_place_that_it_comes_from(kind: str, lines: Lines) -> None:
    obs.init("shop", log_location=True)
    kinds: dict[str, Any] = {
        "obs": obs.get_logger("lib"),
        "structlog": structlog.get_logger("lib"),
        "logging": logging.getLogger("lib"),
    }
    with obs.bind(user=1):
        here(kinds[kind])
    (line,) = lines()
    assert (line["code_file_path"], line["code_function_name"]) == (__file__, "here")
    assert line["code_line_number"] == here.__code__.co_firstlineno + 1


def test_without_a_request_it_does_not(lines: Lines) -> None:
    obs.init("shop")
    here(obs.log)
    here(logging.getLogger("lib"))
    assert not [name for line in lines() for name in line if name.startswith("code_")]


def test_fields_that_are_known_come_last_and_cannot_be_forged(lines: Lines) -> None:
    obs.init("shop")
    pipeline = logger.pipeline()
    assert pipeline is not None
    with obs.bind(status=500, user=1):
        pipeline.emit("info", "GET / 200", {"path": "/"}, known={"status": 200})
    (line,) = lines()
    assert (line["status"], line["user"], line["path"]) == (200, 1, "/")


def test_a_broken_output_does_not_cost_the_other_ones_their_line() -> None:
    obs.init("shop")
    pipeline = logger.pipeline()
    assert pipeline is not None
    got: list[Any] = []

    def broken(line: dict[str, Any]) -> None:
        raise OSError("full")

    pipeline._outputs = (broken, got.append)
    obs.log.info("x")
    assert [line["message"] for line in got if line["message"] == "x"] == ["x"]
    # The second is that of the guard's own line about the first.
    assert tally.count("errors", "logs") == 2


def test_fields_of_a_record_keep_their_order(lines: Lines) -> None:
    obs.init("shop")
    logging.getLogger("lib").warning("x", extra={"b": 1, "a": 2, "c": 3})
    (line,) = lines()
    assert [name for name in line if name in {"a", "b", "c"}] == ["b", "a", "c"]


def test_a_class_of_records_of_the_hosts_own_loses_no_field(lines: Lines) -> None:
    class Record(logging.LogRecord):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.tenant = "t-1"
            super().__init__(*args, **kwargs)

    logging.setLogRecordFactory(Record)
    try:
        obs.init("shop")
        logging.getLogger("lib").warning("x", extra={"a": 1})
    finally:
        logging.setLogRecordFactory(logging.LogRecord)
    (line,) = lines()
    assert (line["tenant"], line["a"]) == ("t-1", 1)
