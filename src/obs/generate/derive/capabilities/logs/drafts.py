"""What the author of an alert on log lines hands in, and how it becomes an `Alert`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from obs.catalogue.log_events import QUERYABLE
from obs.generate.derive import logql
from obs.generate.derive.drafts import dashboard_url
from obs.generate.derive.explore import ERROR_LINES, logs_url, traces_url
from obs.generate.derive.settings import Settings
from obs.generate.derive.vocabulary import escape
from obs.generate.model import Alert, Duration, LogBurst, LogCase, Service, Threshold
from obs.generate.model.alert import Kind

CATEGORY = "logs"
#: What identifies the source of an alert; labels of the stream, as of a target.
BY = "service, environment"
_KINDS: tuple[Kind, ...] = ("fires", "silent", "for", "born", "gone")


@dataclass(frozen=True, slots=True)
class LogKit:
    """What an author works with: the service, and the settings of this alert."""

    service: Service
    settings: Settings

    @property
    def stream(self) -> str:
        """The selector of the service's lines."""
        pairs = (f'{name}="{escape(value)}"' for name, value in sorted(self.service.select.items()))
        return "{" + ", ".join(pairs) + "}"

    def counted(self, stages: str, window: Duration, offset: str = "") -> str:
        """Return how many lines of each environment pass `stages` within `window`."""
        back = f" offset {offset}" if offset else ""
        return f"sum by ({BY}) (count_over_time({self.stream} {stages} [{window}]{back}))"

    def burst(
        self,
        start: Duration,
        over: Duration,
        count: int,
        fields: Mapping[str, str],
        *,
        message: str = "a line",
        service: str = "",
    ) -> LogBurst:
        """Return lines of this service, or of another one that shares its place."""
        labels = {"environment": "production", **self.service.select}
        if service:
            labels["service"] = service
        return LogBurst(start, over, count, dict(sorted(labels.items())), dict(fields), message)


@dataclass(frozen=True, slots=True)
class LogDraft:
    """An alert as its author writes it, before the service's labels and links are added."""

    name: str
    expr: str
    threshold: Threshold
    summary: str
    description: str
    cases: tuple[LogCase, ...]
    #: Key of the panel that shows the lines.
    panel: str
    #: What follows the stream in the link to the lines that it is about.
    shows: str = ERROR_LINES
    omits: Mapping[Kind, str] = field(default_factory=dict)


def finish(draft: LogDraft, kit: LogKit) -> Alert:
    """Return the alert: expression proven against the fields of our lines, labels and links complete.

    Raises `ValueError` for a draft that leaves out a kind of story without a reason.
    """
    told = {case.kind for case in draft.cases}
    missing = [kind for kind in _KINDS if kind not in told and kind not in draft.omits]
    if missing:
        raise ValueError(f"{draft.name} tells no story of the kind {missing[0]!r} and gives no reason")
    service, settings = kit.service, kit.settings
    streams = {"service", "environment", *service.select}
    logql.checked(f"{kit.stream} {draft.shows}", streams, QUERYABLE)
    labels = {
        "category": CATEGORY,
        "service": service.name,
        "severity": settings.severity,
        "team": service.team,
        "tier": service.tier,
    }
    annotations = {
        "dashboard_url": dashboard_url(service, draft.panel),
        "description": draft.description,
        "logs_url": logs_url(service, draft.shows),
        "runbook_url": f"{service.links.runbooks}/{service.name}/{draft.name}",
        "summary": draft.summary,
        "traces_url": traces_url(service),
    }
    return Alert(
        name=draft.name,
        service=service.name,
        expr=logql.checked(draft.expr, streams, QUERYABLE),
        for_=settings.for_,
        labels=labels,
        annotations=annotations,
        severity=settings.severity,
        category=CATEGORY,
        threshold=draft.threshold,
        window=settings.window,
        signals=(),
        panel=draft.panel,
        tests=(),
        omits=draft.omits,
        language="logql",
        log_tests=draft.cases,
    )
