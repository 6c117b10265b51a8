"""Route `download`: the upstream project's release archive, verified by SHA-256.

The checksum comes from the file of checksums of the same release, fetched over TLS. That proves that the
archive arrived whole and is the one which the project published there; it does not prove anything
against somebody who can write to the project's releases. Whoever needs that uses the Debian package
(signed by the distribution) or the build with Go (checksums pinned in this repository).
"""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from obs.errors import ConfigError, StackError
from obs.stack import cache
from obs.stack.archive import extract, extract_whole
from obs.stack.engine import Engine, RouteClosed
from obs.stack.home import release_url
from obs.stack.progress import Report, Step
from obs.stack.table import EngineFacts, Product

#: Bytes; the archives of 2026 are near 120 MB, Grafana's near 250.
_ARCHIVE_LIMIT = 600_000_000
_SUMS_LIMIT = 1_000_000

#: Seconds: a host that cannot be reached is given up soon, so that the next route gets its turn.
_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_ARCHIVE_WITHIN = 1800.0

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_CHUNK = 1 << 18
_TICK = 0.5
_SUM = re.compile(r"[0-9a-f]{64}\b")
_SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *](\S+)")


def fetch(engines: list[EngineFacts], report: Report | None) -> list[Engine]:
    """Download the releases of `engines`, verify them and put their programs into the cache.

    Raises:
        StackError: the host cannot be reached, there is no such release, or the checksum is wrong.
        ConfigError: `OBS_RELEASE_URL` is no https address (http is for this machine only).
    """
    _require_tls(release_url("https://localhost"))
    with cache.workspace("download", report) as work, _client() as client:
        installed, missing = cache.brought(engines, "download")
        for product in {facts.product.name: facts.product for facts in missing}.values():
            wanted = [facts for facts in missing if facts.product == product]
            archive = _archive(client, product, work, report)
            installed += [_adopt(archive, facts, work, report) for facts in wanted]
        return installed


def _adopt(archive: Path, facts: EngineFacts, work: Path, report: Report | None) -> Engine:
    published = facts.product.published
    member = facts.product.spell(published.program, facts.programs[0])
    step = Step(f"unpacking {facts.name}", report)
    shared = None
    if published.whole:
        shared = extract_whole(archive, member, work / f"{facts.name}.d")
    program = extract(archive, member, work / facts.name)
    step.tell(finished=True)
    return cache.adopt(facts, program, "download", shared)


def _client() -> httpx.Client:
    def guard(request: httpx.Request) -> None:
        _require_tls(str(request.url))

    # The hook runs for each hop of a redirect: none may leave TLS.
    return httpx.Client(follow_redirects=True, timeout=_TIMEOUT, event_hooks={"request": [guard]})


def _require_tls(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ConfigError(
            f"releases are downloaded over TLS only: got {url!r}, expected https://…",
            hint="set OBS_RELEASE_URL to an https address",
        )


def _archive(client: httpx.Client, product: Product, work: Path, report: Report | None) -> Path:
    published = product.published
    place = f"{release_url(published.host)}/{product.spell(published.folder)}"
    name, sums_name = product.spell(published.archive), product.spell(published.sums)
    step = Step(f"downloading {product.name} {product.release}", report)
    sums = work / sums_name
    _get(client, f"{place}/{sums_name}", sums, _SUMS_LIMIT, None)
    expected = _expected_sum(sums.read_text(encoding="utf-8", errors="replace"), name, sums_name)
    archive = work / name
    got = _get(client, f"{place}/{name}", archive, _ARCHIVE_LIMIT, step)
    if got != expected:
        raise StackError(f"wrong checksum of {name}: got {got}, expected {expected}; nothing was kept")
    step.tell(finished=True)
    return archive


def _expected_sum(sums: str, name: str, sums_name: str) -> str:
    if sums_name == f"{name}.sha256" and (alone := _SUM.match(sums.strip())):
        return alone.group()
    for line in sums.splitlines():
        found = _SUM_LINE.fullmatch(line.strip())
        if found and found.group(2) == name:
            return found.group(1)
    raise StackError(f"the release's {sums_name} does not name {name}")


def _get(client: httpx.Client, url: str, into: Path, limit: int, step: Step | None) -> str:
    """Write what `url` answers to `into` and return its SHA-256; at most `limit` bytes are taken."""
    digest = hashlib.sha256()
    done = 0
    deadline = time.monotonic() + _ARCHIVE_WITHIN
    told = 0.0
    try:
        with client.stream("GET", url) as response, into.open("wb") as file:
            if response.status_code != httpx.codes.OK:
                raise StackError(f"{url} answered {response.status_code}")
            length = response.headers.get("content-length", "")
            total = int(length) if length.isascii() and length.isdigit() else None
            for chunk in response.iter_raw(_CHUNK):
                done += len(chunk)
                if done > limit:
                    raise StackError(f"{url} is larger than {limit / 1e6:.0f} MB: given up")
                if time.monotonic() > deadline:
                    raise StackError(f"{url} took longer than {_ARCHIVE_WITHIN:.0f} s: given up")
                digest.update(chunk)
                file.write(chunk)
                if step is not None and time.monotonic() - told >= _TICK:
                    step.tell(done=done, total=total)
                    told = time.monotonic()
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise RouteClosed(f"{url} cannot be had: {str(error) or type(error).__name__}") from None
    except httpx.HTTPError as error:
        raise StackError(f"{url} cannot be had: {str(error) or type(error).__name__}") from None
    except httpx.InvalidURL as error:
        raise StackError(f"{url} is no address: {error}") from None
    return digest.hexdigest()
