"""The runbooks on disk: which pages exist, and their text. Reads only what lies inside its folder."""

from __future__ import annotations

import itertools
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from obs.errors import ConfigError, StackError, nearest

#: Largest page that is read, in bytes. A generated runbook has about 10 kB.
MAX_BYTES = 1 << 20
#: Most pages that are listed.
MAX_PAGES = 10_000
#: The generated facts, from which the index takes the severity, are at the top of a page.
_HEAD_BYTES = 16_384

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,199}")
_SEVERITY = re.compile(r"^\|\s*Severity\s*\|\s*([a-z]{1,20})\s*\|\s*$", re.MULTILINE)
_MEANING = re.compile(r"^## Meaning\n\s*\n(.+?)(?:\n\s*\n|\Z)", re.MULTILINE | re.DOTALL)
_URGENCY = {"page": 0, "ticket": 1, "none": 3}


@dataclass(frozen=True, slots=True)
class Entry:
    """One runbook as the index lists it."""

    service: str
    alert: str
    #: ``page``, ``ticket``, ``none``, or empty when the page does not say.
    severity: str
    #: First sentence of the section Meaning, as plain text; may be empty.
    summary: str

    @property
    def path(self) -> str:
        """The page's address on the console."""
        return f"/runbooks/{self.service}/{self.alert}"


class Library:
    """Runbooks as ``<folder>/<service>/<Alert>.md``.

    Every call looks at the disk, so that a page that was generated a moment ago is there.
    Links that lead out of the folder, and anything that is no regular file, do not exist for it.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ConfigError(
                f"no folder of runbooks at {str(folder)!r}",
                hint="obs generate SPEC --out DIR writes DIR/runbooks",
            )
        self._root = folder.resolve()

    def read(self, service: str, alert: str) -> str | None:
        """Return the text of a page, or None when there is none.

        Raises `StackError` when it is larger than `MAX_BYTES`.
        """
        path = self._locate(service, alert)
        if path is None:
            return None
        data = _read_bounded(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise StackError(
                f"the runbook {service}/{alert} is larger than {MAX_BYTES} bytes",
                hint="move attachments out of the page",
            )
        return data.decode("utf-8", errors="replace")

    def entries(self) -> list[Entry]:
        """Return all pages by service, the most urgent first."""
        found: list[Entry] = []
        for service, alert, path in self._pages():
            if len(found) == MAX_PAGES:
                break
            head = _read_bounded(path, _HEAD_BYTES).decode("utf-8", errors="replace")
            found.append(describe(service, alert, head))
        return sorted(found, key=lambda e: (e.service, _URGENCY.get(e.severity, 2), e.alert))

    def count(self) -> int:
        """Return how many pages there are, without reading them."""
        return sum(1 for _ in itertools.islice(self._pages(), MAX_PAGES))

    def nearest(self, service: str, alert: str) -> str | None:
        """Return ``service/Alert`` of the page most like the one asked for, or None."""
        names = [f"{s}/{a}" for s, a, _ in self._pages()]
        same_alert = [name for name in names if name.endswith(f"/{alert}")]
        return nearest(f"{service}/{alert}", names) or (same_alert[0] if same_alert else None)

    def _pages(self) -> Iterator[tuple[str, str, Path]]:
        for folder in sorted(self._root.iterdir()):
            if not _NAME.fullmatch(folder.name) or not folder.is_dir():
                continue
            for file in sorted(folder.glob("*.md")):
                path = self._locate(folder.name, file.stem)
                if path is not None:
                    yield folder.name, file.stem, path

    def _locate(self, service: str, alert: str) -> Path | None:
        if not _NAME.fullmatch(service) or not _NAME.fullmatch(alert):
            return None
        try:
            path = (self._root / service / f"{alert}.md").resolve(strict=True)
            regular = stat.S_ISREG(path.stat().st_mode)
        except (OSError, RuntimeError):  # absent, unreadable, or a loop of links
            return None
        return path if regular and path.is_relative_to(self._root) else None


def describe(service: str, alert: str, text: str) -> Entry:
    """Read from a page's text, or from its beginning, what the index says about it."""
    text = text.replace("\r\n", "\n")
    severity = _SEVERITY.search(text)
    meaning = _MEANING.search(text)
    summary = _plain(meaning.group(1)) if meaning else ""
    return Entry(service, alert, severity.group(1) if severity else "", summary)


def _read_bounded(path: Path, limit: int) -> bytes:
    """Read the beginning of a file; one that was removed or locked since it was listed is empty."""
    try:
        # A pipe that took the file's place a moment ago must not hold the reader.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            return file.read(limit)
    except OSError:
        return b""


def _plain(markdown: str) -> str:
    text = re.sub(r"[`*]", "", " ".join(markdown.split()))
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0][:300]
