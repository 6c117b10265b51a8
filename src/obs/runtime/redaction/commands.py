"""Secrets in commands, of a shell and of SQL: `--password x`, `curl -u shop:x`, `IDENTIFIED BY 'x'`."""

from __future__ import annotations

import re

from obs.runtime.redaction import keys
from obs.runtime.redaction.mask import MASK

_FLAG = re.compile(
    r"(?<![A-Za-z0-9_-])--([A-Za-z][A-Za-z0-9_-]{1,64})[ ]{1,4}(?!-)"
    r"(\\{0,3}\"[^\"\\\r\n]{1,256}|\\{0,3}'[^'\\\r\n]{1,256}|[^\s\"'\\]{1,256})"
)
_OPENING = re.compile(r"\\{0,3}[\"']")
#: A short flag means something only to the program it is given to.
_CURL = re.compile(
    r"(?<![^\s\"'])(?:(?:-[uU]|--(?:proxy-)?user)[ =]{0,2}(?!\d+:\d+\b)\\{0,3}[\"']?[^\s:\"'\\]{1,64}:(?P<login>[^\s\"'\\]{1,256})"
    r"|-b[ ]{0,2}\\{0,3}[\"']?[^\s=\"'\\]{1,64}=(?P<cookie>[^\s;\"'\\]{1,1024}(?:; [^\s;\"'\\]{1,1024}){0,50}))"
)
_SHORT = re.compile(
    r"\b(?:(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump)\b[^\r\n|;&]{0,256}? -p(?!\d{1,5}:\d)"
    r"|sshpass -p[ ]?|redis-cli\b[^\r\n|;&]{0,256}? -a[ ])\\{0,3}[\"']?(?P<given>[^\s\"'\\]{1,256})"
)
_PROGRAMS = ("mysql", "mariadb", "sshpass", "redis-cli")
#: What stands before such a value; looking for it is quicker.
_SQL_NEAR = re.compile(r"[dDyYsS][ ]{1,4}'|(?:= |\()'").search
_SQL = re.compile(
    r"(?i)\b(?:(?:password|identified by|identified with [a-z0-9_]{1,64} (?:by|as))[ ]{1,4}"
    r"|set password for [^\s=]{1,128}[ ]{0,2}=[ ]{0,2}(?:password\()?)'(?P<said>[^'\r\n]{1,256})(?=')"
)


def mask_commands(text: str) -> str:
    """Return `text` with the secrets masked that a command's flag or a statement's word introduces."""
    if "--" in text:
        text = _FLAG.sub(_mask_flag, text)
    if " -" in text:
        if "curl" in text:
            text = _CURL.sub(_mask_group, text)
        if any(map(text.__contains__, _PROGRAMS)):
            text = _SHORT.sub(_mask_group, text)
    if "'" in text and _SQL_NEAR(text) is not None:
        text = _SQL.sub(_mask_group, text)
    return text


def _mask_flag(match: re.Match[str]) -> str:
    if keys.verdict(match[1]) != keys.HIDE:
        return match.group()
    opening = _OPENING.match(match[2])
    return f"{match.group()[: match.start(2) - match.start()]}{opening.group() if opening else ''}{MASK}"


def _mask_group(match: re.Match[str]) -> str:
    """Mask the one group that took part."""
    start, end = match.span(match.lastgroup or 0)
    return f"{match.group()[: start - match.start()]}{MASK}{match.group()[end - match.start() :]}"
