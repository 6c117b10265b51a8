"""Make a virtual environment with pip, also where Python came without ensurepip.

Debian splits ensurepip from python3; its wheel of pip can still be had unprivileged by
downloading and unpacking the package python3-pip-whl. Standard library only: it runs first.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

OLDEST = (3, 10)


def main(directory: Path) -> int:
    """Make the environment; return 0, or 2 with one sentence when Python cannot."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        return _refuse(f"Python 3.10 or newer is needed, this is {found}", "make PYTHON=python3.12 ...")
    if (directory / "bin" / "python").exists() and _has_pip(directory):
        return 0
    shutil.rmtree(directory, ignore_errors=True)
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        venv.create(directory, with_pip=False)
        if not (_seed_by_pip(directory) or _seed_by_debian(directory)):
            return _refuse(
                "this Python has neither ensurepip nor pip",
                "install the package python3-venv, or name another Python",
            )
        return 0
    venv.create(directory, with_pip=True)
    return 0


def _has_pip(directory: Path) -> bool:
    return _runs([str(directory / "bin" / "python"), "-m", "pip", "--version"])


def _seed_by_pip(directory: Path) -> bool:
    """Use the pip of the system, which can install into another environment since 22.3."""
    python = str(directory / "bin" / "python")
    return _runs([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "pip"])


def _seed_by_debian(directory: Path) -> bool:
    """Run pip out of Debian's wheel to install pip from that same wheel."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if not _runs(["apt-get", "download", "python3-pip-whl"], scratch):
            return False
        packages = [str(path) for path in scratch.glob("*.deb")]
        if not packages or not _runs(["dpkg", "-x", packages[0], "unpacked"], scratch):
            return False
        wheels = sorted((scratch / "unpacked").rglob("pip-*.whl"))
        if not wheels:
            return False
        python = str(directory / "bin" / "python")
        wheel = str(wheels[-1])
        return _runs([python, f"{wheel}/pip", "install", "--quiet", "--no-index", wheel])


def _runs(command: list[str], where: Path | None = None) -> bool:
    try:
        return subprocess.run(command, cwd=where, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _refuse(message: str, hint: str) -> int:
    print(f"error: {message}\n  hint: {hint}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
