"""What the routes must know of the alerts: which of two says more, and what tells groups apart."""

from __future__ import annotations

from collections.abc import Sequence

from obs.generate.derive.slo.events import group_labels
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import Service

#: A page, and the ticket that says less of the same: while the page fires, the ticket is not sent.
STRONGER: tuple[tuple[str, str], ...] = (
    ("CertificateExpiresVerySoon", "CertificateExpiresSoon"),
    ("ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"),
    ("HttpErrorRatioHigh", "HttpErrorRatioElevated"),
)


def grouped_by(services: Sequence[Service]) -> tuple[str, ...]:
    """Return the labels that tell the budgets of one objective apart, of all `services`."""
    return tuple(
        sorted(
            {
                label
                for service in services
                for slo in service.slos
                if slo.by
                for label in group_labels(slo, Vocabulary.of(service))
            }
        )
    )
