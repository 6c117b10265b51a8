"""The files that type checkers read use every public name, and both checkers notice a mistake."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import obs
import obs.testing

_TYPING = Path(__file__).parents[1] / "typing"
_PYRIGHT = Path(sys.executable).with_name("pyright")


def used(path: Path, module: str) -> set[str]:
    """Return the names of `module` that a file uses, as attributes or imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    attributes = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == module
    }
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == module
        for alias in node.names
    }
    return attributes | imported


@pytest.mark.parametrize(("module", "file"), [(obs, "public_face.py"), (obs.testing, "kit.py")])
def test_every_public_name_is_used_in_the_file_that_checkers_read(module: ModuleType, file: str) -> None:
    assert set(module.__all__) - used(_TYPING / file, module.__name__) == set()


def test_pyright_sees_a_typo_a_wrong_argument_and_the_types_that_a_decorator_keeps(tmp_path: Path) -> None:
    shutil.copy(_TYPING / "pyrightconfig.json", tmp_path)
    (tmp_path / "user.py").write_text(
        "import obs\n"
        'obs.inti("shop")\n'
        "obs.init(service=7)\n"
        '@obs.span("load")\n'
        "def load(limit: int) -> str:\n"
        '    return ""\n'
        'number: int = load("x")\n'
    )
    environment = {**os.environ, "PYRIGHT_PYTHON_GLOBAL_NODE": "0", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    command = [str(_PYRIGHT), "--pythonpath", sys.executable, "-p", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    found = {line.split(":")[1] for line in done.stdout.splitlines() if " - error:" in line}
    assert found == {"2", "3", "7"}, done.stdout + done.stderr
