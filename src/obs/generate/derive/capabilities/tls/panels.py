"""Panels of certificates."""

from __future__ import annotations

from obs.catalogue.exporters.blackbox import CERTIFICATE_EXPIRY
from obs.generate.derive.graphs import series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Row


def row(ask: Queries) -> Row:
    """How long certificates still hold."""
    return Row(
        "Certificates",
        (
            series("tls-expiry", "Time left", "How long the certificate of each address is still valid.", "s",
                   f"min by (instance) ({ask.series(CERTIFICATE_EXPIRY)}) - time()", "{{instance}}"),
        ),
    )  # fmt: skip
