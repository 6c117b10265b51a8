"""What a running Prometheus remembers, asked for gently: one small range at a time, never too fast."""

from __future__ import annotations

import json
import ssl
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from obs.errors import ConfigError, VerifyError
from obs.verify.backtest.moments import Grid, Labels, labels_of
from obs.verify.bearer import token

#: Instants of one query; Prometheus refuses more than 11,000.
MAX_POINTS = 10_000
#: Bytes of one answer; an answer that is larger is asked for again in halves.
_MAX_BYTES = 64 * 1024 * 1024
#: Instants below which nothing is halved any more.
_FEW_POINTS = 50
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
#: Answers of the API that concern one query: it cannot be parsed, cannot be executed, took too long.
_OF_ONE_QUERY = frozenset({"bad_data", "execution", "timeout", "canceled"})


@dataclass(frozen=True, slots=True)
class Part:
    """What a query yields of one series: positions on the grid that was asked for, and its values there."""

    labels: Labels
    positions: list[int]
    values: list[float]


class Refused(Exception):
    """The server does not answer this one query; the message says why."""


class History:
    """The query API of one Prometheus, or of what speaks its API.

    `bearer` is a file whose only line is sent as a token, `ca` a file of certificates to trust beside
    the system's. Not more than `rate` queries begin within a second, from whichever thread. Every method
    raises `VerifyError` when the server is absent, and `Refused` for what is wrong with one query.
    """

    def __init__(
        self, url: str, *, bearer: Path | None, ca: Path | None, timeout_s: float, rate: float
    ) -> None:
        self.url = _address(url)
        self._pace = _Pace(rate)
        self._timeout_s = timeout_s
        headers = {"Authorization": f"Bearer {token(bearer)}"} if bearer else {}
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, 10.0)),
            # No proxy reaches what is on this machine; a token is for one server only.
            trust_env=httpx.URL(self.url).host not in _LOCAL,
            follow_redirects=False,
            headers=headers,
            verify=_trusted(ca) if ca else True,
        )

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def version(self) -> tuple[int, int]:
        """Return the version of the server, (major, minor); (3, 0) of one that does not say."""
        try:
            text = str(self._ask("GET", "status/buildinfo", {})["version"])
            major, minor = text.split(".")[:2]
            return int(major), int(minor)
        except (Refused, KeyError, TypeError, ValueError):
            return 3, 0

    def ask(self, text: str, grid: Grid) -> list[Part]:
        """Return what the expression `text` yields on a grid of at most `MAX_POINTS` instants."""
        try:
            data = self._ask(
                "POST",
                "query_range",
                {
                    "query": text,
                    "start": _seconds(grid.start),
                    "end": _seconds(grid[grid.count - 1]),
                    "step": _seconds(grid.step),
                    "timeout": f"{self._timeout_s:g}s",
                },
            )
        except _TooLarge:
            if grid.count < _FEW_POINTS:
                raise Refused(f"an answer is larger than {_MAX_BYTES // 1024 // 1024} MiB") from None
            halves = list(grid.chunks(-(-grid.count // 2)))
            return _joined([self.ask(text, half) for half in halves], halves[0].count)
        return [_part(entry, grid) for entry in data["result"] if entry.get("values")]

    def _ask(self, method: str, path: str, form: dict[str, str]) -> Any:
        url = f"{self.url}/api/v1/{path}"
        self._pace.wait()
        try:
            with self._client.stream(method, url, data=form or None) as answer:
                body = _bounded(answer)
        except httpx.ReadTimeout:
            raise Refused(f"no answer within {self._timeout_s:g} s") from None
        except httpx.HTTPError as error:
            raise VerifyError(f"Prometheus does not answer: {error}", self.url) from None
        return _data(answer, body, url)


class _TooLarge(Exception):
    pass


class _Pace:
    """Lets callers through one by one, evenly."""

    def __init__(self, rate: float) -> None:
        self._between = 1.0 / rate
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when it is this caller's turn."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._between
        time.sleep(turn - now)


def _address(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigError(f"--url: {error}: {url}") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ConfigError(f"--url: got {url!r}, expected http://HOST:PORT or https://HOST")
    if parsed.userinfo:
        raise ConfigError("--url: a password in an address is seen by everybody", hint="use --bearer-file")
    return url.rstrip("/")


def _trusted(file: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=file)
    except ssl.SSLError:
        raise ConfigError("--ca-file: expected certificates in PEM", str(file)) from None
    except OSError as error:
        raise ConfigError(f"--ca-file: cannot be read: {error.strerror}", str(file)) from None
    return context


def _bounded(answer: httpx.Response) -> bytes:
    chunks, size = [], 0
    for chunk in answer.iter_bytes():
        size += len(chunk)
        if size > _MAX_BYTES:
            raise _TooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def _data(answer: httpx.Response, body: bytes, url: str) -> Any:
    if answer.status_code in {401, 403}:
        hint = "give a token by --bearer-file"
        raise VerifyError(f"Prometheus answered {answer.status_code}", url, hint)
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if isinstance(found, dict) and found.get("status") == "success":
        return found["data"]
    if isinstance(found, dict) and found.get("errorType") in _OF_ONE_QUERY:
        raise Refused(str(found.get("error")))
    if answer.is_success:
        raise VerifyError("the server gives no answer of Prometheus", url)
    if answer.status_code == 404 and url.endswith("buildinfo"):
        raise Refused("not known")
    raise VerifyError(f"Prometheus answered {answer.status_code}", url)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}"


def _part(entry: Any, grid: Grid) -> Part:
    positions, values = [], []
    for at, value in entry["values"]:
        positions.append(round((at * 1000 - grid.start) / grid.step))
        values.append(float(value))
    return Part(labels_of(entry["metric"]), positions, values)


def _joined(parts: list[list[Part]], shift: int) -> list[Part]:
    first, second = parts
    moved = [Part(one.labels, [at + shift for at in one.positions], one.values) for one in second]
    found = {one.labels: one for one in first}
    for one in moved:
        before = found.get(one.labels)
        if before is None:
            found[one.labels] = one
        else:
            found[one.labels] = Part(one.labels, before.positions + one.positions, before.values + one.values)
    return list(found.values())
