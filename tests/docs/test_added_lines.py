"""The tutorials of the frameworks add as many lines to a plain service as their titles say, and take none away."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest

_TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorial"
_TITLE = re.compile(r"# .+: four pillars in (\w+) lines\n")
_FILE = re.compile(r"^```python (?P<name>\S+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django", "grpc", "celery"])
def test_four_pillars_take_under_ten_lines_as_the_title_counts_them(framework: str) -> None:
    text = (_TUTORIALS / f"{framework}.md").read_text(encoding="utf-8")
    title = _TITLE.match(text)
    files = [match["body"].splitlines() for match in _FILE.finditer(text)]
    assert title is not None
    changes = [line for line in difflib.ndiff(files[0], files[1]) if line[0] in "+-" and line[2:].strip()]
    assert all(line[0] == "+" for line in changes), changes
    assert len(changes) == _NUMBERS.index(title[1])
