"""The commands of the page about containers: each `sh docker` block, on the stack of these tests."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.engines.compose.stack import Containers

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "run-the-stack-with-docker.md"


def blocks() -> list[str]:
    """Return the blocks in order; the last one stops the stack."""
    return re.findall(
        r"^```sh docker\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def rotation() -> list[list[str]]:
    """Return the words of the commands that replace every certificate of a running stack."""
    [block] = re.findall(
        r"^```sh tls\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return [shlex.split(line) for line in block.splitlines()]


def run(containers: Containers, block: str) -> str:
    """Run a block as it stands, but for the state directory and the port of the shop; return what it prints."""
    script = block.replace("--runtime compose", f"--runtime compose --dir {containers.directory}").replace(
        "127.0.0.1:8701", f"127.0.0.1:{containers.ports['storefront']}"
    )
    environment = dict(containers.docker.environment)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", script], env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    return done.stdout
