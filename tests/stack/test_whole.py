"""A file is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.stack.whole import write_whole


def test_a_file_gets_the_mode_that_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    write_whole(file, "first")
    write_whole(file, "é", mode=0o640)
    assert file.read_text(encoding="utf-8") == "é"
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="taken"):
        write_whole(tmp_path / "taken", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
