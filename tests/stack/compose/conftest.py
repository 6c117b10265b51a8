"""A `docker` that answers from files, and remembers what it was asked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

#: The first word after `compose` that is no option and no value of one names the command.
_SCRIPT = """#!/bin/sh
here='{here}'
echo "$*" >> "$here/asked"
shift
while [ $# -gt 0 ]; do
  case "$1" in
    --file|--env-file|--profile|--project-name) shift 2 ;;
    *) break ;;
  esac
done
if [ -f "$here/$1.fails" ]; then cat "$here/$1.fails" >&2; exit 1; fi
if [ -f "$here/$1" ]; then cat "$here/$1"; fi
"""


@dataclass(frozen=True)
class FakeDocker:
    """Where its answers are."""

    folder: Path

    def answers(self, command: str, text: str) -> None:
        """Print `text` for `docker compose COMMAND`."""
        (self.folder / command).write_text(text)

    def fails(self, command: str, words: str) -> None:
        """Fail with these words."""
        (self.folder / f"{command}.fails").write_text(words)

    def asked(self) -> list[str]:
        """Return the arguments of every call."""
        file = self.folder / "asked"
        return file.read_text().splitlines() if file.exists() else []

    def project(self, **services: dict[str, Any]) -> None:
        """Let the resolved project be these services, with the secrets that they mount."""
        names = {one["source"]: one for service in services.values() for one in service.get("secrets", ())}
        secrets = {name: {"file": one.pop("file")} for name, one in names.items()}
        self.answers("config", json.dumps({"services": services, "secrets": secrets}))


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """Put the fake in front of everything else, with an engine that answers and runs nothing."""
    folder = tmp_path / "docker"
    folder.mkdir()
    program = folder / "docker"
    program.write_text(_SCRIPT.format(here=folder))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("OBS_HOME", str(tmp_path / "home"))
    fake = FakeDocker(folder)
    fake.answers("version", "Docker Compose version v2.40.3\n")
    fake.project()
    return fake
