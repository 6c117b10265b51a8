"""Search text for secrets: a probe that ordinary text passes at once, then the patterns.

Most values of a log line are short, free of secrets and come again and again, so that the probe and
a memory of what it has passed decide what redaction costs.
"""

from __future__ import annotations

import re

from obs.runtime.redaction.cards import LONG_ENOUGH, mask_cards
from obs.runtime.redaction.commands import mask_commands
from obs.runtime.redaction.database_errors import mask_database_values
from obs.runtime.redaction.keyed import mask_named
from obs.runtime.redaction.mask import MASK
from obs.runtime.redaction.tokens import mask_tokens

#: Characters kept of one text value; a stack is allowed more.
TEXT_LIMIT = 8_192
STACK_LIMIT = 32_768

#: What every pattern needs at least: one of a few characters, and then what stands beside it. Each
#: alternative begins with one plain character, because only then are all others skipped fast.
_PROBE = (
    r"=|:{mail}|_[A-Za-z0-9]{{8}}|b(?:[eE][aA][rR][eE][rR]|[aA][sS][iI][cC])[ \t]"
    r"|B(?:[eE][aA][rR][eE][rR]|[aA][sS][iI][cC])[ \t]"
    r"|-(?:-(?:---|[A-Za-z])|(?<= -)[pa]|(?<=sk-)|(?<=at-)|(?<=pi-)|(?<=PX-)|(?<=GE-))"
    r"|\",|'(?:,|(?<=[dDyYsS] '))|J(?<=eyJ)|A(?:[KSRIBC][IOC]A|Iza)|x(?:ox[a-z]-|app-)"
    r"|ya29\.|v(?<=hv)s\.|G(?<=SG)\.|>(?:[^<]|<!)|%3[dDaA]|;(?<=&gt;)"
)
_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")
#: A password in a URL; one with an unescaped @ or / included, a port and a path excluded.
_USERINFO = re.compile(
    r"(?<=://)[^\s/@:\"'<>]{0,128}:(?!\d{1,5}(?:[/?#]|\Z))[^\s@\"'<>]{1,256}(?:@[^\s@/\"'<>]{1,256})*@"
)
#: Nothing shorter has a secret that could be told by its form.
_SHORTEST = 7
#: Texts found harmless that are remembered, and the longest of them.
_MOST_HARMLESS = 2_048
_REMEMBERED = 64
#: Characters beside a cut that are searched as well: a secret that the cut divides has no form.
_MARGIN = 4_096

#: Read directly by the walk, which has no call to spare.
harmless: set[str] = set()
_active = True
_email = False
_suspicious = re.compile(_PROBE.format(mail="")).search


def use(*, active: bool = True, email: bool = False) -> None:
    """Search text from now on, or leave it alone; e-mail addresses are masked on request."""
    global _active, _email, _suspicious
    _active, _email = active, email
    _suspicious = re.compile(_PROBE.format(mail="|@" if email else "")).search
    harmless.clear()


def scrub(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return `text` cut to `limit` characters with the secrets in it masked."""
    size = len(text)
    if size <= _REMEMBERED:
        if text in harmless:
            return text
        masked = text if size < _SHORTEST else _search(text)
        if masked == text:
            if len(harmless) >= _MOST_HARMLESS:
                harmless.clear()
            harmless.add(text)
        return masked
    return _search(text) if size <= limit else _cut(text, limit)


def _search(text: str) -> str:
    if not _active or (_suspicious(text) is None and LONG_ENOUGH(text) is None):
        return text
    return mask(text)


def mask(text: str) -> str:
    """Return `text`, of any length, with the secrets in it masked; its time is linear."""
    text = mask_tokens(mask_database_values(text))
    if "://" in text and "@" in text:
        text = _USERINFO.sub(f"{MASK}@", text)
    text = mask_commands(mask_cards(mask_named(text)))
    return _EMAIL.sub(MASK, text) if _email and "@" in text else text


def _cut(text: str, limit: int) -> str:
    # The end of a stack names the error and the start names the caller, so both are kept.
    head, tail = limit // 4, limit - limit // 4
    if len(text) <= limit + 2 * _MARGIN:
        text = _search(text)
        if len(text) <= limit:
            return text
        first, last = text, text
    else:
        first, last = _search(text[: head + _MARGIN]), _search(text[-(tail + _MARGIN) :])
    return f"{first[:head]}...({len(text) - limit} characters cut)...{last[-tail:]}"
