"""The body of a WSGI response: step by step, until the server closes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from obs.integrations.exchange import Exchange


class Body:
    """The steps of a response, in the ids of its request until it is closed."""

    def __init__(
        self,
        body: Iterable[bytes],
        exchange: Exchange,
        route: Callable[[], str],
        fail: Callable[[Exception], Iterator[bytes]],
    ) -> None:
        self._body: Any = body
        self._steps: Iterator[bytes] | None = None
        self._exchange = exchange
        self._route = route
        self._fail = fail
        self._sent = False
        self._complete = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._steps is None:
                self._steps = iter(self._body)
            step = next(self._steps)
        except StopIteration:
            self._complete = True
            self._exchange.completes()
            raise
        except Exception as error:
            self._complete = True
            if self._sent:
                self._exchange.failed(error, self._route())
                raise
            self._sent = True
            self._steps = self._fail(error)
            return next(self._steps)
        self._sent = self._sent or bool(step)
        return step

    def close(self) -> None:
        """End the request: the server calls this when it is done, also when the client has gone."""
        try:
            if self._steps is not None and not self._complete:
                self._exchange.disconnected()
            self._close_body()
        except Exception as error:
            self._exchange.failed(error, self._route())
            raise
        finally:
            self._exchange.end(self._route())

    def _close_body(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()

    def by_its_close(self) -> Iterable[bytes]:
        """Return the body itself, whose own close ends the request."""
        body = self._body
        close = getattr(body, "close", None)
        self._close_body = close if close is not None else _nothing  # type: ignore[method-assign]
        try:
            body.close = self.close
        except AttributeError:
            self._exchange.end(self._route())
        return body  # type: ignore[no-any-return]


def _nothing() -> None:
    return None
