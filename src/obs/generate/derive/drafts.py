"""What the author of an alert hands in, and how it becomes an `Alert`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, get_args

from obs.generate.derive import templates
from obs.generate.derive.dialects import shown
from obs.generate.derive.explore import logs_url, traces_url
from obs.generate.derive.gaps import CannotDerive
from obs.generate.derive.promql import checked
from obs.generate.derive.settings import Settings
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import (
    Alert,
    Duration,
    Expectation,
    Firing,
    Kind,
    Series,
    Service,
    Severity,
    TestCase,
    Threshold,
    dashboard_uid,
    panel_id,
)

__all__ = [
    "KINDS", "CannotDerive", "Case", "Draft", "Fact", "Kit", "Sample", "dashboard_url", "finish", "shared_labels",
    "shared_links", "words",
]  # fmt: skip

#: Every kind of story that an alert is told with, or says why it is not.
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Each target is scraped once in this time, unless the service's interval is longer.
_SETTLED = Duration.parse("1m")


@dataclass(frozen=True, slots=True)
class Kit:
    """What an author works with: names, settings, and the grid on which tests are told."""

    service: Service
    names: Vocabulary
    settings: Settings
    step: Duration
    #: Distance between two evaluations in a test, a multiple of `step`; None: at every step.
    every: Duration | None = None

    @property
    def window_steps(self) -> int:
        """Steps in the alert's window."""
        return self.settings.window.milliseconds // self.step.milliseconds

    @property
    def for_steps(self) -> int:
        """Steps that the condition must hold before the alert fires."""
        return self.steps(self.settings.for_)

    @property
    def settling(self) -> Duration:
        """The time in which every target of the service has been scraped once, one failure included."""
        return max(_SETTLED, self.service.scrape_interval * 2)

    def steps(self, span: Duration) -> int:
        """Return how many steps cover `span`."""
        return -(-span.milliseconds // self.step.milliseconds)


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of a story: metric, labels beside those of the service, values for promtool."""

    metric: str
    labels: Mapping[str, str]
    values: str


@dataclass(frozen=True, slots=True)
class Fact:
    """At step `at` the alert is in `state`; a firing one shows these labels and values."""

    at: int
    state: Literal["silent", "pending", "firing"]
    shows: tuple[tuple[Mapping[str, str], float], ...] = (({}, 0.0),)


@dataclass(frozen=True, slots=True)
class Case:
    """One story with what must be true in it."""

    kind: Kind
    says: str
    samples: tuple[Sample, ...]
    facts: tuple[Fact, ...]
    #: Says something about series that are not there at all, so no other case may bring them.
    alone: bool = False
    #: Distance between two steps, where it is not that of the kit.
    step: Duration | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An alert as its author writes it, before the service's labels and links are added."""

    name: str
    expr: str
    signals: tuple[str, ...]
    threshold: Threshold
    summary: str
    description: str
    cases: tuple[Case, ...]
    window: Duration
    labels: Mapping[str, str] = field(default_factory=dict)
    job: str | None = None
    slo: str | None = None
    #: Kind of story -> why there is none of it.
    omits: Mapping[Kind, str] = field(default_factory=dict)


def finish(draft: Draft, kit: Kit, *, category: str, panel: str) -> Alert:
    """Return the alert: expression proven, labels and links complete, stories as test cases.

    `panel` is the key of the dashboard panel that shows it. Raises `ValueError` for a draft that leaves
    out a kind of story without a reason.
    """
    _check_kinds(draft)
    service, settings = kit.service, kit.settings
    labels = {**shared_labels(service, settings.severity, category), **draft.labels}
    annotations = {
        "summary": draft.summary,
        "description": draft.description,
        **shared_links(service, draft.name, panel),
    }
    labels, annotations = dict(sorted(labels.items())), dict(sorted(annotations.items()))
    return Alert(
        name=draft.name,
        service=service.name,
        expr=checked(draft.expr, kit.names),
        for_=settings.for_,
        labels=labels,
        annotations=annotations,
        severity=settings.severity,
        category=category,
        threshold=draft.threshold,
        window=draft.window,
        signals=draft.signals,
        panel=panel,
        tests=tuple(_test(draft, case, kit, labels, annotations) for case in draft.cases),
        job=draft.job,
        slo=draft.slo,
        omits=dict(sorted(draft.omits.items())),
    )


def shared_labels(service: Service, severity: Severity, category: str) -> dict[str, str]:
    """Return the labels that every alert of `service` carries."""
    return {
        "service": service.name,
        "team": service.team,
        "tier": service.tier,
        "severity": severity,
        "category": category,
    }


def shared_links(service: Service, alert: str, panel: str) -> dict[str, str]:
    """Return the annotations that lead from an alert to its page, its panel, its logs and its traces."""
    return {
        "runbook_url": f"{service.links.runbooks}/{service.name}/{alert}",
        "dashboard_url": dashboard_url(service, panel),
        "logs_url": logs_url(service),
        "traces_url": traces_url(service),
    }


def _check_kinds(draft: Draft) -> None:
    told = {case.kind for case in draft.cases}
    silent = [kind for kind in KINDS if kind not in told and not draft.omits.get(kind)]
    if silent:
        raise ValueError(f"{draft.name}: no story of kind {', '.join(silent)}, and no reason why")
    both = [kind for kind in KINDS if kind in told and kind in draft.omits]
    if both:
        raise ValueError(f"{draft.name}: omits kinds that it has stories of: {', '.join(both)}")


def dashboard_url(service: Service, panel: str) -> str:
    """Return the link to one panel, at the environment and the last hour of the alert."""
    return (
        f"{service.links.grafana}/d/{dashboard_uid(service.name)}"
        f"?var-environment={{{{ $labels.environment | urlquery }}}}"
        f"&from=now-1h&to=now&viewPanel={panel_id(panel)}"
    )


def words(value: Decimal, unit: str) -> str:
    """Return a threshold for people: ``5 %``, ``0.75 s``."""
    text = f"{value * 100:f}" if unit == "ratio" else f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} %" if unit == "ratio" else f"{text} {unit}".rstrip()


