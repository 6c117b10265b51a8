"""The ends of certificates as metrics, so that an alert can tell of one that nobody renewed."""

from __future__ import annotations

from pathlib import Path

from obs.catalogue.exporters.blackbox import CERTIFICATE_EXPIRY
from obs.stack.certs import authority

#: Of Prometheus' text format, which every version reads.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def expose(directory: Path | None) -> str:
    """Return one sample a certificate in `directory` (`*.crt`), none without one, in Prometheus' text format.

    Each says in the label `instance` whose it is, as a probe from outside would: the job that scrapes them
    wants `honor_labels`. A file that is no certificate, or is just being replaced, is left out.
    """
    metric = CERTIFICATE_EXPIRY.metric
    lines = [f"# HELP {metric} {CERTIFICATE_EXPIRY.help}", f"# TYPE {metric} gauge"]
    for file in sorted(directory.glob("*.crt")) if directory is not None else ():
        try:
            ends = authority.read(file.read_bytes()).ends
        except (OSError, ValueError):
            continue
        lines.append(f'{metric}{{instance="{_escaped(file.stem)}"}} {ends.timestamp():.0f}')
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
