"""The shape of a spec as a JSON Schema (draft 2020-12), for editors that complete and check YAML.

A schema says less than the readers: it knows no contract, and no two keys that must agree. What it refuses,
the readers refuse; `obs spec check` has the last word. A file that extends others may leave to them
whatever is required, and so may every environment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from obs.generate.model.place import DURATION
from obs.generate.spec.shape import (
    SIGNALS,
    SPEC,
    Choice,
    Either,
    Items,
    Key,
    Kind,
    Line,
    Number,
    Reason,
    Section,
    Span,
    Table,
    Text,
    Whole,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NUMBER = r"^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,2})?$"
#: YAML tells `on`, `5` and `1.5` from text, the readers do not.
_SCALARS = ["string", "number", "boolean"]
#: Keys whose sections may be given in part, because something below them has the rest.
_OVERLAYS = "environments"


def derive(alerts: Sequence[str], *, partial: bool = False) -> dict[str, Any]:
    """Return the schema of a spec; with `partial` that of a file which others extend, where nothing is required.

    `alerts` are the names of the alerts there are.
    """
    schema = {
        "$schema": DIALECT,
        "title": "what specs of obs share" if partial else "a service spec of obs",
        "description": "Made by `obs spec schema`; do not edit.",
        **_section(SPEC, whole=False),
        "$defs": {"signal": {"enum": list(SIGNALS)}, "alert": {"enum": sorted(alerts)}},
    }
    if not partial:
        # What stands below may have been required here: only a file that extends nothing is whole.
        schema["if"] = {"not": {"required": ["extends"]}}
        schema["then"] = _demands(SPEC)
    return schema


def dumps(schema: dict[str, Any]) -> str:
    """Return a schema as JSON text."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _of(kind: Kind, *, whole: bool) -> dict[str, Any]:
    """Return the schema of a value; where it is not `whole`, nothing is required."""
    if isinstance(kind, Section):
        return _section(kind, whole=whole)
    if isinstance(kind, Table):
        return _table(kind, whole=whole)
    if isinstance(kind, Items):
        # A list replaces the one below it: each of its items stands for itself.
        item = _of(kind.of, whole=True)
        many: dict[str, Any] = {"type": "array", "items": item}
        many |= {"minItems": kind.least} if kind.least else {}
        many |= {"maxItems": kind.most} if kind.most is not None else {}
        return {"anyOf": [item, many]} if kind.alone else many
    if isinstance(kind, Either):
        return {"anyOf": [_of(one, whole=whole) for one in kind.of]}
    return _scalar(kind)


def _scalar(kind: Choice | Span | Number | Whole | Line | Reason | Text) -> dict[str, Any]:
    if isinstance(kind, Choice):
        return {"enum": list(kind.options)}
    if isinstance(kind, Span):
        span: dict[str, Any] = {"type": "string", "pattern": _ecma(DURATION), "minLength": 2}
        return span if kind.zero else {**span, "not": {"pattern": "^[0a-z]*$"}}
    if isinstance(kind, Number | Whole):
        return _number(kind)
    if isinstance(kind, Line):
        return _line(kind)
    if isinstance(kind, Reason):
        return {
            "type": ["string", "number"],
            "not": {"pattern": r"^\s*(?:[Tt]rue|[Ff]alse|yes|no|on|off)?\s*$"},
        }
    return {"type": "string", "pattern": r"\S"}


def _number(kind: Number | Whole) -> dict[str, Any]:
    number: dict[str, Any] = {"type": "integer" if isinstance(kind, Whole) else "number"}
    if kind.low is not None:
        lowest = "minimum" if isinstance(kind, Whole) else "exclusiveMinimum"
        number[lowest] = _plain(kind.low)
    if kind.high is not None:
        number["maximum"] = _plain(kind.high)
    return {"anyOf": [number, {"type": "string", "pattern": _NUMBER}]}


def _plain(bound: Decimal | int) -> float | int:
    return int(bound) if bound == int(bound) else float(bound)


def _line(kind: Line) -> dict[str, Any]:
    plain: dict[str, Any] = {"type": _SCALARS, "pattern": _ecma(kind.pattern) if kind.pattern else r"\S"}
    return {"anyOf": [{"$ref": f"#/$defs/{kind.known}"}, plain]} if kind.known else plain


def _table(kind: Table, *, whole: bool) -> dict[str, Any]:
    value = _of(kind.of, whole=whole)
    schema: dict[str, Any] = {"type": "object"}
    if kind.known:
        schema |= {"properties": dict.fromkeys(kind.known, value), "additionalProperties": False}
    else:
        schema |= {"additionalProperties": value}
        if kind.defined:
            names = {"$ref": f"#/$defs/{kind.defined}"}
            schema["propertyNames"] = names if kind.closed else {"anyOf": [names, {"type": "string"}]}
    if kind.pattern:
        schema["propertyNames"] = {"pattern": _ecma(kind.pattern)}
    if kind.least and whole:
        schema["minProperties"] = kind.least
    if kind.most is not None:
        schema["maxProperties"] = kind.most
    return schema


def _section(section: Section, *, whole: bool) -> dict[str, Any]:
    properties = {key.name: _property(key, whole=whole) for key in section.keys}
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if whole:
        schema |= _own_demands(section)
    # No file can take away what another has given.
    conflicts = [
        {"not": {"required": [first, second]}}
        for names in section.one_of
        for number, first in enumerate(names)
        for second in names[number + 1 :]
    ]
    if conflicts:
        schema["allOf"] = [*schema.get("allOf", []), *conflicts]
    return schema


def _property(key: Key, *, whole: bool) -> dict[str, Any]:
    said = f"{key.help} Default: {key.default}." if key.default else key.help
    return {"description": said, **_of(key.of, whole=whole)}


def _demands(section: Section) -> dict[str, Any]:
    """Return only what is required of a section and of those in it, environments apart."""
    found = _own_demands(section)
    inner = {
        key.name: demanded
        for key in section.keys
        if key.name != _OVERLAYS and (demanded := _demanded(key.of))
    }
    return {**found, "properties": inner} if inner else found


def _demanded(kind: Kind) -> dict[str, Any]:
    if isinstance(kind, Section):
        return _demands(kind)
    if isinstance(kind, Table):
        least: dict[str, Any] = {"minProperties": kind.least} if kind.least else {}
        value = _demanded(kind.of)
        return {**least, "additionalProperties": value} if value else least
    if isinstance(kind, Either):
        # At most one of them is a mapping, and what is required of a mapping says nothing about the others.
        return next((found for one in kind.of if (found := _demanded(one))), {})
    return {}


def _own_demands(section: Section) -> dict[str, Any]:
    found: dict[str, Any] = {}
    required = [key.name for key in section.keys if key.required]
    if required:
        found["required"] = required
    if section.needs:
        found["dependentRequired"] = {key: [other] for key, other in section.needs}
    choices = [*section.one_of, *([section.any_of] if section.any_of else [])]
    if choices:
        found["allOf"] = [{"anyOf": [{"required": [name]} for name in names]} for names in choices]
    return found


def _ecma(pattern: re.Pattern[str]) -> str:
    r"""Return a pattern as JSON Schema reads it: anchored at both ends, without Python's ``\Z``."""
    return "^(?:" + pattern.pattern.replace(r"\Z", "$") + ")"
