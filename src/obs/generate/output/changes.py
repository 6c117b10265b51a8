"""What separates a directory from the artefacts that its specs produce."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from obs.errors import ObsError, OutputError
from obs.generate.output.ownership import files, has_generated, is_ours, is_unfinished
from obs.generate.output.packed import Produced
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
    """One file that has to change; its bytes are made when they are asked for, for all files together are many."""

    path: PurePosixPath
    #: There is a file already.
    is_there: bool
    #: None removes the file.
    artefact: Produced | None
    #: The page with what people have written into it, where somebody has.
    merged: bytes | None = None
    #: A page that would go holds text between its generated parts.
    has_words: bool = False

    @property
    def after(self) -> bytes | None:
        """What will stand there; None when the file goes."""
        if self.merged is not None or self.artefact is None:
            return self.merged
        return self.artefact.text.encode()


def everywhere(_: PurePosixPath) -> bool:
    """Return true: the specs are the whole of the directory."""
    return True


def compare(artefacts: Sequence[Produced], out: Path, scope: InScope = everywhere) -> Changes:
    """Return what separates `out` from `artefacts`; changes nothing.

    Raises `OutputError` for a file that cannot be read, `ObsError` for one that obs did not write where an
    artefact belongs, and `SpecError` for a page with damaged markers.
    """
    with reading(out):
        return summary(edits(artefacts, out, scope))


def diff(artefacts: Sequence[Produced], out: Path, scope: InScope = everywhere) -> str:
    """Return the unified diff from what is in `out` to `artefacts`; empty when they agree."""
    with reading(out):
        found = edits(artefacts, out, scope)
        lines = [line for edit in found if not edit.has_words for line in _unified(edit, out)]
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _unified(edit: Edit, out: Path) -> Iterator[str]:
    before, after = _read(out / edit.path) if edit.is_there else None, edit.after
    return difflib.unified_diff(
        (before or b"").decode(errors="replace").splitlines(keepends=True),
        (after or b"").decode().splitlines(keepends=True),
        "/dev/null" if before is None else f"a/{edit.path}",
        "/dev/null" if after is None else f"b/{edit.path}",
    )


def edits(artefacts: Sequence[Produced], out: Path, scope: InScope) -> list[Edit]:
    """Return every file that has to change, ordered by path; files outside of `scope` stay."""
    found = []
    for artefact in artefacts:
        before, merged = _read(out / artefact.path), None
        after = artefact.text.encode()
        # A page in which nobody has written needs no merging, and most pages are such.
        if before != after and artefact.preserves:
            merged = _merged(artefact, before, out)
            # What is written as it was made needs no second copy until then.
            after, merged = merged, None if merged == after else merged
        if before != after:
            if before and not artefact.preserves and not is_ours(artefact.path, before):
                raise ObsError(
                    "in the way of a generated file, and obs did not write it",
                    str(out / artefact.path),
                    "move it away, or generate into another directory",
                )
            found.append(Edit(artefact.path, before is not None, artefact, merged))
    produced = {str(artefact.path) for artefact in artefacts}
    orphans = (
        path
        for path in files(out)
        if str(path) not in produced and not is_unfinished(path) and scope(path) and has_generated(path, out)
    )
    found += [Edit(path, True, None, has_words=_has_words(_read(out / path))) for path in orphans]
    return sorted(found, key=lambda edit: edit.path)


def summary(found: Sequence[Edit]) -> Changes:
    """Return the paths of `found` by what happens to them."""
    written = [edit for edit in found if edit.artefact is not None]
    gone = [edit for edit in found if edit.artefact is None]
    return Changes(
        created=tuple(edit.path for edit in written if not edit.is_there),
        changed=tuple(edit.path for edit in written if edit.is_there),
        removed=tuple(edit.path for edit in gone if not edit.has_words),
        kept=tuple(edit.path for edit in gone if edit.has_words),
    )


def _has_words(page: bytes | None) -> bool:
    text = (page or b"").decode(errors="replace")
    return bool(_GENERATED_PART.search(text)) and bool(_GENERATED_PART.sub("", text).strip())


def _merged(artefact: Produced, before: bytes | None, out: Path) -> bytes:
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
