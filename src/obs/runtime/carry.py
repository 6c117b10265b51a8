"""Context for threads and executors, which begin with none of the caller's."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar, cast

from obs.errors import ConfigError
from obs.runtime.context import leave

P = ParamSpec("P")
R = TypeVar("R")


def carry(function: Callable[P, R], /) -> Callable[P, R]:
    """Return `function` such that it runs with the span, ids and bound fields of this moment.

    For what begins in another thread: `executor.submit(obs.carry(work), order)`,
    `loop.run_in_executor(None, obs.carry(work))`, `Thread(target=obs.carry(work))`. It may be called
    many times, from many threads at once; what it sets itself stays inside each call. Tasks of asyncio
    and `asyncio.to_thread` keep the context without it.

    Raises `ConfigError` when `function` cannot be called.
    """
    if not callable(function):
        raise ConfigError(f"carry: got {function!r}, expected a function", hint="obs.carry(work), without ()")
    captured = copy_context()
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def asynchronous(*args: P.args, **kwargs: P.kwargs) -> Any:
            # A coroutine runs in the context of its task, so its variables are set there meanwhile.
            tokens = [variable.set(value) for variable, value in captured.items()]
            try:
                return await function(*args, **kwargs)
            finally:
                for token in reversed(tokens):
                    leave(token)

        return cast("Callable[P, R]", asynchronous)

    @functools.wraps(function)
    def plain(*args: P.args, **kwargs: P.kwargs) -> R:
        # A copy, because one context cannot be entered by two threads at once.
        return captured.copy().run(function, *args, **kwargs)

    return plain
