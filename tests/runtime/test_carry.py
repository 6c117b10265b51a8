"""Context in threads, executors, tasks and on both event loops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import uvloop

import obs
from obs.errors import ConfigError

Lines = Callable[[], list[dict[str, Any]]]


def trace_id() -> str:
    return obs.ids().trace_id


def test_a_thread_has_the_span_ids_and_fields_of_where_it_was_carried_from(lines: Lines) -> None:
    obs.init("shop")
    with obs.span("parent"), obs.bind(order=7):
        expected = trace_id()
        thread = threading.Thread(target=obs.carry(obs.log.info), args=("in the thread",))
    thread.start()
    thread.join()
    (line,) = lines()
    assert (line["order"], line["trace_id"]) == (7, expected)


def test_an_executor_runs_it_many_times_at_once_and_each_call_is_its_own() -> None:
    obs.init("shop")
    barrier = threading.Barrier(4)

    def work(number: int) -> tuple[str, str]:
        with obs.bind(number=number), obs.span("part"):
            barrier.wait(10)
            return trace_id(), obs.ids().span_id

    with ThreadPoolExecutor(4) as pool:
        with obs.span("parent"):
            expected = trace_id()
            found = list(pool.map(obs.carry(work), range(4)))
        assert pool.submit(trace_id).result() == ""
    assert {trace for trace, _ in found} == {expected}
    assert len({span for _, span in found}) == 4


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_tasks_and_to_thread_keep_the_context_and_run_in_executor_with_carry(run: Any) -> None:
    obs.init("shop")

    async def task() -> str:
        await asyncio.sleep(0)
        return trace_id()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with obs.span("parent"):
            expected = trace_id()
            assert set(await asyncio.gather(task(), asyncio.create_task(task()))) == {expected}
            assert await asyncio.to_thread(trace_id) == expected
            assert await loop.run_in_executor(None, obs.carry(trace_id)) == expected
            called: asyncio.Future[str] = loop.create_future()
            loop.call_soon(lambda: called.set_result(trace_id()))
            assert await called == expected
        assert trace_id() == ""

    run(main())


def test_two_requests_at_once_do_not_see_each_other() -> None:
    obs.init("shop")

    async def request(number: int) -> bool:
        with obs.span("request"), obs.bind(number=number):
            before = trace_id()
            await asyncio.sleep(0.001 * (number % 3))
            return before == trace_id()

    async def main() -> list[bool]:
        return await asyncio.gather(*(request(number) for number in range(50)))

    assert all(asyncio.run(main()))


def test_a_coroutine_function_runs_in_the_captured_context_and_restores_its_tasks_own() -> None:
    obs.init("shop")

    async def work() -> str:
        await asyncio.sleep(0)
        return trace_id()

    with obs.span("captured"):
        expected = trace_id()
        carried = obs.carry(work)

    async def main() -> None:
        with obs.span("other"):
            mine = trace_id()
            assert await carried() == expected != mine
            assert trace_id() == mine

    asyncio.run(main())


def test_results_errors_and_names_pass_through() -> None:
    def fails() -> None:
        raise ValueError("mine")

    assert obs.carry(fails).__name__ == "fails"
    with pytest.raises(ValueError, match="mine"):
        obs.carry(fails)()
    assert obs.carry(partial(max, 3))(5) == 5


def test_what_cannot_be_called_is_refused() -> None:
    result: Any = trace_id()
    with pytest.raises(ConfigError, match="expected a function"):
        obs.carry(result)
