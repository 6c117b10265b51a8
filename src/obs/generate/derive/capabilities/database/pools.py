"""Alerts on pools of connections: of each pool in each instance, for a full one is not helped by others."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.db import (
    CONNECTION_TIMEOUTS,
    CONNECTIONS_IN_USE,
    CONNECTIONS_MAX,
    CONNECTIONS_WAITING,
    POOL,
)
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.expressions import events, total
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories import level
from obs.generate.derive.stories.count import count_cases, single
from obs.generate.derive.stories.level import level_cases, near
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

NEARLY_EXHAUSTED = Defaults("ticket", Duration.parse("5m"), Decimal("0.8"), "ratio")
WAITING = Defaults("page", Duration.parse("5m"), Decimal(5))
TIMEOUTS = Defaults("page", Duration.parse("5m"), window=Duration.parse("5m"))

_STORY_POOL = "db:5432/shop"
#: So many connections that a small share of them is still a whole number of them.
_MANY = Decimal(10_000)


def nearly_exhausted(kit: Kit) -> Draft:
    """Return DbPoolNearlyExhausted: most connections of a pool are lent out."""
    names, line = kit.names, kit.settings.threshold
    used, most = names.metric(CONNECTIONS_IN_USE.id), names.metric(CONNECTIONS_MAX.id)
    pool = names.label(CONNECTIONS_IN_USE.id, POOL.name)
    by = f"{BY}, instance, {pool}"

    def write(track: level.Track) -> tuple[Sample, ...]:
        share = [(steps, None if value is None else value * _MANY) for steps, value in track]
        limit = [(steps, None if value is None else _MANY) for steps, value in track]
        return (
            Sample(used, {pool: _STORY_POOL}, gauge(share)),
            Sample(most, {pool: _STORY_POOL}, gauge(limit)),
        )

    above, below, low = near(line, most=Decimal(1))
    return Draft(
        name="DbPoolNearlyExhausted",
        expr=f"max by ({by}) ({names.selector(used)}) / max by ({by}) ({names.selector(most)} > 0) > {line:f}",
        signals=(CONNECTIONS_IN_USE.id, CONNECTIONS_MAX.id),
        threshold=Threshold(
            line, "ratio", ">", f"more than {words(line, 'ratio')} of a pool's connections are lent out"
        ),
        summary=(
            f"{{{{ $labels.service }}}}: {{{{ $value | humanizePercentage }}}} of pool {{{{ $labels.{pool} }}}} is lent out"
        ),
        description=(
            f"{{{{ $labels.instance }}}} of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) has lent out "
            f"{{{{ $value | humanizePercentage }}}} of the connections of pool {{{{ $labels.{pool} }}}}; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=level_cases(kit, write, above=above, below=below, low=low, shows=_shows(pool)),
        window=Duration(0),
    )


def waiting(kit: Kit) -> Draft:
    """Return DbPoolWaiting: callers queue for a connection."""
    names, line = kit.names, kit.settings.threshold
    metric = names.metric(CONNECTIONS_WAITING.id)
    pool = names.label(CONNECTIONS_WAITING.id, POOL.name)

    def write(track: level.Track) -> tuple[Sample, ...]:
        return (Sample(metric, {pool: _STORY_POOL}, gauge(track)),)

    above, below, low = near(line)
    return Draft(
        name="DbPoolWaiting",
        expr=f"max by ({BY}, instance, {pool}) ({names.selector(metric)}) > {line:f}",
        signals=(CONNECTIONS_WAITING.id,),
        threshold=Threshold(line, "1", ">", f"more than {words(line, '')} callers wait for a connection"),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanize }}}} callers wait for pool {{{{ $labels.{pool} }}}}",
        description=(
            f"{{{{ $value | humanize }}}} callers in {{{{ $labels.instance }}}} of {{{{ $labels.service }}}} "
            f"({{{{ $labels.environment }}}}) wait for a connection of pool {{{{ $labels.{pool} }}}}; "
            f"the alert watches for more than {words(line, '')}."
        ),
        cases=level_cases(kit, write, above=above, below=below, low=low, shows=_shows(pool)),
        window=Duration(0),
    )


def timeouts(kit: Kit) -> Draft:
    """Return DbPoolTimeouts: callers gave up waiting for a connection, and go on doing so."""
    names, window = kit.names, kit.settings.window
    metric = names.metric(CONNECTION_TIMEOUTS.id)
    pool = names.label(CONNECTION_TIMEOUTS.id, POOL.name)
    shows = {pool: _STORY_POOL}
    return Draft(
        name="DbPoolTimeouts",
        expr=f"{total(events(kit, names.selector(metric)), pool)} > 0",
        signals=(CONNECTION_TIMEOUTS.id,),
        threshold=Threshold(Decimal(0), "1", ">", f"any caller of {window} got no connection in time"),
        summary=(
            f"{{{{ $labels.service }}}}: {{{{ $value | humanize }}}} callers got no connection of {{{{ $labels.{pool} }}}}"
        ),
        description=(
            f"{{{{ $value | humanize }}}} callers in {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) gave up "
            f"waiting for a connection of pool {{{{ $labels.{pool} }}}} in the last {window}; each is a failed request "
            "or job."
        ),
        cases=count_cases(kit, single(metric, shows), line=Decimal(0), shows=shows),
        window=window,
    )


def _shows(pool: str) -> dict[str, str]:
    return {"instance": "one", pool: _STORY_POOL}
