"""A program's fixed directory is replaced by one of the same length that leads to `shared`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import StackError
from obs.stack.relocate import relocate


@given(st.text("abcdefgh/", min_size=8, max_size=60).map(lambda tail: f"/{tail}"))
def test_the_new_path_is_as_long_and_means_shared(fixed: str) -> None:
    program = Path(os.environ["OBS_HOME"]).with_name("program")
    before = b"\x00before" + fixed.encode() + b"/default.tmpl\xffafter"
    program.write_bytes(before)

    assert relocate(program, fixed)

    after = program.read_bytes()
    path = after.removeprefix(b"\x00before").removesuffix(b"/default.tmpl\xffafter").decode()
    assert len(after) == len(before)
    assert os.path.normpath(path) == "shared"


def test_a_program_without_the_path_is_left_alone(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"nothing in here")
    assert not relocate(program, "/usr/share/somewhere")
    assert program.read_bytes() == b"nothing in here"


def test_a_path_that_is_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="too short"):
        relocate(tmp_path / "program", "/usr")
