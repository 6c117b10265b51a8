"""Regular expressions as Loki reads them: RE2, which knows neither look-around nor back-references."""

from __future__ import annotations

import re

#: What Python knows and RE2 does not.
_NOT_RE2 = re.compile(r"\(\?(?:[=!#(]|<[=!]|P[=>])|\\[1-9]|[*+?}]\+")


def is_pattern(text: str) -> bool:
    """Tell whether `text` is a regular expression for both RE2 and Python."""
    bare = re.sub(r"\\\\", "", text)
    if _NOT_RE2.search(bare):
        return False
    try:
        re.compile(text)
    except (re.error, OverflowError):
        return False
    return True


def matches_nothing(operator: str, value: str) -> bool:
    """Tell whether a label that is not there meets the matcher; Loki wants one that it does not meet."""
    met = re.fullmatch(value, "") is not None if operator.endswith("~") else not value
    return not met if operator.startswith("!") else met
