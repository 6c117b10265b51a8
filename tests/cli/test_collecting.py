"""Commands that look for no garbage while they work, and leave a process that does."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from obs import __main__
from obs.cli.collecting import no_collecting
from obs.cli.main import run
from obs.generate import pipeline

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "tests" / "golden" / "shop" / "spec.yml"


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.enable()
    yield
    (gc.enable if was_on else gc.disable)()


def test_after_generating_and_after_failing_to(tmp_path: Path) -> None:
    assert run(["generate", str(SPEC), "--out", str(tmp_path), "--only", "rules"]) == 0
    assert gc.isenabled()
    assert run(["generate", str(tmp_path / "nowhere.yml")]) == 2
    assert gc.isenabled()


def test_after_linting_and_after_failing_to(tmp_path: Path) -> None:
    assert run(["lint", str(SPEC)]) == 0
    assert gc.isenabled()
    assert run(["lint", str(tmp_path / "nowhere.yml")]) == 2
    assert gc.isenabled()


def test_who_had_it_switched_off_keeps_it_off(tmp_path: Path) -> None:
    gc.disable()
    assert run(["generate", str(SPEC), "--out", str(tmp_path), "--only", "rules"]) == 0
    assert not gc.isenabled()


def test_nothing_is_looked_at_while_files_are_compared_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, seen = pipeline.write, []

    def watched(*arguments: Any) -> pipeline.Changes:
        seen.append(gc.isenabled())
        return write(*arguments)

    monkeypatch.setattr(pipeline, "write", watched)
    assert run(["generate", str(SPEC), "--out", str(tmp_path), "--only", "rules"]) == 0
    assert seen == [False]


def test_what_was_made_meanwhile_is_not_looked_at_all_at_once_afterwards() -> None:
    searches: list[str] = []

    def note(phase: str, _: dict[str, int]) -> None:
        searches.append(phase)

    gc.callbacks.append(note)
    try:
        with no_collecting():
            searches.clear()
            kept = [{number} for number in range(10 * gc.get_threshold()[0])]
        few = [{number} for number in range(20)]
    finally:
        gc.callbacks.remove(note)
    assert not searches
    assert len(kept) > len(few)


def test_garbage_made_meanwhile_is_found_by_the_next_whole_search() -> None:
    class Node:
        """Something that can be watched."""

    with no_collecting():
        node: Any = Node()
        node.itself = node
        watch = weakref.ref(node)
        del node
    gc.collect()
    assert watch() is None


def test_a_process_that_ends_makes_no_last_search(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[bool] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    monkeypatch.setattr(sys, "argv", ["obs", "--version"])
    assert __main__.main() == 0
    assert frozen == [True]
