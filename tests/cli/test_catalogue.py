"""`obs catalogue export` hands a service's own signals over without loading them here."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from obs.catalogue import contract


def _obs(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "obs", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_export_holds_the_services_own_signals_beside_the_bundled_ones(tmp_path: Path) -> None:
    (tmp_path / "signals.py").write_text(
        "from obs.catalogue import Counter, Label\n"
        "print('a module may talk')\n"
        "OURS = [Counter(id='shop.orders', metric='shop_orders_total', help='Orders.', labels=(Label('tier'),))]\n"
    )

    done = _obs(
        "catalogue", "export", "--module", "signals", "--service", "shop", "--out", "c.json", cwd=tmp_path
    )

    registry = contract.loads((tmp_path / "c.json").read_text(), "c.json")
    assert done.returncode == 0
    assert registry.find("shop.orders").label_names() == ("tier",)
    assert "http.server.duration" in registry


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{shlex.quote(sys.executable)} -m obs catalogue export | head -1",
        shell=True,  # the pipe is the case
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize("command", ["catalogue list", "catalogue export", "lint --list"])
def test_whose_reader_is_gone_is_neither_clean_nor_has_findings(command: str, tmp_path: Path) -> None:
    """It ends as every program does that SIGPIPE ends, so that pipefail tells it from findings."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "obs", *command.split()],
            cwd=tmp_path,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (141, "")
