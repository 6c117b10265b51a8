"""Whether containers still see the files that they were started with.

Docker mounts a file, not its name: a certificate that was renewed, a password that was replaced or a configuration that
came with a newer version is seen only by a new container, and Compose makes one only when the compose file has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from obs.stack import secret_files
from obs.stack.whole import write_whole

#: Directories whose files are read at the start only; all others are followed by who reads them.
_READ_ONCE = ("/etc/otelcol", "/etc/grafana/provisioning")


def fingerprint(project: Mapping[str, Any]) -> str:
    """Return what stands for the content of every file that services of the resolved `project` read at their start."""
    digest = hashlib.sha256()
    for file in sorted(set(_files(project))):
        digest.update(f"\0{file}\0".encode())
        with contextlib.suppress(OSError):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def is_current(project: Mapping[str, Any], record: Path) -> bool:
    """Tell whether the containers were last started with the present content, as `remember` wrote down.

    Nothing is held against containers that somebody else has started.
    """
    return not record.exists() or secret_files.read(record) == fingerprint(project)


def remember(project: Mapping[str, Any], record: Path) -> None:
    """Write down that the containers have the present content."""
    write_whole(record, fingerprint(project), mode=0o600)


def _files(project: Mapping[str, Any]) -> Iterator[Path]:
    secrets = project.get("secrets", {})
    for service in project["services"].values():
        for entry in service.get("secrets") or ():
            if "file" in secrets.get(entry["source"], {}):
                yield Path(secrets[entry["source"]]["file"])
        for volume in service.get("volumes") or ():
            source = Path(volume["source"]) if volume.get("type") == "bind" else None
            if source is None:
                continue
            if source.is_file():
                yield source
            elif volume.get("target") in _READ_ONCE:
                yield from (file for file in source.rglob("*") if file.is_file())
