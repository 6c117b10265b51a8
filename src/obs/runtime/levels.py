"""Which level of which logger is written, and how that changes while the process runs.

A logger asks its gate, one comparison; the rules behind the gates follow the hierarchy of standard
logging: what holds for ``shop`` holds for ``shop.basket`` unless that has a rule of its own.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple
from weakref import WeakValueDictionary

from obs.errors import ConfigError, suggest
from obs.runtime.severity import SEVERITY

#: Nothing is held back, and everything is.
_OPEN, _SHUT = 0, 1_000
_ALIASES = {"warn": "warning", "fatal": "critical"}
#: What takes a rule back.
DEFAULT = "default"
#: Names of loggers whose threshold is remembered; those of records made by hand have no end.
_MOST_NAMES = 4_096
#: Seconds that a fork waits for the thread of a temporary level.
_FORK_WAIT = 0.5
#: A logger's name is not for prose.
_NAME_LIMIT = 256


class Gate:
    """The threshold of one logger, as a number of standard logging."""

    __slots__ = ("__weakref__", "level", "name")

    def __init__(self, name: str, level: int) -> None:
        self.name = name
        self.level = level


class Rule(NamedTuple):
    """A level that holds for a logger and those below it, until a moment of the monotonic clock."""

    level: str
    until: float | None = None


_lock = threading.RLock()
_gates: WeakValueDictionary[str, Gate] = WeakValueDictionary()
_known: dict[str, int] = {}
#: What the settings say, and what was said since then; the empty name is the whole.
_configured: dict[str, str] = {}
_rules: dict[str, Rule] = {}
#: Logger -> what ends its temporary rule, and the rule that then comes back.
_timers: dict[str, tuple[threading.Timer, Rule | None]] = {}
_fixed: int | None = _OPEN
_keeping = False
_listener: Callable[[], None] | None = None


def gate(name: str) -> Gate:
    """Return the gate that every logger called `name` shares."""
    with _lock:
        found = _gates.get(name)
        if found is None:
            found = Gate(name, _OPEN)
            # One that a signal handler has made meanwhile is the one.
            found = _gates.setdefault(name, found)
            _set(found)
        return found


def _set(found: Gate) -> None:
    """Give a gate its threshold, anew where a signal handler changes the levels in between."""
    while True:
        known = _known
        level = _threshold(found.name)
        if known is _known:
            found.level = level
            return


def threshold(name: str) -> int:
    """Return the threshold of the logger called `name`, as a number of standard logging."""
    # Of these rules: when others come in between, what has been found is not remembered for them.
    known = _known
    found = known.get(name)
    if found is None:
        found = _threshold(name)
        if len(known) >= _MOST_NAMES:
            known.clear()
        known[name] = found
    return found


def start(level: str, rules: Mapping[str, str], listener: Callable[[], None] | None = None) -> None:
    """Begin with `level` for the whole and `rules` for some loggers; call `listener` after a change.

    What `set_level` said of single loggers stays when settings change.
    """
    global _fixed, _listener
    with _lock:
        _configured.clear()
        _configured.update(rules)
        _configured[""] = level
        _forget("")
        _fixed, _listener = None, listener
        _apply()


def stop(*, off: bool = False) -> None:
    """End: loggers pass everything on to standard logging, or with `off` nothing to anybody."""
    global _fixed, _listener
    with _lock:
        if not _keeping:
            for name in list(_rules):
                _forget(name)
        _configured.clear()
        _fixed, _listener = (_SHUT if off else _OPEN), None
        _apply()


@contextmanager
def kept() -> Iterator[None]:
    """Keep what was said of single loggers over a `stop` and a `start` inside the block."""
    global _keeping
    _keeping = True
    try:
        yield
    finally:
        _keeping = False


def set_level(level: str | int, logger: str = "") -> None:
    """Write lines of `logger`, and of loggers below it, from `level` on; without a name, all lines.

    `level` is debug, info, warning, error or critical, a number of standard logging that means one
    of these, or "default": what the settings say. It holds for this process until `shutdown()`.
    Raises `ConfigError` for an unknown level and before `init()`.
    """
    change(level, logger)


def change(level: str | int, logger: str = "", seconds: float | None = None) -> None:
    """Do what `set_level` does, and with `seconds` undo it after that time."""
    word = _word(level)
    name: object = logger
    if not isinstance(name, str) or len(name) > _NAME_LIMIT:
        raise ConfigError(f"got {logger!r:.80} as a logger, expected its name")
    if _fixed == _OPEN:
        raise ConfigError(
            "set_level() was called before init()",
            hint="obs.init(..., log_level=..., log_levels=...) says how to begin",
        )
    with _lock:
        before = _rules.get(logger)
        _forget(logger)
        if word != DEFAULT:
            _rules[logger] = Rule(word, None if seconds is None else time.monotonic() + seconds)
        if seconds is not None:
            # What was there for a time as well is not restored: its own time may be over by then.
            back = before if before is not None and before.until is None else None
            _revert_after(seconds, logger, back)
        _apply()


def rules() -> dict[str, tuple[str, float | None]]:
    """Return logger -> its level and, of a temporary one, the seconds left; "" is the whole."""
    now = time.monotonic()
    with _lock:
        told: dict[str, tuple[str, float | None]] = {
            name: (level, None) for name, level in _configured.items()
        }
        for name, rule in _rules.items():
            told[name] = (rule.level, None if rule.until is None else max(0.0, rule.until - now))
        return told


def names() -> set[str]:
    """Return the loggers that have a rule of their own."""
    return {*_configured, *_rules} - {""}


def _word(level: str | int) -> str:
    if isinstance(level, int) and not isinstance(level, bool):
        found = next((word for word, number in SEVERITY.items() if number == level), None)
        if found is None:
            numbers = ", ".join(str(number) for number in SEVERITY.values())
            raise ConfigError(f"unknown log level {level}: expected one of {numbers}")
        return found
    word = str(level)[:64].lower()
    word = _ALIASES.get(word, word)
    if word not in SEVERITY and word != DEFAULT:
        known = (*SEVERITY, DEFAULT)
        raise ConfigError(
            f"unknown log level {word!r}: expected one of {', '.join(known)}", hint=suggest(word, known)
        )
    return word


def _threshold(name: str) -> int:
    if _fixed is not None:
        return _fixed
    prefix = name
    while True:
        rule = _rules.get(prefix)
        level = rule.level if rule is not None else _configured.get(prefix)
        if level is not None:
            return SEVERITY[level]
        if not prefix:
            return _OPEN
        prefix = prefix.rpartition(".")[0]


def _apply() -> None:
    global _known
    _known = {}
    for found in list(_gates.values()):
        _set(found)
    if _listener is not None:
        _listener()


def _forget(logger: str) -> None:
    _rules.pop(logger, None)
    found = _timers.pop(logger, None)
    if found is not None:
        found[0].cancel()


def _revert_after(seconds: float, logger: str, back: Rule | None) -> None:
    def revert() -> None:
        with _lock:
            found = _timers.get(logger)
            if found is not None and found[0] is timer:
                _forget(logger)
                if back is not None:
                    _rules[logger] = back
                _apply()

    timer = threading.Timer(seconds, revert)
    timer.daemon = True
    timer.name = "obs-level"
    _timers[logger] = timer, back
    timer.start()


def _hold() -> None:
    """End the timers' threads before a fork, of which Python 3.12 would warn."""
    with _lock:
        waiting = [timer for timer, _ in _timers.values()]
    for timer in waiting:
        timer.cancel()
    for timer in waiting:
        if timer is not threading.current_thread():
            timer.join(_FORK_WAIT)


def _resume() -> None:
    """Start them again in the parent, for the time that is left."""
    with _lock:
        for logger, (_, back) in list(_timers.items()):
            rule = _rules.get(logger)
            if rule is not None and rule.until is not None:
                _revert_after(max(0.0, rule.until - time.monotonic()), logger, back)


def _renew_in_child() -> None:
    global _lock
    _lock = threading.RLock()
    # The threads that would have ended them are the parent's.
    temporary = [name for name, rule in _rules.items() if rule.until is not None]
    _timers.clear()
    for name in temporary:
        del _rules[name]
    if temporary:
        _apply()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold, after_in_parent=_resume, after_in_child=_renew_in_child)
