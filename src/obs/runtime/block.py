"""What `obs.span` and `obs.job` have in common: a `with`, an `async with`, or a decorator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

from obs.runtime import guard, live

P = ParamSpec("P")
R = TypeVar("R")


class Block:
    """Something that begins and ends around code; each entry is a run of its own."""

    def _open(self) -> Any:
        raise NotImplementedError

    def _close(self, opened: Any, error: BaseException | None) -> None:
        raise NotImplementedError

    def _span_of(self, opened: Any) -> live.Span | None:  # noqa: ARG002 - a block without a span
        """Return the span that is current inside the block."""
        return None

    def __init__(self) -> None:
        # A stack, because one block may be entered again inside itself.
        self._opened: list[Any] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(self._opened.pop(), error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(self._opened.pop(), error)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Run each call of `function` in a block of its own.

        `function` may be plain, asynchronous, or a generator of either kind: then the block lasts from the
        first step to the last, and what the consumer does between two steps is outside of it.
        """
        if inspect.iscoroutinefunction(function):
            return cast("Callable[P, R]", self._around_coroutine(function))
        if inspect.isgeneratorfunction(function):
            return cast("Callable[P, R]", self._around_generator(function))
        if inspect.isasyncgenfunction(function):
            return cast("Callable[P, R]", self._around_async_generator(function))

        @functools.wraps(function)
        def plain(*args: P.args, **kwargs: P.kwargs) -> R:
            opened = self._open()
            error: BaseException | None = None
            try:
                return function(*args, **kwargs)
            except BaseException as raised:
                error = raised
                raise
            finally:
                self._close(opened, error)

        return plain

    def _around_coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def asynchronous(*args: Any, **kwargs: Any) -> Any:
            opened = self._open()
            error: BaseException | None = None
            try:
                return await function(*args, **kwargs)
            except BaseException as raised:
                error = raised
                raise
            finally:
                self._close(opened, error)

        return asynchronous

    def _around_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def steps(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            generator: Generator[Any, Any, Any] = function(*args, **kwargs)
            opened = self._open()
            error: BaseException | None = None
            step: Callable[[Any], Any] = generator.send
            sent: Any = None
            try:
                while True:
                    try:
                        value = step(sent)
                    except StopIteration as end:
                        return end.value
                    finally:
                        self._pause(opened)
                    try:
                        step, sent = generator.send, (yield value)
                    except GeneratorExit:
                        self._resume(opened)
                        generator.close()
                        raise
                    except BaseException as thrown:
                        step, sent = generator.throw, thrown
                    self._resume(opened)
            except BaseException as raised:
                error = raised
                raise
            finally:
                self._close(opened, error)

        return steps

    def _around_async_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def steps(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            generator: AsyncGenerator[Any, Any] = function(*args, **kwargs)
            opened = self._open()
            error: BaseException | None = None
            step: Callable[[Any], Any] = generator.asend
            sent: Any = None
            try:
                while True:
                    try:
                        value = await step(sent)
                    except StopAsyncIteration:
                        return
                    finally:
                        self._pause(opened)
                    try:
                        step, sent = generator.asend, (yield value)
                    except GeneratorExit:
                        self._resume(opened)
                        await generator.aclose()
                        raise
                    except BaseException as thrown:
                        step, sent = generator.athrow, thrown
                    self._resume(opened)
            except BaseException as raised:
                error = raised
                raise
            finally:
                self._close(opened, error)

        return steps

    def _pause(self, opened: Any) -> None:
        """Give the consumer of a generator its own current span back."""
        with guard.contained("traces"):
            span = self._span_of(opened)
            if span is not None:
                span.pause()

    def _resume(self, opened: Any) -> None:
        with guard.contained("traces"):
            span = self._span_of(opened)
            if span is not None:
                span.resume()
