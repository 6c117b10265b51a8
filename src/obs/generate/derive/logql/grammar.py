"""Tokens -> tree: a strict reader of the LogQL that obs writes; what it takes, Loki takes.

Left out on purpose: extracting parsers with expressions, ``label_format``, ``decolorize``, subqueries
of variants, and joins with ``group_left``.
"""

from __future__ import annotations

from functools import lru_cache

from obs.generate.derive.logql.patterns import is_pattern, matches_nothing
from obs.generate.derive.logql.tokens import Token, broken, tokenize
from obs.generate.derive.logql.tree import (
    Binary,
    Chosen,
    Combination,
    Comparison,
    Condition,
    Grouping,
    LabelFilter,
    LabelReplace,
    LineFilter,
    LineFormat,
    LogQuery,
    Matcher,
    Matching,
    Metric,
    Number,
    Parser,
    Query,
    RangeAggregation,
    Stage,
    Unwrap,
    Vector,
    VectorAggregation,
)

#: Functions over lines, and over unwrapped samples; of these the ones that may group.
OF_LINES = frozenset({"absent_over_time", "bytes_over_time", "bytes_rate", "count_over_time", "rate"})
GROUPING = frozenset(
    f"{word}_over_time" for word in ("avg", "first", "last", "max", "min", "quantile", "stddev", "stdvar")
)
OF_SAMPLES = GROUPING | {"absent_over_time", "rate", "rate_counter", "sum_over_time"}
AGGREGATIONS = frozenset({"avg", "bottomk", "count", "max", "min", "stddev", "stdvar", "sum", "topk"})
_RANKED = frozenset({"bottomk", "topk"})
_COMPARISONS = frozenset({"==", "!=", ">", ">=", "<", "<="})
#: Weakest first; those of one level are read from the left, but for the power.
_LEVELS = (
    frozenset({"or"}), frozenset({"and", "unless"}), _COMPARISONS, frozenset({"+", "-"}), frozenset({"*", "/", "%"}),
    frozenset({"^"}),
)  # fmt: skip
SETS = frozenset({"and", "or", "unless"})
_FILTERS = frozenset({"|=", "!=", "|~", "!~"})
_TEXT_CONDITIONS = frozenset({"=", "!=", "=~", "!~"})
_NUMBER_CONDITIONS = frozenset({"=", "==", "!=", ">", ">=", "<", "<="})


@lru_cache(maxsize=2000)
def parse(text: str) -> Query:
    """Return the tree of `text`; raise `ObsError` with line and column for what is no LogQL of ours."""
    reader = _Reader(text)
    query = reader.query()
    reader.end()
    return query


