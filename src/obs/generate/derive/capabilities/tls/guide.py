"""Runbooks of the alerts on certificates."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.exporters.blackbox import CERTIFICATE_EXPIRY, SUCCESS
from obs.generate.derive.guidance.investigation import escalate
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Action, Alert, Duration, Runbook, Step


def expires(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """CertificateExpiresSoon and CertificateExpiresVerySoon: the renewal did not happen."""
    left = f"min by (instance) ({ask.series(CERTIFICATE_EXPIRY)}) - time()"
    line = Duration(int(alerts[0].threshold.value * 1000)).words
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"A certificate that {ask.service.name} shows to its clients expires within {line}. Certificates are renewed "
            "earlier than that, so the renewal failed or does not reach the place where it is served."
        ),
        impact="Nobody notices anything until it expires. From that second on browsers and clients refuse to connect.",
        diagnosis=(
            Step(
                "See which addresses are concerned, and how many seconds are left.",
                (left,),
                (
                    ("one address", "its own renewal; go on with step 2."),
                    (
                        "all addresses",
                        "whatever renews them has stopped: its account, its permissions, its schedule.",
                    ),
                ),
            ),
            Step(
                "Look at the certificate that is served, and at the one that is on disk.",
                outcomes=(
                    ("the one on disk is newer", "the server has not loaded it: Mitigation 1."),
                    ("both are old", "the renewal fails: read its log; go on with step 3."),
                    (
                        "an intermediate certificate expires first",
                        "the chain file is old: Mitigation 2 with the new chain.",
                    ),
                ),
                commands=(
                    (
                        "openssl s_client -connect ${ADDRESS:?host:port of the label instance} -showcerts </dev/null "
                        "| openssl x509 -noout -subject -issuer -enddate"
                    ),
                    "openssl x509 -noout -enddate -in ${FILE:?certificate on disk}",
                ),
            ),
            Step(
                "See whether the probe itself works: a renewal by HTTP needs the address to be reachable.",
                (f"min by (instance) ({ask.series(SUCCESS)})",),
                (
                    ("it fails", "follow EndpointProbeFailing; the renewal fails for the same reason."),
                    ("it works", "the renewal's log names the reason: a rate limit, DNS, a permission."),
                ),
            ),
        ),
        mitigation=(
            Action(
                "Have the server load the certificate from disk: reload it, without a restart where it can.",
                "the new certificate is served at once; connections that are open stay.",
                "1 minute.",
            ),
            Action(
                "Renew by hand with the usual tool, then reload the server.",
                "the new certificate is served.",
                "10 minutes.",
            ),
            Action(
                "The usual authority is out of reach: take a short certificate from another one that clients trust.",
                "time to repair the renewal in peace.",
                "30 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="less than a day is left and step 2 has not helped",
        ),
        verification=(
            Step(
                "Weeks are left on every address, in seconds.",
                (left,),
                (
                    ("they are", "it is over; repair the renewal, or this comes again."),
                    (
                        "an address is as before",
                        "another server answers there, too: find it by its DNS records.",
                    ),
                ),
            ),
        ),
    )
