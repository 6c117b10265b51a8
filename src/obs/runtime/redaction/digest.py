"""Answers to a digest challenge (RFC 7616): a password can be guessed from one, at leisure."""

from __future__ import annotations

import re

from obs.runtime.redaction.mask import MASK

_BEGINS = re.compile(r"(?i)\bdigest[ \t]{1,8}(?=[a-z][a-z0-9*-]{0,31}[ \t]{0,2}=)")
_PARAMETER = re.compile(
    r"([A-Za-z][A-Za-z0-9*-]{0,31})[ \t]{0,2}=[ \t]{0,2}"
    r"(?:(\\{0,3}[\"'])[^\"'\\\r\n]{0,1024}(?:\2)?|[^\s,\"'\\]{1,1024})(?:[ \t]{0,2},(?:\s|\\[rnt]){0,8})?"
)
#: What only an answer has; a challenge says what to do and is left to read.
_ANSWERS = frozenset({"response", "cnonce", "rspauth"})


def mask_digests(text: str) -> str:
    """Return `text` with the parameters of digest answers masked; its time is linear."""
    parts: list[str] = []
    done = 0
    for found in _BEGINS.finditer(text):
        if found.start() < done:
            continue
        start = end = found.end()
        names = set()
        while (parameter := _PARAMETER.match(text, end)) is not None:
            names.add(parameter[1].lower())
            end = parameter.end()
        if names.isdisjoint(_ANSWERS):
            parts.append(text[done:end])
        else:
            parts += [text[done:start], MASK]
        done = end
    return "".join([*parts, text[done:]]) if parts else text
