"""`@obs.span` on generators: the span is the iteration, and the consumer's spans stay the consumer's."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import pytest

import obs


@pytest.fixture
def spans(collector: Any) -> Any:
    obs.init("shop", otlp_endpoint=collector.url, log_level="critical")

    def read() -> dict[str, Any]:
        assert obs.flush(30)
        return {span.name: span for span in collector.spans}

    return read


def test_a_generators_span_lasts_from_its_first_step_to_its_last(spans: Any) -> None:
    @obs.span("rows")
    def rows() -> Iterator[str]:
        with obs.span("read"):
            pass
        yield obs.ids().span_id
        yield obs.ids().span_id

    assert inspect.isgeneratorfunction(rows)
    with obs.span("consumer"):
        mine = obs.ids()
        produced = []
        for inside in rows():
            produced.append(inside)
            assert obs.ids() == mine
            with obs.span("handle"):
                pass
    assert len(set(produced)) == 1
    found = spans()
    assert produced[0] == found["rows"].span_id.hex() != mine.span_id
    assert found["read"].parent_span_id == found["rows"].span_id
    assert found["handle"].parent_span_id == found["rows"].parent_span_id == found["consumer"].span_id
    assert found["rows"].start_time_unix_nano < found["handle"].start_time_unix_nano
    assert found["rows"].end_time_unix_nano > found["handle"].end_time_unix_nano


def test_an_asynchronous_generators_too(spans: Any) -> None:
    @obs.span("rows")
    async def rows() -> AsyncIterator[str]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield obs.ids().span_id

    async def main() -> None:
        async with obs.span("consumer"):
            mine = obs.ids()
            async for inside in rows():
                assert inside != mine.span_id
                assert obs.ids() == mine
                async with obs.span("handle"):
                    pass

    assert inspect.isasyncgenfunction(rows)
    asyncio.run(main())
    found = spans()
    assert found["handle"].parent_span_id == found["rows"].parent_span_id == found["consumer"].span_id


def test_what_is_sent_thrown_and_returned_passes(spans: Any) -> None:
    @obs.span("echo")
    def echo() -> Generator[str, str, str]:
        got = yield "first"
        try:
            yield got
        except KeyError as error:
            yield f"caught {error}"
        return "result"

    def outer() -> Generator[str, str, str]:
        return (yield from echo())

    generator = outer()
    assert next(generator) == "first"
    assert generator.send("second") == "second"
    assert generator.throw(KeyError("x")) == "caught 'x'"
    with pytest.raises(StopIteration) as end:
        next(generator)
    assert end.value.value == "result"
    assert spans()["echo"].status.code == 0


def test_what_is_sent_and_thrown_into_an_asynchronous_one_passes(spans: Any) -> None:
    @obs.span("echo")
    async def echo() -> Any:
        try:
            got = yield "first"
            yield got
        except KeyError as error:
            yield f"caught {error}"

    async def main() -> list[Any]:
        generator = echo()
        return [
            await generator.asend(None),
            await generator.asend("second"),
            await generator.athrow(KeyError("x")),
            [item async for item in generator],
        ]

    assert asyncio.run(main()) == ["first", "second", "caught 'x'", []]
    assert "echo" in spans()


def test_an_error_inside_fails_the_span_and_passes(spans: Any) -> None:
    @obs.span("plain")
    def plain() -> Iterator[int]:
        yield 1
        raise ValueError("mine")

    @obs.span("async")
    async def asynchronous() -> AsyncIterator[int]:
        yield 1
        raise ValueError("mine")

    async def consume() -> None:
        async for _ in asynchronous():
            pass

    with pytest.raises(ValueError, match="mine"):
        list(plain())
    with pytest.raises(ValueError, match="mine"):
        asyncio.run(consume())
    assert {name: span.status.code for name, span in spans().items()} == {"plain": 2, "async": 2}


def test_a_consumer_that_stops_early_ends_the_span_without_failing_it(spans: Any) -> None:
    closed = []

    @obs.span("plain")
    def plain() -> Generator[int, None, None]:
        try:
            yield from range(9)
        finally:
            closed.append(obs.ids().span_id)

    @obs.span("async")
    async def asynchronous() -> Any:
        try:
            for number in range(9):
                yield number
        finally:
            await asyncio.sleep(0)
            closed.append(obs.ids().span_id)

    async def consume() -> None:
        generator = asynchronous()
        await generator.__anext__()
        await generator.aclose()

    with obs.span("consumer"):
        mine = obs.ids()
        generator = plain()
        assert next(generator) == 0
        generator.close()
        asyncio.run(consume())
        assert obs.ids() == mine
    found = spans()
    assert [found["plain"].status.code, found["async"].status.code] == [0, 0]
    assert closed == [found["plain"].span_id.hex(), found["async"].span_id.hex()]


def test_a_generator_that_is_never_begun_makes_no_span(spans: Any) -> None:
    @obs.span("rows")
    def rows() -> Iterator[int]:
        yield 1

    rows()
    assert spans() == {}