def _test(
    draft: Draft, case: Case, kit: Kit, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> TestCase:
    select = kit.names.select
    own = "" if "environment" in select else f"{draft.name}-{_slug(case, draft)}"
    target = {**select, "environment": select.get("environment", own)}

    metrics = [sample.metric for sample in case.samples]

    def firing(labels_shown: Mapping[str, str], value: float) -> Firing:
        series = {"environment": target["environment"], **shown(metrics, labels_shown)}
        everything = {**series, **labels}
        filled = {key: templates.fill(text, everything, value) for key, text in annotations.items()}
        return Firing(dict(sorted(everything.items())), filled)

    step = case.step or kit.step
    return TestCase(
        says=case.says,
        kind=case.kind,
        step=step,
        series=tuple(one for sample in case.samples for one in _series(sample, target, kit.names)),
        expects=tuple(
            Expectation(
                step * fact.at,
                fact.state,
                tuple(firing(*shown) for shown in fact.shows) if fact.state == "firing" else (),
            )
            for fact in case.facts
        ),
        environment=own,
        alone=case.alone,
        every=kit.every if own and _can_wait(draft, case) else None,
    )


def _can_wait(draft: Draft, case: Case) -> bool:
    """Tell whether a story may begin later: its samples do not tell the time, and nothing is missed before."""
    return not case.alone and case.step is None and "time()" not in draft.expr


def _slug(case: Case, draft: Draft) -> str:
    words_ = "".join(letter if letter.isalnum() else " " for letter in case.says.lower()).split()
    owner = draft.job or draft.slo
    return "-".join([*([owner] if owner else []), case.kind, *words_])


def _series(sample: Sample, target: Mapping[str, str], names: Vocabulary) -> list[Series]:
    found = []
    for metric, labels in names.samples(sample.metric, sample.labels):
        every = {"instance": "one", **target, **labels}
        # A label without a value is one that a series does not have.
        inside = ", ".join(f'{name}="{value}"' for name, value in sorted(every.items()) if value)
        found.append(Series(f"{metric}{{{inside}}}", sample.values))
    return found
