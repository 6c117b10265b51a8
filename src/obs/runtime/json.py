"""The only door to orjson: bytes of one JSON object, whatever text it is given, and back."""

from __future__ import annotations

from typing import Any

import orjson


def dumps(data: Any) -> bytes:
    """Return plain data (see `obs.runtime.redaction`) as one line of JSON without its newline."""
    try:
        return orjson.dumps(data)
    except TypeError:
        # Lone surrogates (undecodable file names, broken input) have no UTF-8 form.
        return orjson.dumps(_encodable(data))


def dumps_line(data: Any) -> bytes:
    """Return plain data as one line of JSON, its newline included."""
    try:
        return orjson.dumps(data, None, orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return orjson.dumps(_encodable(data), None, orjson.OPT_APPEND_NEWLINE)


def loads(text: bytes) -> Any:
    """Return the data that a JSON text holds; raise ValueError when it is none."""
    return orjson.loads(text)


def _encodable(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(data, dict):
        return {_encodable(key): _encodable(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_encodable(item) for item in data]
    return data
