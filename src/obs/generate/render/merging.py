"""Keep what people wrote: put freshly generated parts into a page that exists.

A generated part stands between two markers, each on a line of its own::

    <!-- obs:begin meaning -->
    ...
    <!-- obs:end meaning -->

Everything else on a page belongs to people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from obs.errors import SpecError, suggest

_MARKER = re.compile(r"<!-- obs:(begin|end) ([a-z]+) -->")
#: What somebody meant as a marker: a page that has one of these is damaged, not free text.
_ATTEMPT = re.compile(r"\s*<!-*\s*obs:")


def wrap(part: str, text: str) -> str:
    """Put `text` between the markers of `part`."""
    return f"{_marker('begin', part)}\n{text.strip()}\n{_marker('end', part)}"


def merge(generated: str, existing: str | None, where: str = "runbook") -> str:
    """Return `generated` with what people wrote in `existing` kept, each text after the part it followed.

    Text after a part that is no longer generated moves up to the end of the part before it. Raises `SpecError`, with `where` and the line, when the markers of
    `existing` are damaged: guessing would lose somebody's words.
    """
    if existing is None or not existing.strip():
        return generated
    fresh = _parse(generated, "generated page")
    kept = _parse(existing, where)
    if not kept.parts:
        raise SpecError(
            "this page has no generated part, so it was not written by obs; expected lines such as "
            f"{_marker('begin', 'facts')}",
            where,
            "move the file away, generate again, and paste its text after one of the generated parts",
        )
    words = {part: kept.after[part] for part in kept.parts}
    _move_up(kept, set(fresh.parts), words)
    head = words.get("", kept.before)
    text = _between(fresh.before, head)
    for part, body in fresh.parts.items():
        text += body + _between(fresh.after[part], words.get(part))
    return text.rstrip("\n") + "\n"


@dataclass(slots=True)
class _Page:
    before: str = ""
    #: Part -> its text with both markers, in the order of the page.
    parts: dict[str, str] = field(default_factory=dict)
    #: Part -> what stands between it and the next one.
    after: dict[str, str] = field(default_factory=dict)


def _move_up(kept: _Page, alive: set[str], words: dict[str, str]) -> None:
    """Hand the words that follow a vanished part to the part before it, or to the top of the page."""
    home, top = "", kept.before
    for part in kept.parts:
        if part in alive:
            home = part
        elif kept.after[part].strip():
            if home:
                words[home] = _join(words[home], kept.after[part])
            else:
                top = _join(top, kept.after[part])
    words[""] = top


def _join(first: str, second: str) -> str:
    return f"\n\n{first.strip()}\n\n{second.strip()}\n\n" if first.strip() else f"\n\n{second.strip()}\n\n"


def _between(usual: str, words: str | None) -> str:
    """Return the text between two parts: a person's, else the usual space."""
    return words if words is not None and words.strip() else usual


def _parse(text: str, where: str) -> _Page:
    page = _Page()
    open_part, opened, inside, outside = "", 0, "", ""
    for number, line in enumerate(re.split(r"\r\n|\n", text), start=1):
        place = f"{where}:{number}"
        marker = _MARKER.fullmatch(line.strip())
        if marker is None:
            if _ATTEMPT.match(line):
                raise SpecError(
                    f"damaged marker {line.strip()!r}; expected {_marker('begin', 'NAME')} or {_marker('end', 'NAME')}",
                    place,
                    "restore the line as it was generated",
                )
            inside, outside = (f"{inside}{line}\n", outside) if open_part else (inside, f"{outside}{line}\n")
            continue
        edge, part = marker.groups()
        if edge == "begin":
            if open_part:
                raise SpecError(
                    f"part {part!r} begins inside part {open_part!r}, which began in line {opened}",
                    place,
                    f"add the line {_marker('end', open_part)} where that part ends",
                )
            if part in page.parts:
                raise SpecError(f"part {part!r} begins a second time", place, "delete one of the two")
            _put_outside(page, outside)
            open_part, opened, inside, outside = part, number, f"{_marker('begin', part)}\n", ""
        else:
            if part != open_part:
                state = f"part {open_part!r} is open" if open_part else "no part is open"
                raise SpecError(
                    f"part {part!r} ends here, but {state}",
                    place,
                    suggest(part, [open_part])
                    or f"add the line {_marker('begin', part)} where that part begins",
                )
            page.parts[part] = f"{inside}{_marker('end', part)}"
            open_part = ""
            outside = "\n"
    if open_part:
        raise SpecError(
            f"part {open_part!r} never ends",
            f"{where}:{opened}",
            f"add the line {_marker('end', open_part)} where that part ends",
        )
    _put_outside(page, outside.removesuffix("\n"))
    return page


def _put_outside(page: _Page, text: str) -> None:
    if page.parts:
        page.after[list(page.parts)[-1]] = text
    else:
        page.before = text


def _marker(edge: str, part: str) -> str:
    return f"<!-- obs:{edge} {part} -->"
