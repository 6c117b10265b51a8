"""Runbook pages in Markdown: headings, links, blocks of code and steps, each with its line.

Read with markdown-it, so that what looks like a heading inside a block of code is none.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token

from obs.lint.query import Language, Query
from obs.lint.source import Source, Span, Text


class _Parser(MarkdownIt):
    """Leaves addresses as they were written, which is what is looked for in their lines."""

    def __init__(self) -> None:
        super().__init__("commonmark")
        self.enable("table")

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the library's name for its hook
        """Return the address itself."""
        return url


_PARSER = _Parser()
#: Headings that every page of an alert has, in this order; the first four are common to all collections.
HEADINGS = ("Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation", "Verification")
FOLDERS = frozenset({"runbooks", "runbook", "playbooks"})
_INDEXES = frozenset({"readme", "index", "_index", "summary", "_sidebar"})
#: Settings of a site generator above the page.
_FRONT_MATTER = re.compile(r"\A---\r?\n(?P<body>.*?\r?\n)---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_HTML_ANCHOR = re.compile(r"""<[a-z][a-z0-9]*\b[^>]*?\b(?:id|name)\s*=\s*["']([^"']+)["']""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; lines count from 1."""

    level: int
    text: str
    anchor: str
    line: int


@dataclass(frozen=True, slots=True)
class Link:
    """A link or picture."""

    target: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code; `language` as its fence names it, "" when none does; `line` is its first line of code."""

    language: str
    text: str
    line: int
    #: Text of the heading of level two that it stands under.
    section: str


@dataclass(frozen=True)
class Page:
    """One page."""

    source: Source
    headings: tuple[Heading, ...]
    links: tuple[Link, ...]
    blocks: tuple[Block, ...]
    #: Lines of prose: (line, text), without code and comments.
    prose: tuple[tuple[int, str], ...]
    #: Line of each item of a list.
    items: tuple[int, ...]
    anchors: frozenset[str]
    #: Title in its front matter, which a site shows in place of a heading; its line.
    front_title: tuple[str, int] | None = None

    @property
    def queries(self) -> Iterator[Query]:
        """The PromQL of its blocks."""
        for block in self.blocks:
            if block.language in {"promql", "logql"}:
                start = self.source.line_start(block.line)
                raw, body = self._body(block)
                text = Text(body, self.source, start, start + len(raw), "raw")
                language: Language = "promql" if block.language == "promql" else "logql"
                yield Query(text, "runbook", f"runbook {self.name}", language)

    def _body(self, block: Block) -> tuple[str, str]:
        """Return a block as it is written, indented, and as it reads."""
        lines = block.text.count("\n")
        start = self.source.line_start(block.line)
        raw = self.source.text[start : self.source.line_start(block.line + lines)]
        return raw.rstrip("\n"), block.text.rstrip("\n")

    @property
    def is_index(self) -> bool:
        """Whether it lists other pages."""
        return self.name.lower() in _INDEXES

    @property
    def name(self) -> str:
        """Its file's name without the suffix, which is what alerts are called."""
        return PurePosixPath(self.source.name.replace("\\", "/")).stem

    @property
    def says_something(self) -> bool:
        """Whether anything stands under its headings."""
        headings = {heading.line for heading in self.headings}
        return bool(self.blocks) or any(line not in headings for line, text in self.prose if text.strip())

    @property
    def title(self) -> Heading | None:
        """Its first heading of level one."""
        return next((heading for heading in self.headings if heading.level == 1), None)

    def section(self, name: str) -> tuple[int, int] | None:
        """Return the first and the last line (exclusive) under the heading `name`; case does not matter."""
        for number, heading in enumerate(self.headings):
            if heading.level > 1 and _folded(heading.text) == _folded(name):
                after = (other.line for other in self.headings[number + 1 :] if other.level <= heading.level)
                return heading.line + 1, next(after, self.source.lines + 1)
        return None

    def at(self, line: int, part: str = "") -> Span:
        """Return where `part` stands in a line, or the whole line without its indentation."""
        text, start = self.source.line(line), self.source.line_start(line)
        column = text.find(part) if part else -1
        if column < 0:
            column, part = len(text) - len(text.lstrip()), text.strip()
        return self.source.span(start + column, start + column + len(part))


