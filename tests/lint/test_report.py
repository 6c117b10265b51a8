"""The same problems for people, for machines, and for a code host."""

from __future__ import annotations

import pytest

from obs.generate.model import Place
from obs.lint import report
from obs.lint.problem import Problem
from obs.lint.source import Source


def _problem(line: int, column: int, length: int, message: str = "is wrong") -> Problem:
    return Problem("some-check", "error", Place("a.yml", line, column), message, "do better", length)


def test_carets_stand_under_the_place() -> None:
    source = Source("a.yml", "one\n  expr: sum(up)\n")

    (text,) = report.console([_problem(2, 9, 7)], {"a.yml": source})

    assert text.splitlines() == [
        "a.yml:2:9: error: is wrong [some-check]",
        "     2 |   expr: sum(up)",
        "       |         ^^^^^^^",
        "  hint: do better",
    ]


def test_a_long_line_is_shown_around_the_place() -> None:
    source = Source("a.yml", "x" * 5000 + "HERE" + "y" * 5000)

    (text,) = report.console([_problem(1, 5001, 4)], {"a.yml": source})
    _, shown, carets, _ = text.splitlines()

    assert len(shown) < 130
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "HERE"


def test_a_place_beyond_the_file_is_no_error() -> None:
    (text,) = report.console([_problem(99, 9, 7)], {"a.yml": Source("a.yml", "one\n")})

    assert text.startswith("a.yml:99:9: error")


def test_what_a_code_host_reads_as_a_command_is_escaped() -> None:
    problem = Problem("some-check", "info", Place("a,b:c.yml", 1, 2), "100 %\nsure", None, 3)

    assert list(report.github([problem])) == [
        "::notice file=a%2Cb%3Ac.yml,line=1,col=2,endColumn=5,title=some-check::100 %25%0Asure"
    ]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_carets_stay_under_the_place_on_a_narrow_terminal(width: int) -> None:
    line = "x" * 150 + "here" + "y" * 150
    (text,) = report.console([_problem(1, 151, 4)], {"a.yml": Source("a.yml", line + "\n")}, width)

    _, shown, carets, *_ = text.splitlines()
    assert len(shown) == width
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "here"
