"""Which guide belongs to which alert; from alerts to runbooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from obs.catalogue.log_events import QUERYABLE
from obs.errors import SpecError, suggest
from obs.generate.derive import custom_guide, logql
from obs.generate.derive.capabilities import registry
from obs.generate.derive.capabilities.capability import Guide
from obs.generate.derive.capabilities.logs import table as logs
from obs.generate.derive.fleet import guide as fleet
from obs.generate.derive.gaps import CannotDerive
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.guidance.references import located
from obs.generate.derive.slo import files as slo
from obs.generate.derive.slo.series import recorded
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import Alert, Links, Owner, Runbook, Service, Step

GUIDES: Mapping[str, Guide] = {
    **registry.guides(),
    **logs.guides(),
    **slo.GUIDES,
}


def derive_runbooks(service: Service, alerts: Sequence[Alert]) -> tuple[Runbook, ...]:
    """Return one runbook for each name among the alerts of `service`, in the order of names.

    Every query is proven against the contract. Raises `SpecError` for an alert that nobody has written a guide for.
    """
    ask = Queries(service, Vocabulary.of(service, recorded(service)))
    pages: dict[str, list[Alert]] = {}
    for alert in alerts:
        pages.setdefault(alert.name, []).append(alert)
    return tuple(_page(name, pages[name], ask) for name in sorted(pages))


def derive_heartbeat(alerts: Sequence[Alert], links: Links) -> Runbook:
    """Return the runbook of the alert that always fires and belongs to no service."""
    return fleet.watchdog(alerts, links)


def _page(name: str, alerts: Sequence[Alert], ask: Queries) -> Runbook:
    custom = next((one for one in ask.service.custom_alerts if one.name == name), None)
    if custom is None and name not in GUIDES:
        raise SpecError(
            f"alert {name!r} has no guide for its runbook", str(ask.service.place), suggest(name, GUIDES)
        )
    runbook = located(custom_guide.page(custom, alerts[0], ask) if custom else GUIDES[name](alerts, ask))
    return replace(
        runbook,
        escalation=(*runbook.escalation, *_reached(ask.service.owner)),
        diagnosis=tuple(_proven(step, ask) for step in runbook.diagnosis),
        verification=tuple(_proven(step, ask) for step in runbook.verification),
    )


def _reached(owner: Owner) -> Iterator[str]:
    """Say how the owning team is reached, and whom to call after it."""
    if owner.chat:
        yield f"The team's channel is {owner.chat}."
    if owner.email:
        yield f"Its address is <{owner.email}>."
    if owner.rota:
        yield f"Who is on call now: <{owner.rota}>."
    for number, step in enumerate(owner.escalation, start=1):
        yield f"Nobody answers, call number {number}: {step}"


def _proven(step: Step, ask: Queries) -> Step:
    """Return `step` without the queries that a service with other metrics cannot answer.

    A step that has none left says why, so that nobody looks for them.
    """
    asked = [_asked(query, ask) for query in step.queries]
    queries = tuple(query for query, _ in asked if query)
    reasons = [reason for _, reason in asked if reason]
    streams = {"service", "environment", *ask.service.select}
    lines = tuple(logql.checked(query, streams, QUERYABLE) for query in step.logs)
    text = step.text
    if reasons and not (queries or lines or step.commands):
        text = f"{text} The metrics cannot tell: {'; '.join(dict.fromkeys(reasons))}."
    return replace(step, text=text, queries=queries, logs=lines)


def _asked(query: str, ask: Queries) -> tuple[str, str]:
    """Return a query, proven; or the reason for which the service's metrics cannot answer it."""
    try:
        return ask.checked(query), ""
    except CannotDerive as gap:
        return "", gap.message
