"""Plain data in the protocol's form, for spans and log records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

_MOST_INT = 1 << 63


def pairs(items: Iterable[tuple[str, Any]]) -> list[KeyValue]:
    """Return attributes."""
    return [KeyValue(key=text(name), value=value(item)) for name, item in items]


def value(item: Any) -> AnyValue:  # noqa: PLR0911 - one a type
    """Return plain JSON data in the protocol's form; what else there is becomes text."""
    if isinstance(item, str):
        return AnyValue(string_value=text(item))
    if isinstance(item, bool):
        return AnyValue(bool_value=item)
    if isinstance(item, int) and -_MOST_INT <= item < _MOST_INT:
        return AnyValue(int_value=item)
    if isinstance(item, float):
        return AnyValue(double_value=item)
    if isinstance(item, list):
        return AnyValue(array_value=ArrayValue(values=[value(one) for one in item]))
    if isinstance(item, dict):
        return AnyValue(kvlist_value=KeyValueList(values=pairs(item.items())))
    return AnyValue() if item is None else AnyValue(string_value=text(str(item)))


def text(given: str) -> str:
    """Return `given` in a form that UTF-8 has, as one that has none would cost the whole batch."""
    return given if given.isascii() else given.encode("utf-8", "backslashreplace").decode("utf-8")