def read(source: Source) -> Page:
    """Return the page in a Markdown text; every text is one."""
    front = _FRONT_MATTER.match(source.text)
    # Lines are kept, so that those below count on.
    text = "\n" * front.group().count("\n") + source.text[front.end() :] if front else source.text
    tokens = _PARSER.parse(text)
    headings = tuple(_headings(tokens))
    anchors = {heading.anchor for heading in headings} | set(_HTML_ANCHOR.findall(source.text))
    return Page(
        source=source,
        headings=headings,
        links=tuple(_links(tokens)),
        blocks=tuple(_blocks(tokens)),
        prose=tuple(_prose(tokens)),
        items=tuple(token.map[0] + 1 for token in tokens if token.type == "list_item_open" and token.map),
        anchors=frozenset(anchors),
        front_title=_front_title(front),
    )


def is_runbook(page: Page) -> bool:
    """Tell whether a page is a runbook or the list of some: by its folder, or by its headings."""
    folders = PurePosixPath(page.source.file.replace("\\", "/")).parts[:-1]
    return bool(FOLDERS & {folder.lower() for folder in folders}) or (
        sum(page.section(heading) is not None for heading in HEADINGS) >= 2
    )


def _front_title(front: re.Match[str] | None) -> tuple[str, int] | None:
    for number, line in enumerate(front["body"].splitlines() if front else (), start=2):
        key, _, text = line.partition(":")
        if key.strip() == "title" and text.strip():
            return text.strip().strip("\"'"), number
    return None


def slug(text: str) -> str:
    """Return the anchor that code hosts give a heading: small letters, dashes for blanks, no punctuation."""
    kept = (
        letter
        for letter in text.strip().lower()
        if letter in " -_" or unicodedata.category(letter)[0] in "LNM"
    )
    return "".join(kept).replace(" ", "-")


def _headings(tokens: Sequence[Token]) -> Iterator[Heading]:
    seen: dict[str, int] = {}
    for token, inline in itertools.pairwise(tokens):
        if token.type == "heading_open" and token.map:
            words = "".join(
                child.content for child in inline.children or () if child.type in {"text", "code_inline"}
            ).strip()
            anchor = slug(words)
            times = seen.get(anchor, 0)
            seen[anchor] = times + 1
            yield Heading(
                int(token.tag[1:]), words, f"{anchor}-{times}" if times else anchor, token.map[0] + 1
            )


def _links(tokens: Sequence[Token]) -> Iterator[Link]:
    for token in tokens:
        if token.type != "inline" or not token.map:
            continue
        line, children = token.map[0] + 1, token.children or []
        for number, child in enumerate(children):
            if child.type in {"softbreak", "hardbreak"}:
                line += 1
            elif child.type == "link_open":
                words = children[number + 1].content if number + 1 < len(children) else ""
                yield Link(str(child.attrs.get("href", "")), words, line)
            elif child.type == "image":
                yield Link(str(child.attrs.get("src", "")), child.content, line)


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    section = ""
    for number, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            section = tokens[number + 1].content.strip()
        elif token.type in {"fence", "code_block"} and token.map:
            language = token.info.split()[0].lower() if token.info.split() else ""
            first = token.map[0] + (2 if token.type == "fence" else 1)
            yield Block(language, token.content, first, section)


def _prose(tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    for token in tokens:
        if token.type == "inline" and token.map:
            words = "".join(
                "\n" if child.type in {"softbreak", "hardbreak"} else child.content
                for child in token.children or ()
                if child.type in {"text", "softbreak", "hardbreak"}
            )
            yield from enumerate(words.split("\n"), start=token.map[0] + 1)


def _folded(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip().casefold()
