"""Markdown to a page: headings with anchors, a table of contents, and no markup but our own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

#: A comment may vanish: the markers of generated parts are comments. Any other raw markup is shown as text.
_COMMENT = re.compile(r"\s*(?:<!--(?:(?!-->).)*-->\s*)+", re.DOTALL)
_LANGUAGES = {
    "promql": "PromQL",
    "logql": "LogQL",
    "bash": "Shell",
    "sh": "Shell",
    "sql": "SQL",
    "json": "JSON",
}


@dataclass(frozen=True, slots=True)
class Heading:
    """A section of the page, for its table of contents."""

    anchor: str
    title: str


@dataclass(frozen=True, slots=True)
class Page:
    """A runbook ready to be shown."""

    title: str
    body: Markup
    headings: tuple[Heading, ...]


class _Renderer(RendererHTML):
    def html_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        text = super().html_block(tokens, idx, options, env)
        return "" if _COMMENT.fullmatch(text) else f"<pre>{escapeHtml(text)}</pre>\n"

    def html_inline(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        text = super().html_inline(tokens, idx, options, env)
        return "" if _COMMENT.fullmatch(text) else escapeHtml(text)

    def fence(
        self,
        tokens: Sequence[Token],
        idx: int,
        options: OptionsDict,  # noqa: ARG002 - the parser's signature
        env: EnvType,  # noqa: ARG002
    ) -> str:
        token = tokens[idx]
        words = token.info.split()
        language = words[0].lower() if words else ""
        label = _LANGUAGES.get(language, language) or "Text"
        return (
            f'<figure class="code"><figcaption>{escapeHtml(label)}</figcaption>'
            f'<pre tabindex="0"><code>{escapeHtml(token.content)}</code></pre></figure>\n'
        )

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return '<div class="scroll" tabindex="0">' + self.renderToken(tokens, idx, options, env)

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self.renderToken(tokens, idx, options, env) + "</div>\n"


# html=True makes raw markup a token of its own, which _Renderer then escapes; addresses with a
# scheme that runs code (javascript:, data:, ...) are refused by the parser's link check.
_PARSER = MarkdownIt("commonmark", {"html": True}, renderer_cls=_Renderer).enable("table")


def build(text: str, fallback_title: str) -> Page:
    """Turn a runbook's Markdown into a page; `fallback_title` is for one without a first heading."""
    tokens = _PARSER.parse(text)
    title, tokens = _take_title(tokens)
    headings = _anchor(tokens)
    _mark_links(tokens)
    body = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return Page(title or fallback_title, Markup(body), tuple(headings))  # noqa: S704 - all markup in it is ours


def _take_title(tokens: list[Token]) -> tuple[str, list[Token]]:
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h1":
            return _words(tokens[index + 1]), tokens[:index] + tokens[index + 3 :]
    return "", tokens


def _anchor(tokens: list[Token]) -> list[Heading]:
    """Give each heading an id of its own and return those of the second level."""
    headings: list[Heading] = []
    used: set[str] = set()
    for index, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        words = _words(tokens[index + 1])
        base = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "section"
        anchor, number = base, 2
        while anchor in used:
            anchor, number = f"{base}-{number}", number + 1
        used.add(anchor)
        token.attrSet("id", anchor)
        if token.tag == "h2":
            headings.append(Heading(anchor, words))
    return headings


def _words(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [] if child.type in {"text", "code_inline"})


def _mark_links(tokens: list[Token]) -> None:
    for token in tokens:
        for child in token.children or []:
            if child.type == "link_open" and re.match(r"https?:", str(child.attrGet("href"))):
                child.attrSet("rel", "noopener noreferrer")
                child.attrSet("target", "_blank")
