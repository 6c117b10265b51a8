"""Take one program, or it and its directory, out of a release archive; nothing else in it is looked at."""

from __future__ import annotations

import fnmatch
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from obs.errors import StackError

#: Bytes; the largest program of 2026 is near 300 MB unpacked, the largest directory near 1 GB.
_PROGRAM_LIMIT = 600_000_000
_TREE_LIMIT = 3_000_000_000
_CHUNK = 1 << 18


def extract(archive: Path, member: str, into: Path) -> Path:
    """Copy the one regular file that the pattern `member` names into the file `into`; return that.

    An archive without `member` is the program itself.

    Raises:
        StackError: there is no such file, it is no program, or the archive is damaged.
    """
    if not member:
        archive.replace(into)
        return into
    try:
        if archive.suffix == ".zip":
            _from_zip(archive, member, into)
        else:
            with tarfile.open(archive, "r:gz") as tar:
                found = _named(tar, member, archive)
                _copy(tar.extractfile(found), into)
    except KeyError:
        raise StackError(f"{archive.name} holds no {member}") from None
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise StackError(f"{archive.name} cannot be unpacked: {error}") from None
    return into


def extract_whole(archive: Path, member: str, into: Path) -> Path:
    """Copy the directory above the one that holds `member`, as files of our own making, to `into`; return that.

    Links and whatever else is no regular file, and names that lead elsewhere, are left out.

    Raises:
        StackError: as `extract`, or it unpacks to more than we take.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            top = PurePosixPath(_named(tar, member, archive).name).parent.parent
            taken = 0
            for found, place in _below(tar, top):
                taken += found.size
                if taken > _TREE_LIMIT:
                    raise StackError(
                        f"{archive.name} unpacks to more than {_TREE_LIMIT / 1e9:g} GB: given up"
                    )
                file = into / place
                file.parent.mkdir(parents=True, exist_ok=True)
                _copy(tar.extractfile(found), file)
                file.chmod(0o755 if found.mode & 0o100 else 0o644)
    except KeyError:
        raise StackError(f"{archive.name} holds no {member}") from None
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise StackError(f"{archive.name} cannot be unpacked: {error}") from None
    return into


def _below(tar: tarfile.TarFile, top: PurePosixPath) -> Iterator[tuple[tarfile.TarInfo, PurePosixPath]]:
    for found in tar.getmembers():
        name = PurePosixPath(found.name)
        if found.isreg() and top in name.parents and ".." not in name.parts:
            yield found, name.relative_to(top)


def _named(tar: tarfile.TarFile, member: str, archive: Path) -> tarfile.TarInfo:
    if "*" in member:
        member = next((name for name in tar.getnames() if _matches(name, member)), member)
    found = tar.getmember(member)
    if not found.isreg() or found.size > _PROGRAM_LIMIT:
        raise StackError(f"{member} in {archive.name} is no program")
    return found


def _matches(name: str, pattern: str) -> bool:
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))


def _from_zip(archive: Path, member: str, into: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        if opened.getinfo(member).file_size > _PROGRAM_LIMIT:
            raise StackError(f"{member} in {archive.name} is no program")
        with opened.open(member) as source:
            _copy(source, into)


def _copy(source: IO[bytes] | None, into: Path) -> None:
    if source is None:
        raise StackError(f"{into.name} is no file")
    with source, into.open("wb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
