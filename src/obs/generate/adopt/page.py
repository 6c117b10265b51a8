"""What a service shows under `/metrics`: its metrics, their labels, and some values of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from obs.catalogue.captured import exposition
from obs.catalogue.captured.exposition import Family
from obs.errors import ConfigError, SpecError, VerifyError
from obs.generate.spec.names import URL

#: A page larger than this could not be scraped every few seconds.
MAX_BYTES = 20_000_000
#: So many values of one label tell enough of it.
_MOST_VALUES = 500
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of `/metrics`."""

    families: Mapping[str, Family]
    #: (series, label) -> values, in the order in which they were seen.
    values: Mapping[tuple[str, str], tuple[str, ...]]

    def values_of(self, series: str, label: str) -> tuple[str, ...]:
        """Return the values of a label; of a histogram, those of its count."""
        return self.values.get((series, label)) or self.values.get((f"{series}_count", label), ())


def fetch(url: str) -> str:
    """Return the page at `url`; raise `VerifyError` where nothing answers with one, `ConfigError` for no address."""
    if not URL.match(url):
        raise ConfigError(f"got {url!r}, expected an address that starts with http:// or https://")
    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT_S, trust_env=False, follow_redirects=True) as answer:
            if answer.status_code != httpx.codes.OK:
                raise VerifyError(f"answered with status {answer.status_code}", url)
            data = b""
            for part in answer.iter_bytes():
                data += part
                if len(data) > MAX_BYTES:
                    raise VerifyError(f"larger than {MAX_BYTES:,} bytes", url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        refused = isinstance(error, httpx.ConnectError)
        said = "nothing answers" if refused else str(error) or type(error).__name__
        raise VerifyError(f"cannot read metrics: {said}", url, "is the service running?") from None
    return data.decode("utf-8", "replace")


def saved(path: Path) -> str:
    """Return the page in a file; raise `SpecError` where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpecError(f"cannot read metrics: {error.strerror}", str(path)) from None
    if len(data) > MAX_BYTES:
        raise SpecError(f"larger than {MAX_BYTES:,} bytes", str(path))
    return data.decode("utf-8", "replace")


def read(text: str, where: str) -> Page:
    """Read a page; raise `SpecError` when it shows no metric."""
    families = {family.name: family for family in exposition.families(text)}
    if not families:
        raise SpecError("no metrics here", where, "expected the text that Prometheus scrapes, such as: up 1")
    seen: dict[tuple[str, str], dict[str, None]] = {}
    for series, labels in exposition.samples(text):
        for label, value in labels.items():
            known = seen.setdefault((series, label), {})
            if value and len(known) < _MOST_VALUES:
                known[value] = None
    return Page(families, {key: tuple(found) for key, found in seen.items()})
