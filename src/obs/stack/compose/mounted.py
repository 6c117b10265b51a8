"""Whether containers still see the files that they were started with.

Docker mounts a file, not its name: a certificate that was renewed, a password that was replaced or a configuration that
came with a newer version is seen only by a new container, and Compose makes one only when the compose file has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from obs.stack import secret_files
from obs.stack.whole import write_whole

#: Directories whose files are read at the start only; all others are followed by who reads them.
_READ_ONCE = ("/etc/otelcol", "/etc/grafana/provisioning")


def fingerprints(project: Mapping[str, Any]) -> dict[str, str]:
    """Return, by service, what stands for the content of every file that it reads at its start."""
    return {name: _fingerprint(project, service) for name, service in project["services"].items()}


def is_current(project: Mapping[str, Any], record: Path) -> bool:
    """Tell whether the services that were started before had the present content, as `remember` wrote down.

    Nothing is held against containers that somebody else has started, and nothing against a service that is new.
    """
    if not record.exists():
        return True
    kept, present = _read(record), fingerprints(project)
    return bool(kept) and all(present.get(name, digest) == digest for name, digest in kept.items())


def remember(project: Mapping[str, Any], record: Path) -> None:
    """Write down that the containers have the present content; what others were started with stays written down."""
    kept = _read(record) if record.exists() else {}
    write_whole(record, json.dumps({**kept, **fingerprints(project)}), mode=0o600)


def _read(record: Path) -> dict[str, str]:
    try:
        kept = json.loads(secret_files.read(record))
    except ValueError:
        kept = None
    # Anything else is from a version that told no services apart: all are made anew once.
    return kept if isinstance(kept, dict) else {}


def _fingerprint(project: Mapping[str, Any], service: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    for file in sorted(set(_files(project, service))):
        digest.update(f"\0{file}\0".encode())
        with contextlib.suppress(OSError):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _files(project: Mapping[str, Any], service: Mapping[str, Any]) -> Iterator[Path]:
    secrets = project.get("secrets", {})
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
