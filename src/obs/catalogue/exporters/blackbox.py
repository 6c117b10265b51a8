"""Blackbox exporter: how an address looks from outside. Declared by hand: no registry serves the program."""

from __future__ import annotations

from obs.catalogue.signal import Gauge

SUCCESS = Gauge(
    id="probe.success",
    metric="probe_success",
    help="1 when the probe of the address worked, else 0.",
    unit="{state}",
    origin="exporter",
)
DURATION = Gauge(
    id="probe.duration",
    metric="probe_duration_seconds",
    help="How long the probe took.",
    unit="s",
    origin="exporter",
)
STATUS = Gauge(
    id="probe.http.status",
    metric="probe_http_status_code",
    help="Status code of the answer, 0 without one.",
    unit="{code}",
    origin="exporter",
)
CERTIFICATE_EXPIRY = Gauge(
    id="probe.certificate.expiry",
    metric="probe_ssl_earliest_cert_expiry",
    help="End of the first certificate of the chain to expire, in seconds since the Unix epoch.",
    unit="s",
    origin="exporter",
)

SIGNALS = (SUCCESS, DURATION, STATUS, CERTIFICATE_EXPIRY)
