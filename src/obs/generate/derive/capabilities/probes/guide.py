"""The runbook of the alert on addresses that a probe cannot reach."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.exporters.blackbox import CERTIFICATE_EXPIRY, DURATION, STATUS, SUCCESS
from obs.catalogue.target import UP
from obs.generate.derive.guidance.investigation import escalate, roll_back
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Action, Alert, Runbook, Step


def probe_failing(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """EndpointProbeFailing: the address does not work from outside, or nobody looks any more."""
    success = f"min by (instance) ({ask.series(SUCCESS)})"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"A probe from outside could not use an address of {ask.service.name}, or has stopped looking. It goes the "
            "way that users go: name, network, certificate, proxy, service."
        ),
        impact="Users who go the same way are turned away, even while every instance says that it is well.",
        diagnosis=(
            Step(
                "See which addresses fail, with which status, and whether the service's own targets are up.",
                (
                    success,
                    f"max by (instance) ({ask.series(STATUS)})",
                    f"min by (instance) ({ask.series(UP)})",
                ),
                (
                    (
                        "targets are down",
                        "follow TargetDown of this service: the probe only sees the result.",
                    ),
                    (
                        "targets are up, the status is 502, 503 or 504",
                        "the proxy cannot reach the service; go on with step 3.",
                    ),
                    ("targets are up, the status is 0", "name, network or certificate; go on with step 2."),
                    ("there is no data", "the probe was removed or its exporter is down: Mitigation 3."),
                ),
            ),
            Step(
                "Go the way by hand, from another network than the service's.",
                outcomes=(
                    ("the name is not found", "DNS: compare the record with the one before; Mitigation 1."),
                    ("the certificate is refused", "follow CertificateExpiresVerySoon."),
                    ("it times out", "a firewall, a route or the load balancer: ask the network's owner."),
                    ("it works", "only the prober's own network is at fault; go on with step 3."),
                ),
                commands=(
                    'curl --verbose --max-time 10 --output /dev/null "${INSTANCE:?set it to the label instance}"',
                ),
            ),
            Step(
                "See whether the probe was slow before it failed, and how long the certificate holds, in seconds.",
                (
                    f"max by (instance) (max_over_time({ask.series(DURATION)}[1h]))",
                    f"min by (instance) ({ask.series(CERTIFICATE_EXPIRY)}) - time()",
                ),
                (
                    (
                        "it grew towards its limit",
                        "the service is overloaded: open its dashboard, golden signals.",
                    ),
                    (
                        "it failed at once",
                        "something was changed: look for a release of proxy, DNS or firewall.",
                    ),
                ),
            ),
        ),
        mitigation=(
            Action(
                "Put back the last change of DNS, proxy, load balancer or firewall.",
                "the way is open again; DNS takes as long as its records live.",
                "2 to 30 minutes.",
            ),
            roll_back("5 minutes"),
            Action(
                "Start the exporter again, or put the address back into its targets.",
                "the address is looked at again; this alert ends when it works.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="users report that they cannot connect",
        ),
        verification=(
            Step(
                "Every probe works, for 15 minutes.",
                (f"min_over_time({ask.series(SUCCESS)}[15m])",),
                (
                    ("all values are 1", "it is over."),
                    (
                        "a value is 0",
                        "it works now and then: one of several servers behind the address is at fault.",
                    ),
                ),
            ),
        ),
    )
