"""Mistakes in a string: in a duration, a number, a severity, a piece of PromQL, a value of a label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from obs.generate.model import Duration

_DURATION = re.compile(r"\d+(?:ms|[smhdw])")
_DECIMAL = re.compile(r"\d*\.?\d+")
#: From here on a step of one is less than a story can tell.
_LARGE = 20
_STATUS_DIGITS = 3
_SEVERITIES = {"page": "ticket", "ticket": "page"}
#: A value or a class of values; what begins with a capital or has a hyphen names an alert or a panel.
_VALUE = re.compile(r"[a-z0-9.*|:/\[\]_]+")
#: What only PromQL has; a text without any of it is prose.
_PROMQL = re.compile(
    r"\w\(|[{}\[\]=]|\b(?:unless|offset|by|without|bool)\b|^\)? ?(?:[<>]=?|[*/+-]|and|or|==)(?: \d+)? ?\(?$|\) \w|[<>] ?\d*$|^ [<>]"
)
#: Token of PromQL -> what a mistake makes of it.
_TOKENS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(?<=[ )])>=(?= |$)", (">", "<")),
    (r"(?<=[ )])<=(?= |$)", ("<", ">")),
    (r"(?<=[ )])>(?= |$)", (">=", "<")),
    (r"(?<=[ )])<(?= |$)", ("<=", ">")),
    (r"(?<=[ )])==(?= |$)", ("!=",)),
    (r"(?<=[ )])/(?= )", ("*",)),
    (r"(?<=[ )0-9])\*(?= )", ("/",)),
    (r"(?<= )\+(?= )", ("-",)),
    (r"(?<= )-(?= )", ("+",)),
    (r"\band\b", ("unless", "or")),
    (r"\bunless\b", ("and",)),
    (r"\bor\b(?! vector)", ("and",)),
    (r"\bon\b(?= \()", ("ignoring",)),
    (r"\bincrease(?=\()", ("rate",)),
    (r"\brate(?=\()", ("increase",)),
    (r"\bsum(?= |\()", ("max", "count")),
    (r"\bmax(?= |\()", ("min",)),
    (r"\bmin(?= |\()", ("max",)),
    (r"\bcount(?= |\()", ("sum",)),
    (r"\bmax_over_time\b", ("min_over_time",)),
    (r"\bmin_over_time\b", ("max_over_time",)),
    (r"\bavg_over_time\b", ("max_over_time",)),
    (r"\bsum_over_time\b", ("avg_over_time", "max_over_time")),
    (r"\blast_over_time\b", ("absent_over_time",)),
    (r"\babsent_over_time\b", ("last_over_time",)),
    (r"\bchanges\b", ("resets",)),
    (r"\bdelta\b", ("increase",)),
    (r"\bderiv\b", ("delta",)),
    (r'!=(?=")', ("=",)),
    (r'=~(?=")', ("!~",)),
    (r'(?<=\w)=(?=")', ("!=",)),
)


def variants_of_text(text: str) -> list[str]:
    """Return what mistakes may make of the string `text`; nothing where it is prose."""
    if _DURATION.fullmatch(text):
        return _durations(text)
    if _DECIMAL.fullmatch(text):
        return _decimals(text)
    if text in _SEVERITIES:
        return [_SEVERITIES[text]]
    if _PROMQL.search(text):
        return list(dict.fromkeys(_promql(text)))
    return [f"{text}x"] if _VALUE.fullmatch(text) and any(map(str.isalnum, text)) else []


def _durations(text: str) -> list[str]:
    length = Duration.parse(text).milliseconds
    return [str(Duration(length * 2)), str(Duration(length // 2))] if length else ["1m"]


def near(number: int) -> list[int]:
    """Return the numbers that a mistake may make of one: a step off, of a larger one a quarter."""
    step = 1 if abs(number) < _LARGE else number // 4
    return [number + step, *([number - step] if number else [])]


def _decimals(text: str) -> list[str]:
    if text.isdigit():
        return (
            [str(number) for number in near(int(text))]
            if len(text) != _STATUS_DIGITS
            else [str(int(text) + 1)]
        )
    value = Decimal(text)
    # Shares near one would leave what is legal.
    up = (1 + value) / 2 if Decimal("0.5") < value < 1 else value * Decimal("1.25")
    return [f"{up.normalize():f}", f"{(value * Decimal('0.75')).normalize():f}"]


def _promql(text: str) -> Iterator[str]:
    for pattern, others in _TOKENS:
        for match in re.finditer(pattern, text):
            for other in others:
                yield text[: match.start()] + other + text[match.end() :]
    for match in re.finditer(r"(?:(?<=\[)|(?<=offset ))\d+[smhdw]\b", text):
        for other in _durations(match[0]):
            yield text[: match.start()] + other + text[match.end() :]
    for match in re.finditer(r"(?<=[ (,])\d+(?:\.\d+)?(?=[ ),]|$)", text):
        for other in _decimals(match[0]):
            yield text[: match.start()] + other + text[match.end() :]
    for match in re.finditer(r'(?<=")[\w.|*\[\]-]+(?=")', text):
        yield text[: match.end()] + "x" + text[match.end() :]
    for match in re.finditer(r", [a-z_]+(?=[,)])", text):
        yield text[: match.start()] + text[match.end() :]
