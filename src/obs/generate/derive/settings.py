"""What an alert's author proposes, and what a spec makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from obs.errors import SpecError
from obs.generate.model import Duration, Service, Severity, Tuning

#: Shares beyond these are as good as none and all: real traffic could not show the difference.
LEAST_RATIO, MOST_RATIO = Decimal("0.0001"), Decimal("0.999")
#: A rate needs several scrapes in its window, or one that fails empties it.
SCRAPES_IN_WINDOW = 4


@dataclass(frozen=True, slots=True)
class Defaults:
    """The author's proposal; None where an alert has no such thing."""

    severity: Severity
    for_: Duration
    threshold: Decimal | None = None
    unit: Literal["ratio", "s", ""] = ""
    window: Duration | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for one service in one environment."""

    severity: Severity
    for_: Duration
    threshold: Decimal
    window: Duration


def settle(service: Service, alert: str, defaults: Defaults) -> Settings | None:
    """Return the settings of `alert`, or None when the spec has switched it off.

    Raises `SpecError` at the place of a value that cannot work.
    """
    tuning = service.tunings.get(alert)
    if tuning is not None:
        if tuning.disabled is not None:
            return None
        _check_applies(tuning, defaults)
    chosen = tuning or Tuning(alert, service.place)
    threshold = chosen.threshold if chosen.threshold is not None else defaults.threshold
    window = chosen.window or defaults.window
    _check_threshold(alert, threshold, defaults, chosen)
    if window is not None:
        _check_window(service, alert, window, chosen)
    return Settings(
        severity=service.severities[chosen.severity or defaults.severity],
        for_=chosen.for_ if chosen.for_ is not None else defaults.for_,
        threshold=threshold if threshold is not None else Decimal(0),
        window=window or Duration(0),
    )


def _check_applies(tuning: Tuning, defaults: Defaults) -> None:
    for key, given, known in (
        ("threshold", tuning.threshold, defaults.threshold),
        ("window", tuning.window, defaults.window),
    ):
        if given is not None and known is None:
            raise SpecError(f"{tuning.alert} has no {key}", str(tuning.places.get(key, tuning.place)))


def _check_threshold(alert: str, value: Decimal | None, defaults: Defaults, tuning: Tuning) -> None:
    if value is None:
        return
    where = str(tuning.places.get("threshold", tuning.place))
    if defaults.unit == "ratio" and not LEAST_RATIO <= value <= MOST_RATIO:
        hint = f"did you mean {value / 100:f}?" if 1 <= value < 100 else None
        raise SpecError(
            f"alerts.{alert}.threshold: got {value}, expected a ratio from {LEAST_RATIO:f} to {MOST_RATIO}",
            where,
            hint,
        )
    if value <= 0:
        raise SpecError(f"alerts.{alert}.threshold: got {value}, expected more than 0", where)


def _check_window(service: Service, alert: str, window: Duration, tuning: Tuning) -> None:
    least = service.scrape_interval * SCRAPES_IN_WINDOW
    if window < least:
        raise SpecError(
            f"alerts.{alert}.window: {window} holds fewer than {SCRAPES_IN_WINDOW} scrapes "
            f"({service.scrape_interval} apart)",
            str(tuning.places.get("window", service.place)),
            f"expected at least {least}",
        )
