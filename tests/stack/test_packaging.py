"""An installed wheel carries whatever a checkout runs the stack from."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

_INCLUDED = re.compile(r'^"?([^"=\n]+?)"? = "obs/_bundle/([^"]+)"$', re.MULTILINE)
#: What a compose file, or the path to one, names beside itself.
_BESIDE = re.compile(r"(?<![\w./])\./([\w./-]+)")
#: Made at the first start, or part of the package itself.
_NOT_BUNDLED = (".obs", "src/obs")


def _included() -> dict[str, str]:
    return dict(_INCLUDED.findall((ROOT / "pyproject.toml").read_text(encoding="utf-8")))


def _is_included(path: str) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in _included())


def test_what_is_included_keeps_its_place() -> None:
    found = _included()
    assert len(found) > 10
    for source, place in found.items():
        assert (ROOT / source).exists()
        assert place == source.replace("docs/reference/lint", "lint")


def test_every_compose_file_is_in_the_wheel_with_all_that_it_names() -> None:
    files = sorted((*ROOT.glob("docker-compose*.yml"), *ROOT.glob(".env.example")))
    assert files
    for file in files:
        assert _is_included(file.name), f"{file.name} is missing in force-include of pyproject.toml"
        lines = [
            line
            for line in file.read_text(encoding="utf-8").splitlines()
            if not line.lstrip().startswith("#")
        ]
        for path in _BESIDE.findall("\n".join(lines)):
            if not path.startswith(_NOT_BUNDLED):
                assert _is_included(path), f"{file.name} names {path}, which force-include leaves out"


def test_the_sources_of_every_engine_that_go_builds_are_in_the_wheel() -> None:
    for module in sorted((ROOT / "tools").glob("*/go.mod")):
        assert _is_included(f"tools/{module.parent.name}")
