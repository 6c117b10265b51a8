"""Statements without their values: what they are about, alike whatever the values, safe on any text."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.integrations import sql

SUBJECTS = {
    "SELECT a.id FROM public.orders a WHERE id = 1": ("SELECT", "public.orders"),
    'select * from "Orders"': ("SELECT", "Orders"),
    "INSERT INTO orders(id) VALUES (1)": ("INSERT", "orders"),
    "INSERT INTO orders (id) SELECT id FROM old ON CONFLICT DO UPDATE SET id = 1": ("INSERT", "orders"),
    "UPDATE ONLY orders SET a = 1": ("UPDATE", "orders"),
    "DELETE FROM orders": ("DELETE", "orders"),
    "WITH recent AS (SELECT * FROM orders) SELECT * FROM recent": ("SELECT", "orders"),
    "WITH a AS (SELECT 1), b AS (SELECT 2 FROM t) DELETE FROM orders USING a": ("DELETE", "orders"),
    "WITH RECURSIVE t(n) AS (VALUES (1) UNION SELECT n FROM t) SELECT * FROM t": ("SELECT", ""),
    "SELECT EXTRACT(year FROM created) FROM orders": ("SELECT", "orders"),
    "SELECT * FROM (SELECT * FROM orders) AS x": ("SELECT", "orders"),
    "SELECT a IS DISTINCT FROM b FROM orders FOR UPDATE OF orders": ("SELECT", "orders"),
    "SELECT * FROM generate_series(1, 2)": ("SELECT", ""),
    "SELECT 1": ("SELECT", ""),
    "CREATE TABLE IF NOT EXISTS orders (id int)": ("CREATE", "orders"),
    "/* FROM a */ -- FROM b\nSELECT 1 FROM orders": ("SELECT", "orders"),
    "SELECT ' FROM hidden ' FROM orders": ("SELECT", "orders"),
    "BEGIN": ("BEGIN", ""),
    "gibberish FROM": ("OTHER", ""),
    "": ("OTHER", ""),
}


@pytest.mark.parametrize("text", SUBJECTS)
def test_a_statement_is_about_its_verb_and_first_table(text: str) -> None:
    known = sql.read(text)
    assert (known.operation, known.table) == SUBJECTS[text]


#: Dialect, statement, and what is left of it; "hunter2" is the value.
VALUES = {
    "a text": ("", "SELECT 'hunter2'", "SELECT ?"),
    "a doubled quote": ("", "SELECT 'it''s hunter2', 1", "SELECT ?, ?"),
    "a backslash ends no standard text": ("", r"SELECT 'a\', 'hunter2'", "SELECT ?, ?"),
    "a backslash in E''": ("", r"SELECT E'a\' hunter2', b", "SELECT ?, b"),
    "a backslash in MySQL": ("mysql", r"SELECT 'a\' hunter2', b", "SELECT ?, b"),
    "double quotes in MySQL": ("mysql", 'SELECT "hunter2"', "SELECT ?"),
    "a hash comment in MySQL": ("mysql", "SELECT 1 # hunter2\nFROM t", "SELECT ? FROM t"),
    "dollar quotes": ("", "SELECT $$it's hunter2$$, $a$ $$ hunter2 $a$", "SELECT ?, ?"),
    "a bit string": ("", "SELECT B'101', x'1F'", "SELECT ?, ?"),
    "Oracle's own quotes": ("oracle.db", "SELECT q'[it's hunter2]' FROM t", "SELECT ? FROM t"),
    "numbers": ("", "SELECT 1, -2.5e-3, .5, 0x1F FROM t1", "SELECT ?, -?, ?, ? FROM t1"),
    "nested comments": ("", "SELECT /* a /* b */ hunter2 */ 1", "SELECT ?"),
    "an open text": ("", "SELECT 1, 'hunter2", "SELECT ?, ?"),
    "an open comment": ("", "SELECT 1 /* hunter2", "SELECT ?"),
    "an open dollar quote": ("", "SELECT $x$ hunter2 $y$", "SELECT ?"),
    "an open name": ("", 'SELECT "hunter2', 'SELECT "?"'),
    "a list": ("", "a IN (1, 2, 'hunter2')", "a IN (?)"),
    "a list of casts": ("", "a IN (%(a)s::INTEGER, %(b)s::VARCHAR(10))", "a IN (?)"),
    "rows": ("", "INSERT INTO t VALUES (1, 'hunter2'), (2, 'b')", "INSERT INTO t VALUES (?)"),
    "parameters": ("", "a = %s AND b = :b AND c = $1 AND d = ?", "a = ? AND b = ? AND c = ? AND d = ?"),
    "a cast of a column stays": ("", "a::text", "a::text"),
}


@pytest.mark.parametrize("case", VALUES)
def test_no_value_is_left(case: str) -> None:
    system, text, left = VALUES[case]
    assert sql.read(text, system).text == left


def test_statements_that_differ_in_values_spacing_and_case_are_one() -> None:
    first = sql.read("SELECT * FROM orders WHERE id IN (1, 2) -- page 3")
    second = sql.read("select *\n  from orders\n where id in (:a, :b, :c)")
    assert first.fingerprint == second.fingerprint
    assert len(first.fingerprint) == 16
    assert first.fingerprint != sql.read("SELECT * FROM orders WHERE id = 1").fingerprint
    assert sql.read('SELECT "a"').fingerprint != sql.read('SELECT "A"').fingerprint


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    assert sql.read("SELECT 1 FROM orders").fingerprint == "08fc6e6b18195a2c"


def test_what_is_kept_is_bounded() -> None:
    columns = ", ".join(f"column_{number}" for number in range(10_000))
    assert len(sql.read(f"VALUES {columns}").text) == sql.TEXT_LIMIT
    assert len(sql.read(f"COPY {'x' * 500}").table) <= 64


_PIECES = st.sampled_from(
    ["'", '"', "`", "$$", "$a$", "/*", "*/", "--", "\n", "\\", "E'", "q'[", "]'", "(", ")", ",", "::", ":a", "%(", "%s",
     "?", "1", "1e", "-", " ", "SELECT", "FROM", "WITH", "AS", "INTO", "t", ".", "x.y", "\x00", "é", "∞"]
)  # fmt: skip
_SYSTEMS = st.sampled_from(["", "mysql", "oracle.db", "microsoft.sql_server"])


@given(st.lists(_PIECES, max_size=60).map("".join) | st.text(max_size=200), _SYSTEMS)
def test_any_text_is_read_without_an_error(text: str, system: str) -> None:
    known = sql.read(text, system)
    assert len(known.fingerprint) == 16
    assert len(known.table) <= 64


@given(
    st.text(max_size=40), st.text(max_size=40), st.sampled_from(["SELECT {} FROM t", "a IN ({}, {})", "{}"])
)
def test_a_text_of_any_content_leaves_the_same(one: str, other: str, form: str) -> None:
    quoted = ["'" + value.replace("'", "''") + "'" for value in (one, other)]
    assert sql.read(form.format(quoted[0], quoted[0])) == sql.read(form.format(quoted[1], quoted[1]))


HOSTILE = ["'", "''", '"', "$", "$a$", "$a", "/*", "*/", "/*/", "--", "(", "(?", "(?,", "(?),", "?::", "?::a", "1.", "1e", "%(",
           "%(a", ":", "::", "\\", "E'", "E'\\", "FROM ", "FROM a.", "WITH a AS (", ",", "a"]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_work_grows_with_the_text_and_no_faster(piece: str) -> None:
    # Steps of the interpreter are counted, because times flake.
    small, large = (_steps(piece * (length // len(piece))) for length in (2_000, 16_000))
    assert large <= 12 * small + 10_000


def _steps(text: str) -> int:
    steps = 0

    def count(frame: object, event: str, argument: object) -> Any:
        nonlocal steps
        steps += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        sql._read(text, "")
    finally:
        sys.settrace(before)
    return steps
