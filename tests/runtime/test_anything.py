"""Whatever a running service hands to obs, nothing comes back that the service would have to catch."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

import pytest

import obs
from obs.runtime import tally


def counted() -> obs.Counter:
    return obs.counter("t.counted", labels=("a",))


def level() -> obs.Gauge:
    return obs.gauge("t.level", labels=("a",))


def spread() -> obs.Histogram:
    return obs.histogram("t.spread", labels=("a",))


class Rude:
    """A value that refuses everything: to be shown, compared, hashed, counted or asked for anything."""

    def _refuse(self, *_: object) -> Any:
        raise RuntimeError("no")

    __str__ = __repr__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __float__ = __index__ = _refuse
    __add__ = __radd__ = __neg__ = __lt__ = __gt__ = __le__ = __ge__ = __getattr__ = __getitem__ = _refuse


VALUES: tuple[Any, ...] = (
    Rude(), None, 5, b"bytes", object(), [], {}, "\ud800", "", math.nan, math.inf, 10**400, len, ValueError(Rude()),
)  # fmt: skip


def _timed(value: Any) -> None:
    with spread().time(a=value), spread().bind(a=value).time():
        pass


def _spanned(value: Any) -> None:
    with obs.span(value), obs.span("x", {"a": value, "b": [value], "c": {"d": value}}) as span:
        span.set(a=value)
        span.event(value, a=value)
        span.fail(value)


def _bound(value: Any) -> None:
    with obs.bind(a=value):
        obs.log.critical("x")


def _extracted(value: Any) -> None:
    with obs.extract(value), obs.extract({"traceparent": value, "baggage": value, "x-request-id": value}):
        pass


CALLS: dict[str, Callable[[Any], object]] = {
    "counter": lambda value: counted().inc(value, a="1"),
    "counter, label": lambda value: counted().inc(a=value),
    "bound counter": lambda value: counted().bind(a=value).inc(value),
    "gauge set": lambda value: level().set(value, a="1"),
    "gauge inc": lambda value: level().inc(value, a="1"),
    "gauge dec": lambda value: level().dec(value, a="1"),
    "gauge, label": lambda value: level().set(1, a=value),
    "gauge track": lambda value: level().track(value, a="1"),
    "gauge track, label": lambda value: level().track(lambda: 1, a=value),
    "bound gauge": lambda value: level().bind(a="1").dec(value),
    "bound gauge track": lambda value: level().bind(a=value).track(value),
    "histogram": lambda value: spread().observe(value, a="1"),
    "bound histogram": lambda value: spread().bind(a=value).observe(value),
    "timer": _timed,
    "log": lambda value: obs.log.critical(value, x=value, exc_info=value),
    "log exception": lambda value: obs.log.exception(value, x=value),
    "logger": lambda value: obs.get_logger(value, x=value).bind(y=value).critical("x"),
    "bind": _bound,
    "span": _spanned,
    "inject": lambda value: (obs.inject(value), obs.inject({"a": value})),
    "extract": _extracted,
    "capture": lambda value: (obs.capture(value, a=value), obs.capture(ValueError("x"), a=value)),
    "audit": lambda value: obs.audit(
        value, value, actor=value, outcome=value, before=value, after=value, x=value
    ),
    "security event": lambda value: obs.security_event(value, x=value),
    "flush": obs.flush,
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_no_value_makes_it_raise(
    call: Callable[[Any], object], running: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What pytest keeps of a log goes to another process, which takes no text without a UTF-8 form.
    monkeypatch.setattr(logging.root, "handlers", [logging.NullHandler()])
    if running:
        obs.init("shop")
    for value in VALUES:
        call(value)


@pytest.mark.parametrize("timeout", ["3", [], Rude()], ids=type)
def test_a_time_that_is_none_does_not_leave_half_of_obs_running(timeout: Any) -> None:
    obs.init("shop")
    obs.counter("t.half").inc()
    assert obs.shutdown(timeout)
    assert tally.count("errors", "setup") == (0 if isinstance(timeout, str) else 1)
    assert not obs.status().running
    obs.init("shop")
    assert obs.status().running


@pytest.mark.parametrize("timeout", [math.inf, 1e300])
def test_a_flush_may_wait_for_ever(collector: Any, timeout: float) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    with obs.span("kept"):
        pass
    assert obs.flush(timeout)
    assert collector.names() == ["kept"]
    assert tally.counts("errors") == {}
