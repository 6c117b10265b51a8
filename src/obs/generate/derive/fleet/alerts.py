"""The alert of no single service: it always fires, so that its silence means that alerting is broken."""

from __future__ import annotations

from decimal import Decimal

from obs.generate.model import (
    FLEET,
    Alert,
    Duration,
    Expectation,
    Firing,
    Links,
    Series,
    TestCase,
    Threshold,
)

#: Who owns what no service owns.
TEAM = "platform"


def watchdog(links: Links, environment: str | None) -> Alert:
    """Return Watchdog; without a chosen environment it speaks for all."""
    labels = {
        "category": "fleet",
        "environment": environment or "all",
        "service": FLEET,
        "severity": "none",
        "team": TEAM,
    }
    annotations = {
        "dashboard_url": f"{links.prometheus}/alerts",
        "description": (
            "This alert always fires. Whoever receives it raises the alarm when it stops coming: "
            "then Prometheus, Alertmanager or the way between them is broken."
        ),
        "runbook_url": f"{links.runbooks}/{FLEET}/Watchdog",
        "summary": "Alerting works",
    }
    step = Duration.parse("1m")
    return Alert(
        name="Watchdog",
        service=FLEET,
        expr="vector(1)",
        for_=Duration(0),
        labels=labels,
        annotations=annotations,
        severity="none",
        category="fleet",
        threshold=Threshold(Decimal(1), "1", "==", "always"),
        window=Duration(0),
        signals=(),
        panel="",
        tests=(
            TestCase(
                says="there is nothing else at all",
                kind="fires",
                step=step,
                series=(Series('up{service="any"}', "1x2"),),
                expects=(Expectation(step, "firing", (Firing(labels, annotations),)),),
                environment=labels["environment"],
            ),
        ),
        omits=dict.fromkeys(("born", "for", "gone", "silent"), "it always fires"),
    )
