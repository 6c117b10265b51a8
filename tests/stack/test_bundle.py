"""Bundled files are found in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.errors import StackError
from obs.stack import bundle


def test_a_checkout_has_specs_stack_and_tools() -> None:
    for part in ("specs", "stack", "tools"):
        assert bundle.path(part).is_dir()


def test_an_installed_wheel_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "obs" / "_bundle" / "stack" / "small" / "prometheus.yml"
    inside.parent.mkdir(parents=True)
    inside.touch()
    monkeypatch.setattr(bundle, "_PACKAGE", tmp_path / "obs")
    assert bundle.root() == tmp_path / "obs" / "_bundle"


def test_an_incomplete_installation_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "_PACKAGE", tmp_path / "site" / "lib" / "obs")
    with pytest.raises(StackError, match="missing from this installation"):
        bundle.root()


def test_a_missing_file_is_named() -> None:
    with pytest.raises(StackError, match=r"specs/nobody\.yml"):
        bundle.path("specs", "nobody.yml")
