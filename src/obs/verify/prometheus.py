"""The few questions that a live check asks Prometheus and Alertmanager over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from obs.errors import VerifyError

#: Everything asked is on this machine (`trust_env=False`): a proxy could not reach it.
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An alert that Prometheus evaluates as pending or firing."""

    name: str
    labels: Mapping[str, str]
    #: ``pending`` or ``firing``.
    state: str
    #: When its expression became true, in seconds since the Unix epoch, by the clock of Prometheus.
    active_at: float

    def concerns(self, alert: str, labels: Mapping[str, str]) -> bool:
        """Tell whether this is `alert` and carries all of `labels`."""
        return self.name == alert and all(self.labels.get(name) == value for name, value in labels.items())


def active_alerts(prometheus: str) -> list[ActiveAlert]:
    """Return the alerts of the Prometheus at that address, sorted by name. Raises `VerifyError`."""
    found = _get("Prometheus", f"{prometheus}/api/v1/alerts")["data"]["alerts"]
    alerts = [
        ActiveAlert(
            entry["labels"]["alertname"], entry["labels"], entry["state"], _seconds(entry["activeAt"])
        )
        for entry in found
    ]
    return sorted(alerts, key=lambda alert: (alert.name, sorted(alert.labels.items())))


def target_health(prometheus: str) -> dict[str, str]:
    """Return service -> ``up``, ``down`` or ``unknown`` (not scraped yet). Raises `VerifyError`."""
    found = _get("Prometheus", f"{prometheus}/api/v1/targets?state=active")["data"]["activeTargets"]
    return {entry["labels"].get("service", entry["scrapeUrl"]): entry["health"] for entry in found}


def held_alerts(alertmanager: str) -> list[str]:
    """Return the names of the alerts that Alertmanager holds. Raises `VerifyError`."""
    return sorted(
        entry["labels"]["alertname"] for entry in _get("Alertmanager", f"{alertmanager}/api/v2/alerts")
    )


def _get(engine: str, url: str) -> Any:
    try:
        answer = httpx.get(url, timeout=_TIMEOUT_S, trust_env=False)
        answer.raise_for_status()
        return answer.json()
    except httpx.HTTPStatusError as error:
        raise VerifyError(f"{engine} answered {error.response.status_code}", url) from None
    except (httpx.HTTPError, ValueError) as error:
        raise VerifyError(f"{engine} does not answer: {error}", url) from None


def _seconds(timestamp: str) -> float:
    """Read an RFC 3339 time; Go writes nanoseconds, Python 3.10 reads at most microseconds."""
    moment, _, fraction = timestamp.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{moment}+00:00").timestamp() + float(f"0.{fraction or 0}")
