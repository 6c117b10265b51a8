"""Django's route patterns as templates that a person can read: paths as they are, regexes without their rules."""

from __future__ import annotations

import re
from functools import lru_cache

#: What a regex has and a path does not.
_REGEX = re.compile(r"[\^$\\]|\(\?")
_NAMED = re.compile(r"\(\?P<(\w+)>")
_QUANTIFIER = re.compile(r"[?*+]{1,2}|\{[0-9,]*\}[?+]?")


@lru_cache(maxsize=4096)
def simplified(route: str) -> str:
    """Return ``/users/<int:pk>/`` for ``users/<int:pk>/``, ``/<year>/`` for ``^(?P<year>[0-9]{4})/$``."""
    path = _without_rules(route) if _REGEX.search(route) else route
    return path if path.startswith("/") else f"/{path}"


def _without_rules(route: str) -> str:
    made, at = [], 0
    while at < len(route):
        character = route[at]
        if character == "\\":
            following = route[at + 1 : at + 2]
            # An escaped character stands for itself; \A, \Z, \b and \B for places.
            made.append(
                "" if following in "AZbB" else following if not following.isalnum() else f"\\{following}"
            )
            at += 2
        elif character == "(":
            end = _end_of_group(route, at)
            made.append(_group(route[at:end]))
            quantifier = _QUANTIFIER.match(route, end)
            at = quantifier.end() if quantifier else end
        else:
            made.append("" if character in "^$" else character)
            at += 1
    return "".join(made)


def _end_of_group(route: str, start: int) -> int:
    depth, at, in_class = 0, start, False
    while at < len(route):
        character = route[at]
        if character == "\\":
            at += 1
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
            # A bracket that comes first is one of the characters.
            at += 1 if route.startswith(("[]", "[^]"), at) else 0
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return len(route)


def _group(group: str) -> str:
    named = _NAMED.match(group)
    if named:
        return f"<{named[1]}>"
    if group.startswith("(?:"):
        return _without_rules(group[3:-1])
    return "" if group.startswith("(?") else "<var>"
