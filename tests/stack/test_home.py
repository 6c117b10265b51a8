"""OBS_HOME, else the user's cache directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.errors import ConfigError
from obs.stack.home import home


def test_obs_home_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OBS_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert home() == tmp_path


def test_then_the_cache_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OBS_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert home() == tmp_path / "obs"


@pytest.mark.parametrize("chosen", [None, "~no-such-user/obs"])
def test_without_a_home_directory_it_says_what_to_set(
    chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(uid: int) -> object:
        raise KeyError(uid)

    for name in ("OBS_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    if chosen is not None:
        monkeypatch.setenv("OBS_HOME", chosen)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    with pytest.raises(ConfigError, match="no home directory") as caught:
        home()
    assert "set OBS_HOME" in str(caught.value)


@pytest.mark.parametrize("value", ["", "relative/path"])
def test_a_relative_cache_directory_is_ignored(
    value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OBS_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == tmp_path / ".cache" / "obs"
