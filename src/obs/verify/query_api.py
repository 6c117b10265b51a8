"""The query API of one Prometheus, or of what speaks it: the door of everything that asks a server of the user's.

Answers are bounded in bytes and in time, a token comes from a file, and whatever else than an answer of
Prometheus comes back ends as a `VerifyError`.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from obs.errors import ConfigError, VerifyError

#: Whom the servers of the stack ask for.
USER = "obs"
#: Bytes of one answer.
MAX_BYTES = 64 * 1024 * 1024
#: How many times the time for a first byte an answer may take as a whole.
_WHOLE = 10
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


class Refused(Exception):
    """The server does not answer this one query; the message says why."""


class Unanswered(Refused):
    """The query may be sound, and takes too long."""


class TooLarge(Unanswered):
    """The answer to a query has more than `MAX_BYTES`."""


#: Answers of the API that concern one query: it cannot be parsed, cannot be executed, took too long.
_OF_ONE_QUERY = {"bad_data": Refused, "execution": Refused, "timeout": Unanswered, "canceled": Unanswered}


@dataclass(frozen=True, slots=True)
class Access:
    """How to be let in: files that hold one line each, for a command line is seen by everybody."""

    bearer: Path | None = None
    #: Of `user`, for basic authentication.
    password: Path | None = None
    user: str = USER
    #: Certificates to trust beside the system's.
    ca: Path | None = None


#: Nothing is asked for.
OPEN = Access()


class QueryApi:
    """A server at `url`, which the user gave by `option`.

    Raises `ConfigError` for an address, a token, a password or certificates that are none.
    """

    def __init__(self, url: str, *, option: str, timeout_s: float, access: Access = OPEN) -> None:
        self.url = _address(url, option)
        self._timeout_s = timeout_s
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, 10.0)),
            # No proxy reaches what is on this machine; a token is for one server only.
            trust_env=httpx.URL(self.url).host not in _LOCAL,
            follow_redirects=False,
            headers={"Authorization": f"Bearer {_token(access.bearer)}"} if access.bearer else {},
            auth=_login(access),
            verify=_trusted(access.ca) if access.ca else True,
        )

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def ask(self, method: str, path: str, form: Mapping[str, str] | None = None) -> Any:
        """Return the data of the answer to a request below ``/api/v1``; a `form` is posted.

        Raises:
            Refused: what is wrong with this one query; `Unanswered` that it takes too long.
            VerifyError: the server is absent, or does not let us in, or is no Prometheus.
        """
        url = f"{self.url}/api/v1/{path}"
        try:
            with self._client.stream(method, url, data=form or None) as answer:
                body = self._bounded(answer)
        except httpx.ReadTimeout:
            raise Unanswered(f"no answer within {self._timeout_s:g} s") from None
        except httpx.HTTPError as error:
            raise VerifyError(f"Prometheus does not answer: {error}", self.url) from None
        return _data(answer, body, url)

    def _bounded(self, answer: httpx.Response) -> bytes:
        chunks, size, deadline = [], 0, time.monotonic() + _WHOLE * self._timeout_s
        for chunk in answer.iter_bytes():
            size += len(chunk)
            if size > MAX_BYTES:
                raise TooLarge(f"an answer is larger than {MAX_BYTES // 1024 // 1024} MiB")
            if time.monotonic() > deadline:
                raise Unanswered(f"an answer that does not end within {_WHOLE * self._timeout_s:g} s")
            chunks.append(chunk)
        return b"".join(chunks)


def no_prometheus(url: str) -> VerifyError:
    """Return the error that whatever answers at `url` is no Prometheus."""
    return VerifyError("the server gives no answer of Prometheus", url)


def _address(url: str, option: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigError(f"{option}: {error}: {url!r}") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ConfigError(f"{option}: got {url!r}, expected http://HOST:PORT or https://HOST")
    if parsed.userinfo:
        raise ConfigError(
            f"{option}: a password in an address is seen by everybody",
            hint="use --password-file or --bearer-file",
        )
    return url.rstrip("/")


def _token(file: Path) -> str:
    found = _line(file, "--bearer-file", "token")
    if not found.isascii() or not found.isprintable() or " " in found:
        raise _no_line(file, "--bearer-file", "token")
    return found


def _login(access: Access) -> httpx.BasicAuth | None:
    if access.password is None:
        return None
    if access.bearer is not None:
        raise ConfigError(
            "--password-file: --bearer-file is given, too", hint="a server asks for one of them"
        )
    return httpx.BasicAuth(access.user, _line(access.password, "--password-file", "password"))


def _line(file: Path, option: str, what: str) -> str:
    """Return the one line of `file`."""
    try:
        found = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{option}: cannot be read: {error.strerror}", str(file)) from None
    except UnicodeDecodeError:
        found = ""
    if len(found.splitlines()) != 1:
        raise _no_line(file, option, what)
    return found


def _no_line(file: Path, option: str, what: str) -> ConfigError:
    return ConfigError(f"{option}: expected one line that holds nothing but the {what}", str(file))


def _trusted(file: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=file)
    except ssl.SSLError:
        raise ConfigError("--ca-file: expected certificates in PEM", str(file)) from None
    except OSError as error:
        raise ConfigError(f"--ca-file: cannot be read: {error.strerror}", str(file)) from None
    return context


def _data(answer: httpx.Response, body: bytes, url: str) -> Any:
    if answer.status_code in {401, 403}:
        hint = "give a token by --bearer-file, or a password by --password-file"
        raise VerifyError(f"Prometheus answered {answer.status_code}", url, hint)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and found.get("status") == "success" and "data" in found:
        return found["data"]
    if isinstance(found, dict) and found.get("errorType") in _OF_ONE_QUERY:
        raise _OF_ONE_QUERY[found["errorType"]](str(found.get("error")))
    if answer.is_success:
        raise no_prometheus(url)
    if answer.status_code == 404 and url.endswith("buildinfo"):
        raise Refused("not known")
    moved = "give the address that it points to" if answer.is_redirect else None
    raise VerifyError(f"Prometheus answered {answer.status_code}", url, moved)
