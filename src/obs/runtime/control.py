"""The level over HTTP, on the port of `serve()` alone and for whoever has the token.

``GET /level`` tells, ``PUT /level`` changes: JSON or a form with `level`, optionally `logger` and `for`,
the seconds after which it reverts by itself. It holds for the process that answers: workers that
were forked have levels, and ports, of their own.
"""

from __future__ import annotations

import hmac
import math
from typing import Any
from urllib.parse import parse_qsl

from obs.errors import ConfigError, ObsError, suggest
from obs.runtime import guard, levels, logger
from obs.runtime.endpoints import Response
from obs.runtime.json import dumps, loads
from obs.runtime.secret_file import LONGEST, RECIPE, SHORTEST, read_secret
from obs.runtime.settings import Settings

PATH = "/level"
#: Bytes that the body of a change may have.
BODY_LIMIT = 1_024
#: Seconds, a day: what is to last longer belongs into the settings.
_LONGEST_FOR = 86_400.0
_KEYS = ("level", "logger", "for")
_FORM = "application/x-www-form-urlencoded"


def read_token(path: str) -> bytes:
    """Return the token in the file at `path`; raise `ConfigError` when it is none that protects.

    Others may not read it, group and others may not write it.
    """
    token = read_secret(path, "control_token_file")
    if not SHORTEST <= len(token) <= LONGEST or not token.isascii() or b"\n" in token:
        raise ConfigError(
            f"control_token_file holds {len(token)} bytes: expected one line of {SHORTEST} to {LONGEST} "
            "ASCII characters",
            where=path,
            hint=RECIPE,
        )
    return token


def answer(settings: Settings, authorization: str, change: tuple[str, bytes] | None) -> Response | None:
    """Return the response to a request for `PATH`, None where the setting is off.

    `change` is the content type and the body of a PUT, None for a GET.
    """
    if not settings.control_token_file:
        return None
    try:
        token = read_token(settings.control_token_file)
    except ConfigError as error:
        guard.report("health", error)
        return _answer(503, {"error": "the token cannot be read; the log tells more"})
    scheme, _, given = authorization.partition(" ")
    known = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token)
    if scheme.lower() != "bearer" or not known:
        return _answer(401, {"error": "a bearer token is needed"}, ("www-authenticate", "Bearer"))
    if change is not None:
        try:
            _change(*change)
        except (ValueError, ObsError) as error:
            return _answer(400, {"error": str(error)})
    return _answer(200, _state())


def _change(content_type: str, body: bytes) -> None:
    asked = _parse(content_type, body)
    for key in asked:
        if key not in _KEYS:
            advice = suggest(str(key), _KEYS)
            raise ValueError(f"unknown key {str(key)[:64]!r}: expected level, logger or for{_also(advice)}")
    level, name, seconds = asked.get("level"), asked.get("logger", ""), _seconds(asked.get("for"))
    if not isinstance(level, str) or not isinstance(name, str):
        raise ValueError("expected level, and logger if any, as text")  # noqa: TRY004 - what a client sent
    levels.change(level, name, seconds)
    told = {"for_seconds": seconds} if seconds is not None else {}
    # Whatever the threshold is now: who reads the log must know why it looks different.
    logger.write("obs", "info", "log level changed", {"new_level": level, "of_logger": name, **told})


def _parse(content_type: str, body: bytes) -> dict[str, Any]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == _FORM:
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=8)
        except ValueError:
            raise ValueError("the form cannot be read") from None
        return dict(pairs)
    try:
        asked = loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise ValueError('expected JSON such as {"level": "debug", "logger": "shop", "for": 60}')  # noqa: TRY004
    return asked


def _seconds(raw: Any) -> float | None:
    if raw is None:
        return None
    try:
        seconds = math.nan if isinstance(raw, bool) else float(raw)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 < seconds <= _LONGEST_FOR:
        raise ValueError(f"for is in seconds: expected a number above 0, up to {_LONGEST_FOR:.0f}")
    return seconds


def _also(advice: str | None) -> str:
    return f"; {advice}" if advice else ""


def _state() -> dict[str, Any]:
    told = {name: _rule(*rule) for name, rule in sorted(levels.rules().items())}
    return {**told.pop("", {}), "loggers": told}


def _rule(level: str, left: float | None) -> dict[str, Any]:
    return {"level": level} if left is None else {"level": level, "reverts_in": round(left, 1)}


def _answer(status: int, body: dict[str, Any], *headers: tuple[str, str]) -> Response:
    text = dumps(body) + b"\n"
    fixed = (("content-type", "application/json"), ("cache-control", "no-store"))
    return Response(status, (*headers, *fixed, ("content-length", str(len(text)))), text)
