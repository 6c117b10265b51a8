"""Secrets that are known by their own form: tokens of vendors, JSON web tokens, private keys.

Every pattern begins with a literal and then runs forward once: none nests a quantifier, and what
has matched is not searched again, so that the time is linear in the text.
"""

from __future__ import annotations

import base64
import binascii
import re

from obs.runtime.redaction.digest import mask_digests
from obs.runtime.redaction.mask import MASK

#: Forms with a literal beginning. Public halves (pk_live_, ssh-rsa) are no secrets. Every alternative
#: begins with one plain character, because then all others are skipped fast.
_VENDORS = re.compile(
    r"A(?<![A-Za-z0-9]A)(?:(?:KIA|SIA|ROA|IDA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|Iza[A-Za-z0-9_-]{35}|GE-SECRET-KEY-1[A-Z0-9]{20,})"
    r"|G(?<![A-Za-z0-9]G)OCSPX-[A-Za-z0-9_-]{20,}"
    r"|S(?<![A-Za-z0-9]S)G\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"
    r"|d(?<![A-Za-z0-9]d)op_v1_[a-f0-9]{32,}"
    r"|g(?<![A-Za-z0-9]g)(?:h[pousr]_[A-Za-z0-9]{16,}|ithub_pat_[A-Za-z0-9_]{16,}|lpat-[A-Za-z0-9_-]{16,})"
    r"|h(?<![A-Za-z0-9]h)(?:f_[A-Za-z0-9]{30,}|vs\.[A-Za-z0-9_-]{20,})"
    r"|n(?<![A-Za-z0-9]n)pm_[A-Za-z0-9]{30,}"
    r"|p(?<![A-Za-z0-9]p)ypi-[A-Za-z0-9_-]{32,}"
    r"|r(?<![A-Za-z0-9]r)k_(?:live|test)_[A-Za-z0-9]{8,}"
    r"|s(?<![A-Za-z0-9]s)(?:k_(?:live|test)_[A-Za-z0-9]{8,}|k-[A-Za-z0-9_-]{20,}|hpat_[a-fA-F0-9]{32})"
    r"|w(?<![A-Za-z0-9]w)hsec_[A-Za-z0-9+/=]{16,}"
    r"|x(?<![A-Za-z0-9]x)(?:ox[abeoprs]-[A-Za-z0-9-]{8,}|app-[A-Za-z0-9-]{8,})"
    r"|y(?<![A-Za-z0-9]y)a29\.[A-Za-z0-9_-]{20,}"
)
_WEBHOOK = re.compile(r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[A-Za-z0-9/_-]{8,}")
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])")
_AWS_ID = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{16}")
#: The dots are optional: what was cut before the first one is a half of a token still.
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,4}")
_SCHEME = re.compile(r"(?i)\b(bearer|basic)([ \t]{1,8})([A-Za-z0-9._~+/=-]{4,})")
#: Words that follow a scheme in prose.
_PROSE = frozenset({
    "auth", "authentication", "authorization", "authorisation", "token", "tokens", "scheme", "format",
    "header", "headers", "credential", "credentials", "realm", "required", "missing", "access", "type",
    "challenge", "method", "prefix", "value", "with", "from", "that", "this", "only", "must", "was",
})  # fmt: skip

_MARKER = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----")
#: What a key's body is made of, written as lines or with escaped line ends.
_BODY = re.compile(r"[A-Za-z0-9+/=\s\\:,.-]*")
_PIECE = re.compile(r"[A-Za-z0-9+/=]+")
#: Characters a line of a key has; the first and the last may be shorter.
_KEY_LINE = 40


def mask_tokens(text: str) -> str:
    """Return `text` with everything masked that is a secret by its form."""
    if "PRIVATE KEY" in text:
        text = _mask_private_keys(text)
    if "eyJ" in text:
        text = _JWT.sub(MASK, text)
    if ("AKIA" in text or "ASIA" in text) and _AWS_ID.search(text) is not None:
        text = _AWS_SECRET.sub(MASK, text)
    if "hooks.slack.com/" in text:
        text = _WEBHOOK.sub(MASK, text)
    text = _VENDORS.sub(MASK, text)
    lower = text.lower()
    if "digest" in lower:
        text = mask_digests(text)
    if "bearer" in lower or "basic" in lower:
        text = _SCHEME.sub(_mask_scheme, text)
    return text


def _mask_scheme(match: re.Match[str]) -> str:
    scheme, space, credential = match.groups()
    word = credential.rstrip(".").lower()
    if word in _PROSE:
        return match.group()
    if scheme.lower() == "basic" and word.isalpha() and not _is_basic(credential):
        return match.group()
    return f"{scheme}{space}{MASK}"


def _is_basic(credential: str) -> bool:
    """Tell whether a plain word is base64 of `user:password` all the same (RFC 7617)."""
    try:
        return b":" in base64.b64decode(credential + "=" * (-len(credential) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def _mask_private_keys(text: str) -> str:
    parts: list[str] = []
    done = 0
    begun: re.Match[str] | None = None
    for marker in _MARKER.finditer(text):
        if marker[1] == "END":
            # Without a first line the text was cut inside of a key; its other lines are here.
            first = begun.start() if begun is not None else _unbegun(text, done, marker.start())
            parts += [text[done:first], MASK]
            done, begun = marker.end(), None
        elif begun is None:
            begun = marker
    if begun is not None:
        body = _BODY.match(text, begun.end())
        parts += [text[done : begun.start()], MASK]
        done = body.end() if body is not None else begun.end()
    return "".join([*parts, text[done:]])


def _unbegun(text: str, first: int, end: int) -> int:
    """Return where the lines of a key begin that ends at `end` and has no first line."""
    pieces = [(found.start(), found.end()) for found in _PIECE.finditer(text, first, end)]
    start = end
    for position, (begins, ends) in enumerate(reversed(pieces)):
        if position > 0 and ends - begins < _KEY_LINE:
            # The first line that is here may be cut as well; a word of prose is no part of it.
            return start if text[begins:ends].isalpha() else begins
        start = begins
    return start
