"""Each import contract breaks when its wall is broken: a contract that cannot fail protects nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]

#: Name of the contract -> (file to plant in, import that must not stand there).
BREACHES = {
    "rooms: imports point down, siblings are closed to one another": (
        "catalogue/http.py",
        "import obs.generate.model",
    ),
    "the toolchain never loads the runtime": ("generate/pipeline.py", "import obs.runtime.setup"),
    "the runtime never loads the toolchain": ("runtime/setup.py", "import yaml"),
    "catalogue and errors: standard library only": ("errors.py", "import orjson"),
    "generate: spec, derive and render meet only in the model": (
        "generate/spec/load.py",
        "import obs.generate.render",
    ),
    "generate: renderers are independent": (
        "generate/render/prometheus.py",
        "import obs.generate.render.grafana",
    ),
    "runtime: pillars are independent": ("runtime/metrics/own.py", "import obs.runtime.logs"),
    "one door: grafanalib": ("generate/render/prometheus.py", "import grafanalib"),
    "one door: prometheus_client": ("runtime/setup.py", "import prometheus_client"),
    "one door: grpc": ("integrations/rpc.py", "import grpc"),
    "one door: celery": ("runtime/setup.py", "import celery"),
    "one door: sqlalchemy": ("integrations/database.py", "import sqlalchemy"),
    "one door: structlog": ("runtime/setup.py", "import structlog"),
    "one door: orjson": ("runtime/setup.py", "import orjson"),
    "one door: opentelemetry": ("runtime/setup.py", "import opentelemetry.trace"),
    "one door: yaml": ("generate/derive/__init__.py", "import yaml"),
    "one door: promql-parser": ("generate/pipeline.py", "import promql_parser"),
    "the demo knows the public face and the catalogue only": ("demo/payments.py", "import obs.runtime.setup"),
    "nobody imports the command line": ("verify/__init__.py", "import obs.cli.main"),
}


def _lint(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin", "NO_COLOR": "1", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def _copy(folder: Path) -> Path:
    shutil.copytree(_ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(_ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Break every wall of one copy; return what is said of each contract that is broken.

    A run looks at the whole graph of imports: one for each wall took longer than all other tests here.
    """
    copy = _copy(tmp_path_factory.mktemp("broken"))
    for file, line in [*BREACHES.values(), ("newroom/__init__.py", "")]:
        path = copy / "src" / "obs" / file
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"\n{line}\n")

    code, output = _lint(copy)

    assert code == 1, output
    _, *parts = re.split(r"^(.+)\n-+$", output, flags=re.MULTILINE)
    return {name: " ".join(said.split()) for name, said in zip(parts[::2], parts[1::2], strict=True)}


def test_all_walls_stand(tmp_path: Path) -> None:
    code, output = _lint(_copy(tmp_path))

    assert code == 0, output


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_of_the_wall_is_seen(name: str, broken: dict[str, str]) -> None:
    file, line = BREACHES[name]
    importer = ".".join(("obs", *Path(file).with_suffix("").parts)).removesuffix(".__init__")
    imported = line.removeprefix("import ")
    # Of a library, import-linter knows the name that it is imported by and nothing below.
    known = imported if imported.startswith("obs.") else imported.partition(".")[0]

    assert f"{importer} -> {known} (" in broken[name]


def test_a_room_that_is_not_listed_is_seen(broken: dict[str, str]) -> None:
    assert "not listed as layers: - obs.newroom" in broken[next(iter(BREACHES))]
