"""Verify audit chains: lines of any number of processes, in any number of files, in one pass."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from obs.runtime.events.chain import ANCHOR, HASHED, SIGNED, START, Key, digest
from obs.runtime.events.segments import Place, Problem, Segment, between

#: What no check of the lines alone can find.
LIMITS = (
    "lines cut off the end of a chain, unless an anchor that was kept elsewhere (--anchors) names a later one",
    "a whole chain that is missing, unless an anchor or a chain that it is the parent of names it",
    "what was never written: events that the service did not report",
    "what a log shipper or somebody else put around the JSON of a line: only what is inside is a part of the chain",
)
_UNSIGNED_LIMIT = (
    "a chain without a key that was rewritten from some line on: it proves mistakes, not forgeries"
)
_KEY_LIMIT = "what somebody who holds the key rewrote"
_STREAMS = ("audit", "security")
#: What every event has, plain or as JSON inside of JSON; names may be written with escapes as well.
_PROBE = re.compile(rb'chain_id|stream\\{0,8}"\s{0,8}:\s{0,8}\\{0,8}"(?:audit|security)')
_ESCAPED = b"\\u00"
#: Nothing else is shown: what stands in a line may be meant for the terminal.
_CHAIN_ID = re.compile(r"[0-9a-f]{32}")
_KEY_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Anchor:
    """What somebody else says that a chain has: the digest of one of its lines."""

    chain_id: str
    sequence: int
    digest: str
    place: Place


@dataclass
class ChainState:
    """What is known of one chain so far."""

    segments: list[Segment] = field(default_factory=list)
    lines: int = 0
    signed: bool = False
    #: The process closed it: its last line is an anchor that says so.
    closed: bool = False
    key_id: str = ""
    #: Lines whose digest is wrong, told at the end: all of them are when the key is another one.
    edited: list[Problem] = field(default_factory=list)
    unsigned: Place | None = None
    parent: str = ""
    anchors: dict[int, Anchor] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What was found."""

    problems: tuple[Problem, ...]
    #: Why a part could not be checked.
    unchecked: tuple[str, ...]
    chains: Mapping[str, ChainState]
    lines: int
    limits: tuple[str, ...]

    def without(self, id_: str) -> Report:
        """Return the same without problems of one kind."""
        return replace(self, problems=tuple(problem for problem in self.problems if problem.id != id_))

    @property
    def exit_code(self) -> int:
        """Return 1 with problems, 3 where something could not be checked, 0 otherwise."""
        if self.problems:
            return 1
        return 3 if self.unchecked else 0


