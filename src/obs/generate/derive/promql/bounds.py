"""How large a query may be: the parser descends without end, and takes the process with it."""

from __future__ import annotations

import re

#: A text this short cannot take the parser too far.
_SHORT, _MOST = 2000, 1500
_NESTING = re.compile(r"[-+*/%^<>=(\[]|\b(?:and|or|unless|atan2)\b")
#: Levels of a tree: what looks at trees descends in Python.
MAX_DEPTH = 200


def refusal(text: str) -> str:
    """Return why `text` must not be given to the parser; "" when it may."""
    if len(text) > _SHORT and len(_NESTING.findall(text)) > _MOST:
        return f"more than {_MOST} operators and brackets: not looked at"
    return ""


def may_be_deep(text: str) -> bool:
    """Tell whether the tree of `text` could have more than `MAX_DEPTH` levels."""
    return len(text) > MAX_DEPTH and len(_NESTING.findall(text)) > MAX_DEPTH