class _Reader:
    """Reads one text by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._next = 0

    def query(self) -> Query:
        return self._logs() if self._sees("{") else self._metric()

    def end(self) -> None:
        if self._token.kind != "end":
            raise self._broken("the end")

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _sees(self, *values: str) -> bool:
        return self._token.kind in {"sign", "name"} and self._token.value in values

    def _takes(self, *values: str) -> str:
        """Return the token when it is one of `values`, and go on; else an empty text."""
        if not self._sees(*values):
            return ""
        return self._go().value

    def _go(self) -> Token:
        token = self._token
        self._next += 1
        return token

    def _needs(self, *values: str) -> str:
        if not self._sees(*values):
            raise self._broken(" or ".join(map(repr, values)))
        return self._go().value

    def _kind(self, *kinds: str, expected: str) -> str:
        if self._token.kind not in kinds:
            raise self._broken(expected)
        return self._go().value

    def _broken(self, expected: str) -> Exception:
        return broken(self._text, self._token.at, expected)

    def _labels(self) -> tuple[str, ...]:
        self._needs("(")
        found: list[str] = []
        while not self._sees(")"):
            if found:
                self._needs(",")
            found.append(self._kind("name", expected="a label"))
        self._needs(")")
        return tuple(found)

    # Log queries.

    def _logs(self) -> LogQuery:
        start = self._token.at
        self._needs("{")
        matchers: list[Matcher] = []
        while not matchers or self._takes(","):
            matchers.append(self._matcher())
        self._needs("}")
        if all(matches_nothing(m.operator, m.value) for m in matchers):
            raise broken(self._text, start, "a matcher that an empty label does not meet")
        stages: list[Stage] = []
        while self._sees("|", *_FILTERS):
            stages.append(self._stage())
        return LogQuery(tuple(matchers), tuple(stages))

    def _matcher(self) -> Matcher:
        name = self._kind("name", expected="a label")
        operator = self._needs("=", "!=", "=~", "!~")
        return Matcher(name, operator, self._pattern(is_regular=operator.endswith("~")))

    def _pattern(self, *, is_regular: bool) -> str:
        token = self._token
        value = self._kind("text", expected="a text in quotes")
        if is_regular and not is_pattern(value):
            raise broken(self._text, token.at, "a regular expression that RE2 knows")
        return value

    def _stage(self) -> Stage:
        operator = self._takes(*_FILTERS)
        if operator:
            regular = operator in {"|~", "!~"}
            values = [self._pattern(is_regular=regular)]
            while self._takes("or"):
                values.append(self._pattern(is_regular=regular))
            return LineFilter(operator, tuple(values))
        self._needs("|")
        word = self._token.value if self._token.kind == "name" else ""
        if word in {"json", "logfmt"}:
            return Parser(self._go().value)
        if word == "line_format":
            self._go()
            return LineFormat(self._kind("text", expected="a template in quotes"))
        if word in {"keep", "drop"}:
            return Chosen(self._go().value, self._names())
        if word == "unwrap":
            self._go()
            return self._unwrap()
        return LabelFilter(self._condition())

    def _names(self) -> tuple[str, ...]:
        found = [self._kind("name", expected="a label")]
        while self._takes(","):
            found.append(self._kind("name", expected="a label"))
        return tuple(found)

    def _unwrap(self) -> Unwrap:
        name = self._kind("name", expected="a label")
        if not self._takes("("):
            return Unwrap(name)
        if name not in {"bytes", "duration", "duration_seconds"}:
            raise self._broken("bytes(…) or duration(…)")
        label = self._kind("name", expected="a label")
        self._needs(")")
        return Unwrap(label, name)

    def _condition(self) -> Condition:
        left = self._conjunction()
        while self._takes("or"):
            left = Combination("or", left, self._conjunction())
        return left

    def _conjunction(self) -> Condition:
        left = self._atom()
        while self._takes("and"):
            left = Combination("and", left, self._atom())
        return left

    def _atom(self) -> Condition:
        if self._takes("("):
            inner = self._condition()
            self._needs(")")
            return inner
        name = self._kind("name", expected="a label")
        operator = self._needs(*_TEXT_CONDITIONS, *_NUMBER_CONDITIONS)
        if self._token.kind == "text":
            if operator not in _TEXT_CONDITIONS:
                raise self._broken(f"a number, a duration or a size after {operator}")
            return Comparison(name, operator, self._pattern(is_regular=operator.endswith("~")), is_text=True)
        if operator not in _NUMBER_CONDITIONS:
            raise self._broken("a text in quotes")
        minus = self._takes("-")
        value = self._kind("number", "span", "size", expected="a number, a duration, a size or a text")
        return Comparison(name, operator, minus + value, is_text=False)

    # Metric queries.

    def _metric(self, level: int = 0) -> Metric:
        if level == len(_LEVELS):
            return self._operand()
        left = self._metric(level + 1)
        while self._sees(*_LEVELS[level]):
            operator = self._go().value
            is_bool = bool(operator in _COMPARISONS and self._takes("bool"))
            word = self._takes("on", "ignoring")
            matching = Matching(word, self._labels()) if word else None
            right = self._metric(level if operator == "^" else level + 1)
            left = Binary(operator, left, right, is_bool, matching)
            if operator in SETS and (isinstance(left.left, Number) or isinstance(right, Number)):
                raise self._broken(f"no number on a side of {operator!r}")
        return left

    def _operand(self) -> Metric:
        if self._takes("("):
            inner = self._metric()
            self._needs(")")
            return inner
        minus = self._takes("-", "+")
        if minus or self._token.kind == "number":
            return Number(minus.lstrip("+") + self._kind("number", expected="a number"))
        token = self._token
        name = self._kind("name", expected="a function, a number or a parenthesis")
        if name in AGGREGATIONS:
            return self._aggregation(name)
        if name in OF_LINES | OF_SAMPLES:
            return self._range(name)
        if name == "label_replace":
            return self._label_replace()
        if name == "vector":
            self._needs("(")
            value = self._kind("number", expected="a number")
            self._needs(")")
            return Vector(value)
        raise broken(self._text, token.at, "a function of LogQL")

    def _aggregation(self, name: str) -> VectorAggregation:
        grouping = self._grouping()
        self._needs("(")
        parameter = ""
        if name in _RANKED:
            parameter = self._kind("number", expected="how many")
            self._needs(",")
        inner = self._metric()
        if isinstance(inner, Number):
            raise self._broken("an expression with series")
        self._needs(")")
        return VectorAggregation(name, inner, grouping or self._grouping(), parameter)

    def _grouping(self) -> Grouping | None:
        word = self._takes("by", "without")
        return Grouping(word, self._labels()) if word else None

    def _range(self, name: str) -> RangeAggregation:
        start = self._tokens[self._next - 1].at
        self._needs("(")
        parameter = ""
        if name == "quantile_over_time":
            parameter = self._kind("number", expected="a quantile")
            self._needs(",")
        query = self._logs()
        unwraps = sum(isinstance(stage, Unwrap) for stage in query.stages)
        if unwraps > 1 or (name not in OF_SAMPLES if unwraps else name not in OF_LINES):
            raise broken(self._text, start, f"{'no ' if unwraps else 'an '}unwrap in what {name} is of")
        self._needs("[")
        span = self._kind("span", "macro", expected="a duration")
        self._needs("]")
        offset = self._kind("span", expected="a duration") if self._takes("offset") else ""
        self._needs(")")
        grouping = self._grouping() if name in GROUPING else None
        return RangeAggregation(name, query, span, offset, parameter, grouping)

    def _label_replace(self) -> LabelReplace:
        self._needs("(")
        inner = self._metric()
        texts = []
        for _ in range(4):
            self._needs(",")
            texts.append(self._kind("text", expected="a text in quotes"))
        self._needs(")")
        return LabelReplace(inner, (texts[0], texts[1], texts[2], texts[3]))