class Verifier:
    """Takes lines one by one; `finish` tells what is wrong with them."""

    def __init__(self, key: Key | None = None) -> None:
        self._key = key
        self._chains: dict[str, ChainState] = {}
        self._problems: list[Problem] = []
        self._lines = 0

    def anchor(self, place: Place, line: bytes) -> None:
        """Take a line of a file with anchors, where it is one."""
        record = _parse(line)
        if not isinstance(record, dict) or record.get("event") != ANCHOR or _shape(record):
            return
        found = _digest_of(record)
        if self._key is not None and not self._is_right(record):
            self._problems.append(
                Problem("edited", place, "the anchor does not match its digest", record["chain_id"])
            )
            return
        anchor = Anchor(record["chain_id"], record["sequence"], found, place)
        self._chain(anchor.chain_id).anchors[anchor.sequence] = anchor

    def feed(self, place: Place, line: bytes) -> None:
        """Take a line of a log; what is no audit or security event is passed over."""
        probable = _PROBE.search(line) is not None
        if not probable and _ESCAPED not in line:
            return
        record = _parse(line)
        if isinstance(record, str):
            if probable:
                self._problems.append(Problem("unreadable", place, f"the line cannot be read: {record}", ""))
            return
        if record.get("stream") not in _STREAMS:
            return
        if "chain_id" not in record:
            self._problems.append(
                Problem("unchained", place, "an event in no chain: anybody can have written it", "")
            )
            return
        wrong = _shape(record)
        if wrong:
            self._problems.append(Problem("unreadable", place, f"the line lacks {wrong}", ""))
            return
        self._lines += 1
        self._check(place, record)

    def finish(self) -> Report:
        """Return what is wrong with everything that was taken."""
        problems, unchecked = list(self._problems), []
        for chain_id, chain in self._chains.items():
            if self._has_another_key(chain):
                unchecked.append(
                    f"chain {chain_id} is signed with the key {chain.key_id or 'of another service'}, "
                    f"not with {self._key.id if self._key is not None else ''}"
                )
            else:
                problems += chain.edited
            if chain.signed and self._key is None:
                unchecked.append(f"chain {chain_id} is signed: --key-file is needed to tell edits")
            if self._key is not None and chain.unsigned is not None:
                problems.append(
                    Problem(
                        "unsigned", chain.unsigned, f"chain {chain_id} is not signed with a key", chain_id
                    )
                )
            if chain.segments:
                problems += between(chain_id, chain.segments)
            problems += _unreached(chain_id, chain)
        if not self._lines:
            unchecked.append("there is no audit or security event in the files")
        problems.sort(key=_position)
        signed = self._key is not None and all(chain.signed for chain in self._chains.values())
        limits = (*LIMITS, _KEY_LIMIT if signed else _UNSIGNED_LIMIT)
        chains = {name: chain for name, chain in self._chains.items() if chain.lines}
        return Report(tuple(problems), tuple(unchecked), chains, self._lines, limits)

    def _check(self, place: Place, record: dict[str, Any]) -> None:
        chain = self._chain(record["chain_id"])
        sequence, found = record["sequence"], _digest_of(record)
        chain.lines += 1
        if SIGNED in record:
            chain.signed = True
        elif chain.unsigned is None:
            chain.unsigned = place
        if not self._is_right(record):
            chain.edited.append(
                Problem(
                    "edited",
                    place,
                    f"number {sequence} of chain {record['chain_id']} does not match its digest: it was edited",
                    record["chain_id"],
                    sequence,
                )
            )
        self._note(chain, place, record)
        anchor = chain.anchors.get(sequence)
        if anchor is not None and anchor.digest != found:
            self._problems.append(
                Problem(
                    "replaced",
                    place,
                    f"number {sequence} of chain {record['chain_id']} is not the line that {anchor.place} knows",
                    record["chain_id"],
                    sequence,
                )
            )
        last = chain.segments[-1] if chain.segments else None
        if (
            last is not None
            and sequence == last.last + 1
            and record["previous"] == last.head
            and place.order == last.ends.order
        ):
            last.extend(found, place)
            return
        lost = record.get("lost")
        chain.segments.append(
            Segment(
                sequence, sequence, record["previous"], found, place, place, lost if type(lost) is int else 0
            )
        )

    def _note(self, chain: ChainState, place: Place, record: Mapping[str, Any]) -> None:
        event = record.get("event")
        if event == ANCHOR and record.get("final") is True:
            chain.closed = True
        # A tuple: an edited line may have anything there, also what has no hash.
        if event in (START, ANCHOR) and _has_form(record.get("key_id"), _KEY_ID):
            chain.key_id = record["key_id"]
        parent = record.get("parent") if event == START else None
        if isinstance(parent, dict):
            name, sequence, head = parent.get("chain_id"), parent.get("sequence"), parent.get("digest")
            if _has_form(name, _CHAIN_ID) and type(sequence) is int and isinstance(head, str):
                chain.parent = name
                self._chain(name).anchors.setdefault(sequence, Anchor(name, sequence, head, place))

    def _is_right(self, record: Mapping[str, Any]) -> bool:
        if SIGNED in record and self._key is None:
            return True
        bare = {name: value for name, value in record.items() if name not in {SIGNED, HASHED}}
        key = self._key if SIGNED in record else None
        return hmac.compare_digest(digest(bare, key).encode(), _digest_of(record).encode("utf-8", "replace"))

    def _has_another_key(self, chain: ChainState) -> bool:
        if self._key is None or not chain.signed or not chain.edited:
            return False
        return chain.key_id != self._key.id and len(chain.edited) == chain.lines

    def _chain(self, chain_id: str) -> ChainState:
        return self._chains.setdefault(chain_id, ChainState())


def _unreached(chain_id: str, chain: ChainState) -> Iterable[Problem]:
    """Yield the end that is missing by what somebody else says of the chain."""
    if not chain.anchors:
        return
    furthest = chain.anchors[max(chain.anchors)]
    last = max(chain.segments, key=lambda item: item.last, default=None)
    if last is None:
        yield Problem(
            "missing-chain",
            furthest.place,
            f"chain {chain_id} is in none of the files: it had number {furthest.sequence} by this line",
            chain_id,
        )
    elif furthest.sequence > last.last:
        yield Problem(
            "cut-end",
            last.ends,
            f"chain {chain_id} ends at number {last.last} here: by {furthest.place} it had number "
            f"{furthest.sequence}",
            chain_id,
            last.last,
        )


def _position(problem: Problem) -> tuple[int, int]:
    return (problem.place.order, problem.place.line) if problem.place is not None else (1 << 30, 0)


def _parse(line: bytes) -> dict[str, Any] | str:
    """Return the object in a line, also behind what a container runtime puts before it; or what is wrong."""
    start = line.find(b"{")
    try:
        found = json.loads(line[start:], object_pairs_hook=_unique)
        if isinstance(found, dict) and isinstance(found.get("log"), str) and "chain_id" not in found:
            found = json.loads(found["log"], object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        return str(error) or type(error).__name__
    return found if isinstance(found, dict) else "it is no object"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # Readers take either the first or the last: what is shown need not be what was signed.
        raise ValueError("a name stands in it twice")
    return found


def _shape(record: Mapping[str, Any]) -> str:
    """Return what a line of a chain lacks, empty text when nothing."""
    if not _has_form(record.get("chain_id"), _CHAIN_ID):
        return "a chain_id of 32 hexadecimal digits"
    sequence = record.get("sequence")
    if type(sequence) is not int or sequence < 0:
        return "sequence"
    if not isinstance(record.get("previous"), str):
        return "previous"
    if (SIGNED in record) == (HASHED in record) or not isinstance(_digest_of(record), str):
        return "its digest, hmac or hash"
    return ""


def _has_form(value: object, form: re.Pattern[str]) -> TypeGuard[str]:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _digest_of(record: Mapping[str, Any]) -> Any:
    return record[SIGNED] if SIGNED in record else record.get(HASHED)
