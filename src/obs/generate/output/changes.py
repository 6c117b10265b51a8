"""What separates a directory from the artefacts that its specs produce."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from obs.errors import ObsError, OutputError
from obs.generate.model import Artefact
from obs.generate.output.ownership import files, has_generated, is_ours, is_unfinished
from obs.generate.output.turn import reading
from obs.generate.render.merging import merge

_GENERATED_PART = re.compile(r"<!-- obs:begin (\w+) -->.*?<!-- obs:end \1 -->", re.DOTALL)

#: Tells whether a file that nothing produces any more is within what was asked for.
InScope = Callable[[PurePosixPath], bool]


@dataclass(frozen=True, slots=True)
class Changes:
    """What separates a directory from its specs, or what a write has done about it; paths are sorted."""

    created: tuple[PurePosixPath, ...] = ()
    changed: tuple[PurePosixPath, ...] = ()
    removed: tuple[PurePosixPath, ...] = ()
    #: No longer produced, yet left alone because a person has written into it.
    kept: tuple[PurePosixPath, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.created or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Edit:
    """One file that has to change."""

    path: PurePosixPath
    before: bytes | None
    #: None removes the file.
    after: bytes | None

    @property
    def has_words(self) -> bool:
        """Tell whether a page that would go holds text between its generated parts."""
        before = (self.before or b"").decode(errors="replace")
        return bool(_GENERATED_PART.search(before)) and bool(_GENERATED_PART.sub("", before).strip())


def everywhere(_: PurePosixPath) -> bool:
    """Return true: the specs are the whole of the directory."""
    return True


def compare(artefacts: Sequence[Artefact], out: Path, scope: InScope = everywhere) -> Changes:
    """Return what separates `out` from `artefacts`; changes nothing.

    Raises `OutputError` for a file that cannot be read, `ObsError` for one that obs did not write where an
    artefact belongs, and `SpecError` for a page with damaged markers.
    """
    with reading(out):
        return summary(edits(artefacts, out, scope))


def diff(artefacts: Sequence[Artefact], out: Path, scope: InScope = everywhere) -> str:
    """Return the unified diff from what is in `out` to `artefacts`; empty when they agree."""
    with reading(out):
        found = edits(artefacts, out, scope)
    lines: list[str] = []
    for edit in found:
        if edit.after is None and edit.has_words:
            continue
        lines += difflib.unified_diff(
            (edit.before or b"").decode(errors="replace").splitlines(keepends=True),
            (edit.after or b"").decode().splitlines(keepends=True),
            "/dev/null" if edit.before is None else f"a/{edit.path}",
            "/dev/null" if edit.after is None else f"b/{edit.path}",
        )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def edits(artefacts: Sequence[Artefact], out: Path, scope: InScope) -> list[Edit]:
    """Return every file that has to change, ordered by path; files outside of `scope` stay."""
    found = []
    for artefact in artefacts:
        before, after = _read(out / artefact.path), artefact.text.encode()
        # A page in which nobody has written needs no merging, and most pages are such.
        if before != after and artefact.preserves:
            after = _merged(artefact, before, out)
        if before != after:
            if before and not artefact.preserves and not is_ours(artefact.path, before):
                raise ObsError(
                    "in the way of a generated file, and obs did not write it",
                    str(out / artefact.path),
                    "move it away, or generate into another directory",
                )
            found.append(Edit(artefact.path, before, after))
    produced = {artefact.path for artefact in artefacts}
    orphans = (
        path
        for path in files(out)
        if path not in produced and not is_unfinished(path) and scope(path) and has_generated(path, out)
    )
    found += [Edit(path, _read(out / path), None) for path in orphans]
    return sorted(found, key=lambda edit: edit.path)


def summary(found: Sequence[Edit]) -> Changes:
    """Return the paths of `found` by what happens to them."""
    gone = [edit for edit in found if edit.after is None]
    return Changes(
        created=tuple(edit.path for edit in found if edit.before is None and edit.after is not None),
        changed=tuple(edit.path for edit in found if edit.before is not None and edit.after is not None),
        removed=tuple(edit.path for edit in gone if not edit.has_words),
        kept=tuple(edit.path for edit in gone if edit.has_words),
    )


def _merged(artefact: Artefact, before: bytes | None, out: Path) -> bytes:
    file = out / artefact.path
    try:
        text = None if before is None else before.decode()
    except UnicodeDecodeError:
        raise ObsError("not UTF-8 text, so obs did not write it", str(file), "move it away") from None
    return merge(artefact.text, text, str(file)).encode()


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise OutputError(f"cannot read: {error.strerror}", str(file)) from None
