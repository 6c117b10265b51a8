"""Bring a directory to its artefacts: every new file is whole on the disk before the first old one goes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from obs.errors import OutputError
from obs.generate.output.changes import Changes, Edit, InScope, edits, everywhere, summary
from obs.generate.output.ownership import UNFINISHED, files, is_unfinished
from obs.generate.output.packed import Produced
from obs.generate.output.turn import nothing, writing


def approved(_: Changes) -> None:
    """Let any change pass."""


def write(
    artefacts: Sequence[Produced],
    out: Path,
    scope: InScope = everywhere,
    on_wait: Callable[[], None] = nothing,
    approve: Callable[[Changes], None] = approved,
) -> Changes:
    """Bring `out` to `artefacts` and return what was done.

    All files are written under other names first and then put in place one by one, so that a full disk
    changes nothing and no reader ever sees half of a file. Of two that write at once the second waits,
    after a call of `on_wait`. `approve` sees what will be done before anything is, and may raise. Raises
    `OutputError` when the directory cannot be written.
    """
    _make(out)
    with writing(out, on_wait):
        found = edits(artefacts, out, scope)
        approve(summary(found))
        for path in list(files(out)):
            if is_unfinished(path):  # of a write that was killed: we have the turn, so nobody writes it
                (out / path).unlink(missing_ok=True)
        _carry_out([edit for edit in found if not edit.has_words], out)
    return summary(found)


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write: {error.strerror}", str(out)) from None


def _carry_out(found: Sequence[Edit], out: Path) -> None:
    stage = _Stage()
    try:
        for edit in found:
            after = edit.after
            if after is not None:
                stage.add(out / edit.path, after)
    except OSError as error:
        stage.clear()
        raise OutputError(
            f"cannot write: {error.strerror}", str(error.filename or out), "nothing was changed"
        ) from None
    except BaseException:
        stage.clear()
        raise
    _put_in_place(stage.files, [edit for edit in found if edit.artefact is None], out)


class _Stage:
    """New files, whole, each beside its place under another name."""

    def __init__(self) -> None:
        #: (unfinished name, place), as texts: a large fleet has tens of thousands.
        self.files: list[tuple[str, str]] = []
        self._known: set[Path] = set()
        self._made: list[Path] = []

    def add(self, file: Path, data: bytes) -> None:
        """Write `data` for `file`. Raises `OSError`."""
        if file.parent not in self._known:
            self._make(file.parent)
        unfinished = file.with_name(f".{file.name}{UNFINISHED}")
        self.files.append((str(unfinished), str(file)))
        with unfinished.open("wb") as stream:
            stream.write(data)
        # Prometheus and Grafana run as other users than who generates.
        unfinished.chmod(_mode(file))

    def clear(self) -> None:
        """Remove everything again."""
        for unfinished, _ in self.files:
            with contextlib.suppress(OSError):
                Path(unfinished).unlink(missing_ok=True)
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _make(self, folder: Path) -> None:
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for one in reversed(missing):
            one.mkdir(exist_ok=True)
            self._made.append(one)
        self._known.update(missing or (folder,))


def _put_in_place(staged: Sequence[tuple[str, str]], gone: Sequence[Edit], out: Path) -> None:
    done = 0
    try:
        for unfinished, file in staged:
            Path(unfinished).replace(Path(file))
            done += 1
        for edit in gone:
            (out / edit.path).unlink(missing_ok=True)
            _remove_empty((out / edit.path).parent, out)
    except OSError as error:
        for unfinished, _ in staged[done:]:
            with contextlib.suppress(OSError):
                Path(unfinished).unlink(missing_ok=True)
        raise OutputError(
            f"cannot write: {error.strerror}",
            str(error.filename or out),
            f"{done} of {len(staged)} files are new already: run the same again",
        ) from None


def _mode(file: Path) -> int:
    try:
        return file.stat().st_mode & 0o777
    except OSError:
        return 0o644


def _remove_empty(folder: Path, out: Path) -> None:
    with contextlib.suppress(OSError):  # something else is in it
        while folder != out:
            folder.rmdir()
            folder = folder.parent
