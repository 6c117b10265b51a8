"""Standard logging led through one handler: the root, the loggers of servers, and their levels.

Servers, Celery and Django configure logging themselves, some before and some after `init()`, so all
of it can be done again at any time. What the host changes meanwhile is its own and stays.
"""

from __future__ import annotations

import logging

from obs.runtime import access, levels

#: Loggers that configure themselves and would write a second, plain copy of each line, if they do
#: not keep their lines from us altogether.
_SELF_WILLED = (
    "uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access", "gunicorn", "gunicorn.error", "gunicorn.access",
    "hypercorn.error", "hypercorn.access", "celery", "celery.task", "celery.redirected", "multiprocessing",
    "django", "django.server", "werkzeug", "flask.app",
)  # fmt: skip
_CONSOLE = (1, 2)


class Adoption:
    """What was changed in standard logging, and how to change it back."""

    def __init__(self, handler: logging.Handler, level: int) -> None:
        self._handler = handler
        #: Console handlers that were taken away, with their loggers.
        self._taken: list[tuple[logging.Logger, logging.Handler]] = []
        #: Loggers that had kept their lines from the root.
        self._opened: list[logging.Logger] = []
        #: Logger -> the level that a rule gave it, and the one before.
        self._given: dict[str, tuple[int, int]] = {}
        root = logging.root
        self._root_before = root.level
        # Not more than that: another handler of the host may want more than we do.
        self._root_given = min(root.level, level)
        root.setLevel(self._root_given)
        self._least = self._root_given
        self._filter = access.install()
        self.again()

    def again(self) -> None:
        """Lead everything through our handler that has configured itself since."""
        self._take(logging.root)
        if self._handler not in logging.root.handlers:
            logging.root.addHandler(self._handler)
        for name in _SELF_WILLED:
            logger = logging.getLogger(name)
            self._take(logger)
            if not logger.propagate:
                logger.propagate = True
                self._opened.append(logger)
        self.apply_levels()

    def _take(self, logger: logging.Logger) -> None:
        for handler in list(logger.handlers):
            if _writes_to_console(handler):
                logger.removeHandler(handler)
                self._taken.append((logger, handler))

    def apply_levels(self) -> None:
        """Give standard logging's loggers the levels of the rules, so that its own cache knows them."""
        wanted = {name: levels.threshold(name) for name in levels.names()}
        for name in self._given.keys() - wanted.keys():
            self._take_back(name)
        for name, level in wanted.items():
            logger = logging.getLogger(name)
            if level < logger.getEffectiveLevel() or self._ours_alone(logger):
                before = self._given[name][1] if name in self._given else logger.level
                self._given[name] = level, before
                logger.setLevel(level)
        whole, root = levels.threshold(""), logging.root
        if root.level == self._root_given:
            self._root_given = whole if self._ours_alone(root) else min(whole, self._least)
            root.setLevel(self._root_given)

    def _take_back(self, name: str) -> None:
        given, before = self._given.pop(name)
        logger = logging.getLogger(name)
        if logger.level == given:
            # Not `level = `: loggers remember which levels they let pass.
            logger.setLevel(before)

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
        for name in list(self._given):
            self._take_back(name)
        root = logging.root
        root.removeHandler(self._handler)
        for logger, handler in self._taken:
            logger.addHandler(handler)
        for logger in self._opened:
            logger.propagate = False
        if root.level == self._root_given:
            root.setLevel(self._root_before)


def _writes_to_console(handler: logging.Handler) -> bool:
    if not isinstance(handler, logging.StreamHandler) or isinstance(handler, logging.FileHandler):
        return False
    try:
        return handler.stream.fileno() in _CONSOLE
    except (AttributeError, OSError, ValueError):
        return False
