"""Whether the user of a container may read the secrets that are mounted into it.

Compose mounts a file secret as it is: owner and mode of this machine count, whatever the compose file asks for. A
container that cannot read its password starts all the same and fails later, in words of its own.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obs.errors import ConfigError, StackError


@dataclass(frozen=True)
class Reader:
    """The user of one service, as the compose file names it: numbers, so that no image has to be asked."""

    service: str
    user: int
    groups: tuple[int, ...]

    def may_read(self, found: os.stat_result) -> bool:
        """Tell whether the mode of the file lets this user read it."""
        if self.user == found.st_uid:
            return bool(found.st_mode & stat.S_IRUSR)
        if found.st_gid in self.groups:
            return bool(found.st_mode & stat.S_IRGRP)
        return bool(found.st_mode & stat.S_IROTH)


def require_readable(project: Mapping[str, Any]) -> None:
    """Make sure that each service of the resolved `project` may read its secrets.

    Raises:
        ConfigError: a service names no user by number.
        StackError: a secret is missing, or its container cannot read it; every one is named.
    """
    problems = list(dict.fromkeys(_problems(project)))
    if problems:
        raise StackError(
            "containers cannot read their secrets\n    " + "\n    ".join(problems),
            hint="a directory of mode 0700 keeps others away; the files in it are then mode 0444: chmod 0444 FILE",
        )


def _problems(project: Mapping[str, Any]) -> Iterator[str]:
    files = {
        name: Path(entry["file"]) for name, entry in project.get("secrets", {}).items() if "file" in entry
    }
    for name, service in project["services"].items():
        wanted = [entry["source"] for entry in service.get("secrets") or () if entry["source"] in files]
        if not wanted:
            continue
        reader = _reader(name, service)
        for secret in wanted:
            file = files[secret]
            try:
                found = file.stat()
            except OSError as error:
                yield f"{file}: {(error.strerror or str(error)).lower()}"
                continue
            if not stat.S_ISREG(found.st_mode):
                # What Docker leaves where it mounted a file that was not there.
                yield f"{file}: not a file"
            elif not reader.may_read(found):
                yield f"{file}: mode {stat.S_IMODE(found.st_mode):04o} of user {found.st_uid} is not for {name} (user {reader.user})"


def _reader(name: str, service: Mapping[str, Any]) -> Reader:
    user, _, group = str(service.get("user", "0")).partition(":")
    numbers: Sequence[str] = (user, group or user, *map(str, service.get("group_add") or ()))
    if not all(number.isdecimal() for number in numbers):
        raise ConfigError(
            f"{name}: got user {service.get('user')!r}, expected numbers such as 10001:10001",
            hint="only the image knows what a name stands for",
        )
    return Reader(name, int(user), tuple(int(number) for number in numbers[1:]))
