"""A runbook_url that is not absolute, or not below the place where runbooks are published."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint import runbook_links, urls
from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    bases = runbook_links.bases(project)
    for alert in project.alerts:
        text = runbook_links.address(alert)
        if text is None or not text.value.strip() or text.value.lstrip().startswith("{{"):
            continue
        url = text.value.strip()
        if not _is_absolute(url):
            message = (
                f"{alert.name.value}: its runbook_url is not absolute, so it leads nowhere from a message"
            )
            yield Finding(text.span, message, f"it begins with {bases[0] if bases else 'https://'}")
        elif bases and not any(runbook_links.is_under(url, base) for base in bases):
            message = f"{alert.name.value}: its runbook_url is not below {' or '.join(bases)}"
            yield Finding(text.span, message, "runbooks are published there", severity="warning")


def _is_absolute(url: str) -> bool:
    parts = urls.split(url)
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


CHECK = Check("runbook-url", "error", ("rules",), _run)
