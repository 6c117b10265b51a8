"""The pages of custom alerts: what the spec's runbook says, and beside it what can be generated."""

from __future__ import annotations

import re

from obs.errors import ObsError, SpecError
from obs.generate.derive.custom import measured
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Alert, CustomAlert, Runbook, Step

_PROMQL = re.compile(r"^ {0,3}```+ *promql\s*\n(.*?)^ {0,3}```", re.DOTALL | re.MULTILINE)


def page(custom: CustomAlert, alert: Alert, ask: Queries) -> Runbook:
    """Return the page of one custom alert.

    Every block of PromQL in the written part is proven like any other query; raises `SpecError` for one
    that reads what the contract does not declare.
    """
    for text in custom.runbook.values():
        for query in _PROMQL.findall(text):
            _prove(query, custom, ask)
    service = ask.service
    return Runbook(
        alerts=(alert,),
        meaning=custom.description,
        impact="",
        diagnosis=(),
        mitigation=(),
        escalation=(f"Team {service.team} owns {service.name} and has written this alert.",),
        verification=(
            Step(
                "What the alert measures is back where it was before, and the query of the alert has no result.",
                queries=(measured(custom, ask.names),),
            ),
        ),
        sections=custom.runbook,
    )


def _prove(query: str, custom: CustomAlert, ask: Queries) -> None:
    # A template stands for what only a notification knows.
    if "{{" in query:
        return
    try:
        ask.checked(query)
    except ObsError as error:
        raise SpecError(
            f"custom_alerts.{custom.name}.runbook: a query in it: {error.message}",
            str(custom.place),
            error.hint,
        ) from None
