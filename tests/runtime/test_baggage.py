"""W3C Baggage: taken strictly, kept bounded, shown only where its key is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import obs
from obs.runtime import baggage

KEYS = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("header", "members"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1,b=2", {"a": "1", "b": "2"}),
        (" a = 1 , b\t=\t2;ttl=3;secret ", {"a": "1", "b": "2"}),
        ("a=", {"a": ""}),
        ("a=x=y", {"a": "x=y"}),
        ("user=Am%C3%A9lie%20%2C", {"user": "Amélie ,"}),
        ("a=%ff", {"a": "\N{REPLACEMENT CHARACTER}"}),
        ("a=1,a=2", {"a": "2"}),
    ],
)
def test_members_are_read_as_the_standard_says(header: str, members: dict[str, str]) -> None:
    assert baggage.parse(header) == members


@pytest.mark.parametrize(
    "header",
    [
        "a", "=1", "a=1,,b=2", "a b=1", "a=1,b", 'a="x"', "a=x y", "a=\\", "a=é", "a=1\r\nb: 2", "a=\x00", "ä=1",
        "a=" + "x" * 8_192, ",".join(f"k{n}=1" for n in range(65)),
    ],
)  # fmt: skip
def test_what_is_malformed_or_too_big_is_dropped_whole(header: str) -> None:
    assert baggage.parse(header) == {}


@given(st.dictionaries(KEYS, st.text(max_size=40), max_size=20))
def test_what_is_written_is_read_again(members: dict[str, str]) -> None:
    text = baggage.render(members)
    assert text.isascii()
    read = baggage.parse(text)
    assert read == {key: value.encode("utf-8", "replace").decode() for key, value in members.items()}


@given(st.dictionaries(KEYS, st.text(max_size=400), max_size=100))
def test_what_is_written_keeps_the_bounds(members: dict[str, str]) -> None:
    text = baggage.render(members)
    assert len(text) <= baggage.MOST_BYTES
    assert text.count(",") < baggage.MOST_MEMBERS


@given(st.text(max_size=200))
def test_no_header_is_too_odd(header: str) -> None:
    assert isinstance(baggage.parse(header), dict)


def test_baggage_is_carried_on_and_shown_only_where_its_key_is_allowed(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    obs.init("shop", baggage_keys="tenant")
    with obs.extract({"baggage": "tenant=blue,token=s3cret"}):
        obs.log.info("inside")
        assert obs.inject({})["baggage"] == "tenant=blue,token=s3cret"
    obs.log.info("outside")
    assert "baggage" not in obs.inject({})
    inside, outside = lines()
    assert inside["tenant"] == "blue"
    assert "token" not in inside
    assert "tenant" not in outside


def test_baggage_of_nobody_whom_we_trust_is_dropped() -> None:
    obs.init("shop", trust_incoming=False)
    with obs.extract({"baggage": "tenant=blue"}):
        assert "baggage" not in obs.inject({})


def test_baggage_that_the_host_sets_with_opentelemetry_goes_out_too() -> None:
    from opentelemetry import baggage as api
    from opentelemetry import context as otel_context

    obs.init("shop")
    token = otel_context.attach(api.set_baggage("plan", "gold plus"))
    try:
        assert obs.inject({})["baggage"] == "plan=gold%20plus"
    finally:
        otel_context.detach(token)


def test_a_value_that_cannot_be_written_out_costs_the_baggage_and_not_the_call() -> None:
    from opentelemetry import baggage as api
    from opentelemetry import context as otel_context

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no")

    obs.init("shop", log_level="critical")
    token = otel_context.attach(api.set_baggage("plan", Broken()))
    try:
        with obs.span("call"):
            assert "traceparent" in obs.inject({})
    finally:
        otel_context.detach(token)


def test_the_state_of_other_vendors_is_passed_on() -> None:
    parent = {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "vendor=x",
    }
    obs.init("shop")
    with obs.extract(parent), obs.span("work"):
        assert obs.inject({})["tracestate"] == "vendor=x"
