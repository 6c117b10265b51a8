"""Root file systems of images, written as a tar stream: no builder and no base image is needed."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.engines.compose.engine import Docker


@dataclass
class RootFiles:
    """What an image holds: programs, directories with their owners, texts, links."""

    files: dict[str, Path] = field(default_factory=dict)
    directories: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    trees: dict[str, tuple[Path, Callable[[Path], bool]]] = field(default_factory=dict)

    def write(self, output: io.BufferedIOBase) -> None:
        """Write the tar stream; owner is root unless a directory says otherwise."""
        with tarfile.open(fileobj=output, mode="w|", dereference=False) as archive:
            self._made: set[str] = set()
            for name, (owner, group, mode) in {"/tmp": (0, 0, 0o1777), **self.directories}.items():  # noqa: S108
                self._directory(archive, name, owner, group, mode)
            for name, path in self.files.items():
                self._file(archive, name, path)
            for name, text in self.texts.items():
                self._text(archive, name, text)
            for name, (path, wanted) in self.trees.items():
                for inner in sorted(path.rglob("*")):
                    if inner.is_file() and wanted(inner):
                        self._file(archive, f"{name}/{inner.relative_to(path)}", inner)
            for name, target in self.links.items():
                entry = tarfile.TarInfo(name.lstrip("/"))
                entry.type, entry.linkname = tarfile.SYMTYPE, target
                self._parents(archive, name)
                archive.addfile(entry)

    def _directory(
        self, archive: tarfile.TarFile, name: str, owner: int = 0, group: int = 0, mode: int = 0o755
    ) -> None:
        self._parents(archive, name)
        if name in self._made:
            return
        self._made.add(name)
        entry = tarfile.TarInfo(name.lstrip("/"))
        entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, owner, group
        archive.addfile(entry)

    def _parents(self, archive: tarfile.TarFile, name: str) -> None:
        above = str(Path(name).parent)
        if above != "/" and above not in self._made:
            self._directory(archive, above)

    def _file(self, archive: tarfile.TarFile, name: str, path: Path) -> None:
        self._parents(archive, name)
        found = path.resolve()
        entry = tarfile.TarInfo(name.lstrip("/"))
        entry.size = found.stat().st_size
        entry.mode = 0o755 if found.stat().st_mode & 0o100 else 0o644
        # Compiled Python counts only beside a source of the same time.
        entry.mtime = int(found.stat().st_mtime)
        with found.open("rb") as content:
            archive.addfile(entry, content)

    def _text(self, archive: tarfile.TarFile, name: str, text: str) -> None:
        self._parents(archive, name)
        entry = tarfile.TarInfo(name.lstrip("/"))
        entry.size, entry.mode = len(text.encode()), 0o755 if text.startswith("#!") else 0o644
        archive.addfile(entry, io.BytesIO(text.encode()))


def load(docker: Docker, image: str, files: RootFiles, changes: Sequence[str]) -> None:
    """Make `image` of `files`; `changes` are lines of a Dockerfile such as ``USER 10001``."""
    options = [part for change in changes for part in ("--change", change)]
    child = subprocess.Popen(
        ["docker", "import", *options, "-", image],
        env=dict(docker.environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stderr is not None
    with child.stdin, child.stderr:
        files.write(child.stdin)  # type: ignore[arg-type]
        child.stdin.close()
        words = child.stderr.read()
        assert child.wait(300) == 0, words.decode()
