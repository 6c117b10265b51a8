"""Standard logging led through one handler: the root, the loggers of servers, and their levels.

Servers, Celery and Django configure logging themselves, some before and some after `init()`, so all
of it can be done again at any time.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from obs.runtime import access, levels

#: Loggers that configure themselves and would write a second, plain copy of each line, if they do
#: not keep their lines from us altogether.
_SELF_WILLED = (
    "uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access", "gunicorn", "gunicorn.error", "gunicorn.access",
    "hypercorn.error", "hypercorn.access", "celery", "celery.task", "celery.redirected", "multiprocessing",
    "django", "django.server", "werkzeug", "flask.app",
)  # fmt: skip
_CONSOLE = (1, 2)


class _Found(NamedTuple):
    """A logger as it was."""

    logger: logging.Logger
    handlers: tuple[logging.Handler, ...]
    propagate: bool
    level: int


class Adoption:
    """What was changed in standard logging, and how to change it back."""

    def __init__(self, handler: logging.Handler, level: int) -> None:
        self._handler = handler
        self._found: dict[str, _Found] = {}
        #: Logger -> the level that a rule gave it.
        self._given: dict[str, int] = {}
        root = logging.root
        self._root = _Found(root, tuple(root.handlers), root.propagate, root.level)
        # Not more than that: another handler of the host may want more than we do.
        root.setLevel(min(root.level, level))
        self._base = root.level
        self._filter = access.install()
        self.again()

    def again(self) -> None:
        """Lead everything through our handler that has configured itself since."""
        _take_console(logging.root)
        if self._handler not in logging.root.handlers:
            logging.root.addHandler(self._handler)
        for name in _SELF_WILLED:
            self._take(logging.getLogger(name))
        self.apply_levels()

    def _take(self, logger: logging.Logger) -> None:
        if logger.name not in self._found:
            self._found[logger.name] = _Found(logger, tuple(logger.handlers), logger.propagate, logger.level)
        _take_console(logger)
        logger.propagate = True

    def apply_levels(self) -> None:
        """Give standard logging's loggers the levels of the rules, so that its own cache knows them."""
        wanted = {name: levels.threshold(name) for name in levels.names()}
        for name in self._given.keys() - wanted.keys():
            logger = logging.getLogger(name)
            if logger.level == self._given.pop(name):
                logger.setLevel(self._level_before(name))
        for name, level in wanted.items():
            logger = logging.getLogger(name)
            if name not in self._given:
                self._found.setdefault(
                    name, _Found(logger, tuple(logger.handlers), logger.propagate, logger.level)
                )
            if level < logger.getEffectiveLevel() or self._ours_alone(logger):
                self._given[name] = level
                logger.setLevel(level)
        whole = levels.threshold("")
        if whole < self._base or self._ours_alone(logging.root):
            logging.root.setLevel(whole)
        else:
            logging.root.setLevel(self._base)

    def _level_before(self, name: str) -> int:
        found = self._found.get(name)
        return found.level if found is not None else logging.NOTSET

    def _ours_alone(self, logger: logging.Logger) -> bool:
        """Tell whether no other handler gets what `logger` lets pass."""
        found: logging.Logger | None = logger
        while found is not None:
            if any(handler is not self._handler for handler in found.handlers):
                return False
            found = found.parent if found.propagate else None
        return True

    def undo(self) -> None:
        """Put standard logging back as it was."""
        access.remove(self._filter)
        for found in (*self._found.values(), self._root):
            logger = found.logger
            added = [handler for handler in logger.handlers if handler not in found.handlers]
            logger.handlers[:] = [*found.handlers, *(item for item in added if item is not self._handler)]
            logger.propagate = found.propagate
            # Not `level = `: loggers remember which levels they let pass.
            logger.setLevel(found.level)


def _take_console(logger: logging.Logger) -> None:
    for handler in list(logger.handlers):
        if _writes_to_console(handler):
            logger.removeHandler(handler)


def _writes_to_console(handler: logging.Handler) -> bool:
    if not isinstance(handler, logging.StreamHandler) or isinstance(handler, logging.FileHandler):
        return False
    try:
        return handler.stream.fileno() in _CONSOLE
    except (AttributeError, OSError, ValueError):
        return False
