"""Versions are read from what programs print, and compared by number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.stack.version import Version, parse, printed

_part = st.integers(min_value=0, max_value=999_999_999)


@given(_part, _part, _part)
def test_a_version_survives_being_written_and_read(major: int, minor: int, patch: int) -> None:
    version = Version(major, minor, patch)
    assert parse(str(version)) == version
    assert parse(f"v{version}") == version
    assert printed(f"prometheus, version {version}+ds (branch: x, revision: 9.9.9)") == version


@given(_part, _part)
def test_a_missing_patch_is_zero(major: int, minor: int) -> None:
    assert parse(f"{major}.{minor}") == Version(major, minor, 0)


@given(st.text())
def test_any_text_is_a_version_or_none(text: str) -> None:
    assert parse(text) is None or isinstance(parse(text), Version)
    assert printed(text) is None or isinstance(printed(text), Version)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("prometheus, version 2.42.0+ds (branch: debian/sid, revision: 2.42.0+ds-5+deb12u1)", Version(2, 42)),
        ("amtool, version 0.34.0 (branch: , revision: unknown)", Version(0, 34)),
        ("prometheus, version 3.15.0-rc.1 (branch: HEAD)", Version(3, 15)),
        ("prometheus, version  (branch: , revision: unknown)\n  go version:       go1.26.8", None),
        ("usage: something 1.2.3", None),
        ("", None),
    ],
)
def test_the_version_stands_after_the_word_version(output: str, expected: Version | None) -> None:
    assert printed(output) == expected


def test_versions_are_compared_by_number_not_by_letter() -> None:
    assert Version(2, 9) < Version(2, 42) < Version(3, 0) < Version(10, 0)
