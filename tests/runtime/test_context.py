"""Ids, bound fields, and the headers that carry them."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import obs
from obs.runtime.context import parse_traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADER = f"00-{TRACE}-{SPAN}-01"


def test_a_w3c_header_is_understood() -> None:
    assert parse_traceparent(HEADER, "a=b") == (TRACE, SPAN, True, "a=b")
    assert parse_traceparent(f"00-{TRACE}-{SPAN}-00") == (TRACE, SPAN, False, "")


def test_a_later_version_may_carry_more() -> None:
    assert parse_traceparent(f"01-{TRACE}-{SPAN}-01-more") == (TRACE, SPAN, True, "")


@pytest.mark.parametrize(
    "header",
    [
        "", "00", HEADER.upper(), f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01", f"{HEADER}-more", f"{HEADER}\n", f" {HEADER}", f"00-{TRACE}-{SPAN}-0x",
    ],
)  # fmt: skip
def test_what_is_not_w3c_is_no_parent(header: str) -> None:
    assert parse_traceparent(header) is None


@given(st.text())
def test_no_header_makes_the_parser_raise(header: str) -> None:
    assert parse_traceparent(header, header) is None or len(header) >= 55


@pytest.mark.parametrize("headers", [None, [("traceparent", HEADER)], {"traceparent": None}])
def test_headers_that_cannot_be_read_are_no_error_of_the_consumer(headers: Any) -> None:
    with obs.extract(headers), obs.span("consume"):
        assert obs.ids().trace_id != TRACE
    assert obs.ids().trace_id == ""


def test_inject_and_extract_carry_the_trace_and_request_across() -> None:
    obs.init("shop")
    with obs.extract({"Traceparent": HEADER, "X-Request-ID": "req-1"}), obs.span("consume"):
        ids = obs.ids()
        sent = obs.inject()
    assert (ids.trace_id, ids.request_id) == (TRACE, "req-1")
    assert sent == {"traceparent": f"00-{TRACE}-{ids.span_id}-01", "X-Request-ID": "req-1"}
    assert obs.ids() == ("", "", "")


def test_inject_adds_to_the_headers_it_is_given_and_nothing_outside_of_a_trace() -> None:
    obs.init("shop")
    headers = {"accept": "*/*"}
    assert obs.inject(headers) is headers
    assert headers == {"accept": "*/*"}


def test_a_request_id_that_could_forge_a_line_is_not_taken_over() -> None:
    obs.init("shop")
    with obs.extract({"x-request-id": 'a\r\n{"level":"x"}', "traceparent": "nonsense"}):
        assert obs.ids() == ("", "", "")


def test_headers_are_not_trusted_when_settings_say_so() -> None:
    obs.init("shop", trust_incoming=False)
    with obs.extract({"traceparent": HEADER, "x-request-id": "abc"}):
        assert obs.ids() == ("", "", "")


def test_bound_fields_do_not_leak_between_tasks_or_threads() -> None:
    from obs.runtime.context import bound

    seen: dict[str, object] = {}

    async def task(name: str) -> None:
        with obs.bind(who=name):
            await asyncio.sleep(0)
            seen[name] = bound.get()["who"]

    async def both() -> None:
        await asyncio.gather(task("a"), task("b"))

    with obs.bind(who="outer"):
        thread = threading.Thread(target=lambda: seen.update(thread=dict(bound.get())))
        thread.start()
        thread.join()
    asyncio.run(both())
    assert seen == {"a": "a", "b": "b", "thread": {}}
