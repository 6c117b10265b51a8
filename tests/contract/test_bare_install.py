"""A bare install is the runtime; every command says in one sentence what it misses.

The bare environment is real: a folder with links to just the files of the base requirements and
their own requirements, which a fresh interpreter gets instead of site-packages.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

import obs.errors

_SOURCE = Path(obs.errors.__file__).parent.parent


def _closure(name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.add(current)
        for line in distribution(current).requires or ():
            if "extra ==" in line or ("python_version" in line and "< " in line) or "sys_platform" in line:
                continue
            match = re.match(r"[A-Za-z0-9._-]+", line)
            assert match is not None
            waiting.append(match.group())
    return found


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bare")
    for name in _closure("obs-kit") - {"obs-kit"}:
        for file in distribution(name).files or ():
            top = file.parts[0]
            link = folder / top
            if top not in ("..", "__pycache__") and not link.exists():
                link.symlink_to(Path(str(distribution(name).locate_file(top))))
    (folder / "obs").symlink_to(_SOURCE / "obs")
    return folder


def _python(bare: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(bare), "PATH": os.environ["PATH"], "NO_COLOR": "1"}
    # -S leaves site-packages out; what PYTHONPATH holds is all there is.
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_toolchain_is_really_absent(bare: Path) -> None:
    for package in ("click", "yaml", "grafanalib", "promql_parser", "fastapi", "sentry_sdk"):
        assert _python(bare, "-c", f"import {package}").returncode == 1, package


def test_a_bare_install_runs_the_sdk(bare: Path) -> None:
    done = _python(bare, "-c", "import obs; obs.init('bare'); obs.log.info('ready'); print(obs.shutdown())")

    assert (done.returncode, done.stderr) == (0, "")
    assert '"message":"ready"' in done.stdout
    assert done.stdout.endswith("True\n")


def test_the_command_without_its_extra_is_one_sentence_with_the_install_line(bare: Path) -> None:
    done = _python(bare, "-m", "obs", "generate")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "error: the obs command needs the package click, which is not installed\n"
        "  hint: pip install 'obs-kit[tools]'\n"
    )


@pytest.mark.parametrize(
    ("command", "module", "package"),
    [
        (["generate", "spec.yml", "--out", "."], "yaml", "pyyaml"),
        (["generate", "spec.yml", "--out", "."], "promql_parser", "promql-parser"),
        (["demo"], "httpx", "httpx"),
    ],
)
def test_a_command_that_misses_one_package_names_it(
    command: list[str], module: str, package: str, tmp_path: Path
) -> None:
    (tmp_path / "spec.yml").write_text(
        "version: obs/v1\nservice: {name: a, team: b, tier: low}\ncapabilities: [http]\n"
    )
    code = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv[1:] = {command!r}; "
        "from obs.__main__ import main; sys.exit(main())"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 2
    assert done.stderr == (
        f"error: obs {command[0]} needs the package {package}, which is not installed\n"
        "  hint: pip install 'obs-kit[tools]'\n"
    )


def test_the_test_kit_works_in_a_bare_install_without_pytest(bare: Path) -> None:
    code = (
        "import obs\n"
        "from obs.testing import capture\n"
        "with capture() as telemetry:\n"
        "    with obs.span('work'): obs.log.info('seen')\n"
        "    telemetry.assert_logged('seen')\n"
        "    telemetry.assert_span('work')\n"
        "    print(telemetry.value('log.records', level='info'))\n"
    )
    done = _python(bare, "-c", code)
    assert done.stdout.endswith("1.0\n"), done.stderr
