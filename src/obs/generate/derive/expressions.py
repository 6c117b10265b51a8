"""Pieces of PromQL that several alerts share, with the reason for their form."""

from __future__ import annotations

from obs.catalogue.target import UP
from obs.generate.derive.drafts import Kit
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration

#: A series that was not there for this long is new; shorter holes are scrapes that failed.
_HOLE = "1h"
#: What the environment of a service is called that nothing has ever told of.
UNKNOWN = "unknown"
#: After an outage of Prometheus of up to this long, the events of the meantime still count.
_OUTAGE = "30m"


def events(kit: Kit, selector: str) -> str:
    """Return what a counter counted in the window of `kit`, for each series, its first event included.

    `increase` alone sees nothing of a counter that is born at 1, so a series that did not exist
    before the window counts with its whole value, provided that the service answered before that:
    a Prometheus that starts without a past would otherwise take what a counter gathered in its
    lifetime for what happened just now. Targets are first scraped one after another, so the service
    must have answered for a little longer than the window.
    """
    window = kit.settings.window
    up = kit.names.selector(kit.names.metric(UP.id))
    answered = f"max_over_time({up}[{_HOLE}] offset {window + kit.settling}) > 0"
    newborn = f"({selector} unless last_over_time({selector}[{_HOLE}] offset {window}))"
    return f"(({newborn} and on ({BY}) {answered}) or increase({selector}[{window}]))"


def never(kit: Kit, selector: str, memory: Duration, label: str, value: str) -> str:
    """Return 0 while `selector` has found nothing for so long, as one series with `value` in `label`.

    `absent` makes up every label that is asked for by name. What series are selected by besides must not
    stand on this alert, for it stands on no other of its name.
    """
    found = f"absent_over_time({selector}[{memory}])"
    if kit.names.select.keys() - set(BY.split(", ")):
        found = f"group by ({BY}) ({found})"
    found = f"0 * {found}"
    if "environment" not in kit.names.select:
        found = labelled(found, "environment", UNKNOWN)
    return labelled(found, label, value)


def labelled(expr: str, label: str, value: str) -> str:
    """Return the series of `expr` with `value` in `label`."""
    return f'label_replace({expr}, "{label}", "{value}", "", "")'


def total(expr: str, *labels: str) -> str:
    """Return the sum for each service and environment, and for each of `labels`."""
    return f"sum by ({', '.join([BY, *labels])}) ({expr})"


def share_of_bad(bad: str, every: str, floor: int, threshold: str) -> str:
    """Return the alert condition "more than `threshold` of the events are bad".

    The floor is on bad events: a floor on all events would keep silent when a quiet service fails
    every request.
    """
    return f"({bad} >= {floor}) / {every} > {threshold}"


def arrivals(selector: str, up: str) -> str:
    """Return the events of the last minute for each series, exact; evaluate it once a minute.

    Differences telescope: summed over any time they are the true count, while `increase` scales
    what it saw. A reset counts from zero. A new series counts in full, provided that the service was
    being scraped a minute before it may have appeared: targets are first scraped one after another, and
    a Prometheus without a past would otherwise count the lifetime of all but the first.
    """
    before = f"last_over_time({selector}[{_OUTAGE}] offset 1m)"
    known = f"last_over_time({up}[{_OUTAGE}] offset 2m)"
    return f"(({selector} - {before} >= 0) or ({selector} and on ({BY}) {known}))"
