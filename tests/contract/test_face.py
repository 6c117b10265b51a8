"""The face: what is promised exists, what exists is promised, and checkers see the same."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import obs
import obs.testing

#: The names that the walking skeleton promises.
_PROMISED = {
    "init", "shutdown", "flush", "status", "instrument", "counter", "gauge", "histogram", "log", "bind",
    "span", "job", "check", "serve", "ids", "get_logger", "inject", "extract", "ObsError", "Status", "Settings",
}  # fmt: skip


def test_all_is_sorted_and_holds_what_was_promised() -> None:
    assert list(obs.__all__) == sorted(obs.__all__)
    assert set(obs.__all__) >= _PROMISED


@pytest.mark.parametrize("name", obs.__all__)
def test_every_promised_name_exists_and_is_documented(name: str) -> None:
    value = getattr(obs, name)
    assert name == "__version__" or value.__doc__


def test_what_checkers_see_is_what_is_served() -> None:
    tree = ast.parse(Path(str(obs.__file__)).read_text())
    branch = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        (node.module, alias.name)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    served = {(home, name) for name, home in vars(obs)["_HOME_OF"].items()}
    assert seen == served
    assert {name for _, name in seen} == set(obs.__all__)


def test_dir_lists_the_face() -> None:
    assert set(obs.__all__) <= set(dir(obs))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'metrics_please'"):
        _ = vars(obs)["__getattr__"]("metrics_please")


def test_a_typo_is_seen_by_a_type_checker(tmp_path: Path) -> None:
    script = tmp_path / "user.py"
    script.write_text('import obs\n\nobs.inti("shop")\nobs.init(service=7)\n')
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert '"inti"' in done.stdout
    assert "arg-type" in done.stdout


def test_the_face_of_the_test_kit_serves_what_checkers_see() -> None:
    tree = ast.parse(Path(str(obs.testing.__file__)).read_text())
    branch = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in branch.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: node.module for node in imports for alias in node.names}
    assert seen == vars(obs.testing)["_HOMES"]
    assert sorted(seen) == obs.testing.__all__
    for name, home in seen.items():
        assert getattr(obs.testing, name).__doc__, home
    with pytest.raises(AttributeError, match="no attribute 'captured'"):
        _ = vars(obs.testing)["__getattr__"]("captured")
