"""Verification of audit chains: whatever was done to the lines is found, and where."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.runtime.events.chain import ANCHOR, START, Chain, Key
from obs.runtime.events.segments import Place
from obs.runtime.events.verify import Report, Verifier

KEY = Key(b"k" * 32)


def chain(length: int, key: Key | None = KEY, *, final: bool = True) -> list[bytes]:
    """Return the lines of a chain: its start, events, and an anchor at its end."""
    made = Chain(key)
    records: list[dict[str, Any]] = [{"stream": "audit", "event": START, "key_id": key.id if key else ""}]
    records += [
        {"stream": "audit", "action": "ORDER", "resource": f"order/{number}"} for number in range(length - 2)
    ]
    records.append({"stream": "audit", "event": ANCHOR, "final": final})
    return [json.dumps(made.link(record)).encode() for record in records]


def verified(*files: list[bytes], key: Key | None = KEY, anchors: list[bytes] | None = None) -> Report:
    verifier = Verifier(key)
    for number, line in enumerate(anchors or [], start=1):
        verifier.anchor(Place("anchors", number), line)
    for order, lines in enumerate(files):
        for number, line in enumerate(lines, start=1):
            verifier.feed(Place(f"f{order}", number, order), line)
    return verifier.finish()


def found(report: Report) -> list[tuple[str, str]]:
    return [(problem.id, str(problem.place)) for problem in report.problems]


def test_what_was_not_touched_is_clean() -> None:
    report = verified(chain(10))
    assert (report.exit_code, report.problems, report.unchecked) == (0, (), ())


@given(st.integers(1, 6), st.integers(0, 2**32))
def test_interleaved_and_rotated_files_in_any_order_are_clean(count: int, seed: int) -> None:
    shuffle = random.Random(seed)
    chains = [chain(shuffle.randint(2, 30)) for _ in range(count)]
    whole: list[bytes] = []
    while any(chains):
        picked = shuffle.choice([lines for lines in chains if lines])
        whole.append(picked.pop(0))
        if shuffle.random() < 0.2:
            whole.append(b'{"level":"info","message":"chain_id is a word here"}')
    cuts = sorted(shuffle.sample(range(len(whole) + 1), min(3, len(whole))))
    files = [whole[first:last] for first, last in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    shuffle.shuffle(files)
    assert verified(*files).problems == ()


def test_a_line_written_in_another_form_is_the_same_line() -> None:
    lines = [
        json.dumps(json.loads(line), indent=None, sort_keys=True, ensure_ascii=False).encode()
        for line in chain(5)
    ]
    wrapped = [b"2026-01-02T03:04:05Z stdout F " + line for line in lines]
    docker = [
        json.dumps({"log": line.decode() + "\n", "stream": "stdout", "time": "x"}).encode() for line in lines
    ]
    for form in (lines, wrapped, docker):
        report = verified(form)
        assert (report.problems, report.lines) == ((), 5)


@pytest.mark.parametrize("signed", [True, False])
@given(st.data())
def test_any_edit_of_any_value_is_found_at_its_line(signed: bool, data: st.DataObject) -> None:
    key = KEY if signed else None
    lines = chain(8, key)
    at = data.draw(st.integers(0, 7))
    record = json.loads(lines[at])
    name = data.draw(st.sampled_from(sorted(set(record) - {"stream", "chain_id"})))
    old = record[name]
    record[name] = data.draw(st.sampled_from(["x", 7, None, 1.5, [1], {}]).filter(lambda new: new != old))
    lines[at] = json.dumps(record).encode()
    places = {
        problem.place.line for problem in verified(lines, key=key).problems if problem.place is not None
    }
    assert at + 1 in places


@pytest.mark.parametrize("name", ["stream", "chain_id"])
def test_a_line_that_no_longer_says_where_it_belongs_is_missing(name: str) -> None:
    lines = chain(8)
    record = json.loads(lines[4])
    record[name] = "other"
    lines[4] = json.dumps(record).encode()
    assert "missing" in {problem.id for problem in verified(lines).problems}


@given(st.integers(1, 6))
def test_a_removed_line_is_named_by_its_neighbours(at: int) -> None:
    lines = chain(8)
    del lines[at]
    assert found(verified(lines)) == [("missing", f"f0:{at + 1}")]


def test_several_removed_lines_are_one_gap() -> None:
    lines = chain(20)
    (problem,) = verified(lines[:5] + lines[9:]).problems
    assert "numbers 5 to 8 are missing after f0:5" in str(problem)


@given(st.integers(0, 6))
def test_two_lines_that_changed_places_are_found(at: int) -> None:
    lines = chain(8)
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    assert found(verified(lines)) == [("reordered", f"f0:{at + 1}")]


@given(st.integers(0, 7), st.integers(0, 8))
def test_a_line_that_is_there_twice_is_found(source: int, at: int) -> None:
    lines = chain(8)
    lines.insert(at, lines[source])
    kinds = {problem.id for problem in verified(lines).problems}
    assert "duplicate" in kinds
    assert kinds <= {"duplicate", "reordered"}


def test_a_file_given_twice_is_one_problem_a_run() -> None:
    lines = chain(100)
    assert found(verified(lines, lines)) == [("duplicate", "f1:1")]


def test_a_cut_start_is_found() -> None:
    assert found(verified(chain(8)[3:])) == [("cut-start", "f0:1")]


def test_a_cut_end_is_found_by_an_anchor_alone() -> None:
    lines = chain(8)
    cut = verified(lines[:5])
    assert cut.exit_code == 0
    assert any("cut off the end" in limit for limit in cut.limits)
    assert [item.closed for item in cut.chains.values()] == [False]
    assert found(verified(lines[:5], anchors=lines)) == [("cut-end", "f0:5")]
    assert found(verified(chain(4), anchors=lines)) == [("missing-chain", "anchors:8")]


def test_a_forged_anchor_proves_nothing() -> None:
    record = json.loads(chain(8)[-1])
    record["sequence"] = 99
    assert found(verified(chain(4), anchors=[json.dumps(record).encode()])) == [("edited", "anchors:1")]


def test_an_unsigned_chain_rewritten_from_a_line_on_is_found_by_an_anchor_alone() -> None:
    made, again = chain(6, None), Chain(None)
    again.id = json.loads(made[0])["chain_id"]
    records = [json.loads(line) for line in made]
    records[2]["resource"] = "order/evil"
    forged = []
    for record in records:
        bare = {k: v for k, v in record.items() if k not in ("chain_id", "sequence", "previous", "hash")}
        forged.append(json.dumps(again.link(bare)).encode())
    assert verified(forged, key=None).problems == ()
    assert "replaced" in {problem.id for problem in verified(forged, key=None, anchors=made).problems}
    spliced = made[:2] + forged[2:3] + made[3:]
    assert [problem.id for problem in verified(spliced, key=None).problems] == ["replaced"]


def test_a_signed_chain_made_into_an_unsigned_one_is_found() -> None:
    assert ("unsigned", "f0:1") in found(verified(chain(4, None)))


def test_another_key_is_told_from_an_edit() -> None:
    report = verified(chain(6, Key(b"o" * 32)))
    assert (report.exit_code, report.problems) == (3, ())
    assert "not with" in report.unchecked[0]


def test_without_the_key_a_signed_chain_is_not_clean_but_unchecked() -> None:
    report = verified(chain(6), key=None)
    assert (report.exit_code, report.problems) == (3, ())
    del (lines := chain(6))[2]
    assert verified(lines, key=None).exit_code == 1


def test_nothing_to_check_is_no_pass() -> None:
    assert verified([b"", b"{}", b"not json"]).exit_code == 3


@pytest.mark.parametrize(
    "line",
    [
        b'{"stream":"audit","chain_id":"x","sequence":1,',
        b'{"stream":"audit","chain_id":7}',
        b'{"stream":"audit","chain_id":"x","sequence":-1,"previous":"","hmac":""}',
        b'{"stream":"audit","chain_id":"x","sequence":1,"previous":"","hmac":"","hash":""}',
        b'{"stream":"audit","chain_id":"x","chain_id":"x","sequence":1,"previous":"","hmac":""}',
        b'{"chain_id":' + b"[" * 100_000,
        b'{"stream":"audit","action":"REFU',
    ],
)
def test_a_line_that_cannot_be_read_is_a_problem(line: bytes) -> None:
    assert [problem.id for problem in verified([line]).problems] == ["unreadable"]


@pytest.mark.parametrize(
    "line",
    [
        b'{"stream":"audit","action":"REFUND","actor":"eve"}',
        b'{"stream" : "security","kind":"login"}',
        b'{"str\\u0065am":"\\u0061udit","action":"REFUND"}',
        json.dumps({"log": '{"stream":"audit","action":"REFUND"}\n', "stream": "stdout"}).encode(),
    ],
)
def test_an_event_that_belongs_to_no_chain_is_a_problem(line: bytes) -> None:
    assert found(verified([*chain(5), line])) == [("unchained", "f0:6")]


def test_lines_of_other_streams_are_passed_over() -> None:
    others = [b'{"message":"\\u00e9"}', b'{"stream":"stdout","log":"x"}', b"caf\\u00e9 {", b'{"stream":7}']
    assert verified([*chain(5), *others]).exit_code == 0


def test_a_line_written_with_escapes_is_the_same_line() -> None:
    lines = chain(5)
    lines[2] = lines[2].replace(b'"chain_id"', b'"chain\\u005fid"')
    assert verified(lines).exit_code == 0


@pytest.mark.parametrize("name", ["\x1b[2J\n0 problems", "\ud800", "x" * 32, "A" * 32])
def test_nothing_that_a_line_says_reaches_the_terminal(name: str) -> None:
    forged = {"stream": "audit", "event": START, "chain_id": name, "sequence": 3, "previous": "", "hmac": ""}
    known = {
        **forged,
        "chain_id": "a" * 32,
        "key_id": name,
        "parent": {"chain_id": name, "sequence": 1, "digest": ""},
    }
    report = verified([json.dumps(forged).encode(), json.dumps(known).encode()])
    told = [*map(str, report.problems), *report.unchecked, *report.chains]
    assert report.exit_code == 1
    assert not [text for text in told if name in text]


def test_a_value_shown_twice_cannot_hide_an_edit() -> None:
    lines = chain(5)
    lines[2] = lines[2].replace(b'"resource"', b'"resource": "order/evil", "resource"', 1)
    assert ("unreadable", "f0:3") in found(verified(lines))


@given(st.binary(max_size=200))
def test_no_line_stops_the_check(line: bytes) -> None:
    verified([line, b'{"chain_id"' + line])


def test_memory_grows_with_what_is_wrong_and_not_with_what_is_there() -> None:
    verifier = Verifier(KEY)
    for number, line in enumerate(chain(5_000), start=1):
        verifier.feed(Place("f", number), line)
    assert [len(item.segments) for item in verifier.finish().chains.values()] == [1]


def test_the_command_reads_gzip_and_tells_machines(tmp_path: Path) -> None:
    from obs.cli.main import run

    lines = chain(6, None)
    (tmp_path / "a.log.1.gz").write_bytes(gzip.compress(b"\n".join(lines[:3])))
    (tmp_path / "a.log").write_bytes(b"\n".join(lines[3:]))
    files = [str(tmp_path / "a.log"), str(tmp_path / "a.log.1.gz")]
    assert run(["audit", "verify", *files]) == 0
    assert run(["audit", "verify", files[0], "--format", "json"]) == 1
    assert run(["audit", "verify", files[0], "--partial"]) == 0
    (tmp_path / "bad.gz").write_bytes(b"no gzip")
    assert run(["audit", "verify", str(tmp_path / "bad.gz")]) == 2
    whole = bytearray(gzip.compress(b"\n".join(lines) * 9))
    whole[30:60] = b"\xff" * 30
    (tmp_path / "bad.gz").write_bytes(bytes(whole))
    assert run(["audit", "verify", str(tmp_path / "bad.gz")]) == 2
