"""Our LogQL: what is read comes out the same, what is broken is answered with its place."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import ObsError, UnknownSignal
from obs.generate.derive.logql import checked, parse, printed
from obs.generate.derive.logql import tree as t
from obs.generate.derive.logql.grammar import AGGREGATIONS, GROUPING, OF_LINES, OF_SAMPLES

STREAMS = {"service", "environment"}
FIELDS = {"level", "event", "duration"}

_names = st.text(string.ascii_lowercase + "_", min_size=1, max_size=8).filter(
    lambda name: name
    not in {"or", "and", "by", "on", "bool", "json", "logfmt", "keep", "drop", "unwrap", "line_format", "offset",
            "unless", "without", "ignoring", "bytes", "duration", "duration_seconds"}
)  # fmt: skip
#: Quotes, backslashes, backticks, braces and line ends: whatever may stand in a text.
_texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.sampled_from('"\\`{}|\n\t')
)
_patterns = st.sampled_from(["a+", "5..", "(b|c)", r"\d+[.]x", "(?i)oops", 'say "x"', "tick`"])
_spans = st.sampled_from(["5m", "1h30m", "500ms", "30s", "$__auto"])
_numbers = st.sampled_from(["0", "5", "0.25", "100", "1e3"])


@st.composite
def _matchers(draw: st.DrawFn) -> t.Matcher:
    operator = draw(st.sampled_from(["=", "!=", "=~", "!~"]))
    value = draw(_patterns if operator.endswith("~") else _texts.filter(bool))
    return t.Matcher(draw(_names), operator, value)


@st.composite
def _comparisons(draw: st.DrawFn) -> t.Comparison:
    if draw(st.booleans()):
        operator = draw(st.sampled_from(["=", "!=", "=~", "!~"]))
        value = draw(_patterns if operator.endswith("~") else _texts)
        return t.Comparison(draw(_names), operator, value, is_text=True)
    operator = draw(st.sampled_from(["==", "!=", ">", ">=", "<", "<="]))
    value = draw(st.sampled_from(["5", "-1.5", "200ms", "1h", "5KB", "3MiB"]))
    return t.Comparison(draw(_names), operator, value, is_text=False)


_conditions: st.SearchStrategy[t.Condition] = st.recursive(
    _comparisons(),
    lambda inner: st.builds(t.Combination, st.sampled_from(["and", "or"]), inner, inner),
    max_leaves=4,
)


@st.composite
def _filters(draw: st.DrawFn) -> t.LineFilter:
    operator = draw(st.sampled_from(["|=", "!=", "|~", "!~"]))
    values = _patterns if operator.endswith("~") else _texts
    return t.LineFilter(operator, tuple(draw(st.lists(values, min_size=1, max_size=2))))


_stages = (
    _filters()
    | st.builds(t.Parser, st.sampled_from(["json", "logfmt"]))
    | st.builds(t.LabelFilter, _conditions)
    | st.builds(t.LineFormat, _texts)
    | st.builds(
        t.Chosen, st.sampled_from(["keep", "drop"]), st.lists(_names, min_size=1, max_size=2).map(tuple)
    )
)
_logs = st.builds(
    t.LogQuery,
    st.tuples(st.builds(t.Matcher, _names, st.just("="), _texts.filter(bool)), _matchers()),
    st.lists(_stages, max_size=3).map(tuple),
)
_unwraps = st.builds(t.Unwrap, _names, st.sampled_from(["", "bytes", "duration"]))
_groupings = st.builds(
    t.Grouping, st.sampled_from(["by", "without"]), st.lists(_names, max_size=2).map(tuple)
)


@st.composite
def _ranges(draw: st.DrawFn) -> t.RangeAggregation:
    query = draw(_logs)
    if draw(st.booleans()):
        name = draw(st.sampled_from(sorted(OF_SAMPLES)))
        query = t.LogQuery(query.matchers, (*query.stages, draw(_unwraps)))
    else:
        name = draw(st.sampled_from(sorted(OF_LINES)))
    return t.RangeAggregation(
        name,
        query,
        draw(_spans),
        draw(st.sampled_from(["", "5m", "1h"])),
        "0.99" if name == "quantile_over_time" else "",
        draw(st.none() | _groupings) if name in GROUPING else None,
    )


@st.composite
def _aggregations(draw: st.DrawFn, inner: st.SearchStrategy[t.Metric]) -> t.VectorAggregation:
    name = draw(st.sampled_from(sorted(AGGREGATIONS)))
    parameter = draw(st.sampled_from(["1", "5"])) if name in {"topk", "bottomk"} else ""
    return t.VectorAggregation(name, draw(inner), draw(st.none() | _groupings), parameter)


@st.composite
def _binaries(draw: st.DrawFn, inner: st.SearchStrategy[t.Metric]) -> t.Binary:
    operator = draw(st.sampled_from(["+", "-", "*", "/", "%", "^", ">", "==", "<=", "and", "or", "unless"]))
    right = draw(inner if operator in {"and", "or", "unless"} else inner | st.builds(t.Number, _numbers))
    matching = st.builds(
        t.Matching, st.sampled_from(["on", "ignoring"]), st.lists(_names, max_size=2).map(tuple)
    )
    is_bool = operator in {">", "==", "<="} and draw(st.booleans())
    return t.Binary(operator, draw(inner), right, is_bool, draw(st.none() | matching))


_metrics: st.SearchStrategy[t.Metric] = st.recursive(
    _ranges() | st.builds(t.Vector, _numbers),
    lambda inner: (
        _aggregations(inner)
        | _binaries(inner)
        | st.builds(t.LabelReplace, inner, st.tuples(_texts, _texts, _texts, _texts))
    ),
    max_leaves=3,
)


@given(_logs | _metrics)
def test_what_is_printed_is_read_as_the_same_tree(query: t.Query) -> None:
    text = printed(query)

    assert parse(text) == query
    assert "\n" not in text


@given(st.text(st.sampled_from(list('{}()[]|=!~"`<>,. abs5m%sumby\\')), max_size=40))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    tree, told = None, ""
    try:
        tree = parse(text)
    except ObsError as error:
        told = error.message
    assert told.startswith("no LogQL: ") if tree is None else parse(printed(tree)) == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: got the end, expected a function"),
        ("{}", "1:2: got '}', expected a label"),
        ('{a=""}', "1:1: got '{a=\"\"}', expected a matcher that an empty label does not meet"),
        ('{a=~".*"}', "expected a matcher that an empty label does not meet"),
        ('{a="b"} |= c', "1:12: got 'c', expected a text in quotes"),
        ('{a="b"}\n | c > "x"', "2:8: got '\"x\"', expected a number, a duration or a size after >"),
        ('{a="b"} | c =~ 5', "expected a text in quotes"),
        ('{a=~"(?=b)"}', "expected a regular expression that RE2 knows"),
        ('{a=~"b\\\\1"}', "expected a regular expression that RE2 knows"),
        ('{a="b\\x"}', "expected a text without that escape"),
        ('rate({a="b"})', "1:13: got ')', expected '['"),
        ('rate({a="b"}[5])', "expected a duration"),
        ('sum_over_time({a="b"}[5m])', "1:1: got 'sum_over_time({a=\"b\"', expected an unwrap in what"),
        ('count_over_time({a="b"} | unwrap c [5m])', "expected no unwrap in what count_over_time is of"),
        ('rate({a="b"}[5m]) and 1', "expected no number on a side of 'and'"),
        ('oops({a="b"}[5m])', "1:1: got 'oops({a=\"b\"}[5m])', expected a function of LogQL"),
        ('{a="b"} #', None),
        ('{a="b"} ; x', "1:9: got '; x', expected a token"),
        ('topk(rate({a="b"}[5m]))', "expected how many"),
    ],
)
def test_a_broken_query_is_answered_with_line_and_column(text: str, message: str | None) -> None:
    if message is None:
        parse(text)
        return
    with pytest.raises(ObsError) as caught:
        parse(text)
    assert message in caught.value.message


def test_a_query_is_laid_out_in_one_way() -> None:
    text = 'sum  by(service)(count_over_time({service="a"}|level=~`error|critical`[5m]))>50'

    assert checked(text, STREAMS, FIELDS) == (
        'sum by (service) (count_over_time({service="a"} | level=~"error|critical" [5m])) > 50'
    )


def test_operators_bind_as_in_loki() -> None:
    assert printed(parse("1 + 2 * 3 ^ 2 ^ 2")) == "1 + (2 * (3 ^ (2 ^ 2)))"
    assert printed(parse("1 - 2 - 3")) == "(1 - 2) - 3"
    rate = 'rate({a="b"} [1m])'
    assert printed(parse(f"{rate} or {rate} and {rate} > 1")) == f"{rate} or ({rate} and ({rate} > 1))"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('{servise="a"}', "log streams have no label 'servise'", "did you mean 'service'?"),
        ('{service="a"} | levl="error"', "log lines have no field 'levl'", "did you mean 'level'?"),
        ('{service="a"} | level="x" or (event="y" and durations > 1)', "no field 'durations'", "'duration'"),
        ('{service="a"} | keep levels', "no field 'levels'", "'level'"),
        ('sum by (sevice) (rate({service="a"} [5m]))', "no field 'sevice'", "'service'"),
        ('max_over_time({service="a"} | unwrap duratio [5m]) by (level)', "no field 'duratio'", "'duration'"),
        ('{service="a"} | json', "lines arrive as their message alone", "without `| json`"),
        ('rate({service="a"} [5m]) or rate({service="a"} | logfmt [5m])', "message alone", "`| logfmt`"),
    ],
)
def test_a_label_that_no_line_has_is_refused_with_the_nearest(text: str, message: str, hint: str) -> None:
    with pytest.raises(UnknownSignal) as caught:
        checked(text, STREAMS, FIELDS)

    assert message in caught.value.message
    assert caught.value.hint is not None
    assert hint in caught.value.hint


def test_loki_s_own_label_of_an_error_is_known() -> None:
    text = 'count_over_time({service="a"} | duration > 1 | __error__="" [5m])'

    assert checked(text, STREAMS, FIELDS) == text
