"""A rate over fewer samples than it needs."""

from __future__ import annotations

from collections.abc import Iterator

from obs.generate.model import Duration
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.nodes import Call, Selector

#: Functions that need several samples in their window.
_NEEDS_SAMPLES = frozenset({"rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear"})
#: A rate needs two samples; with four, one failed scrape does not empty it.
_LEAST, _SAFE = 2, 4


def _run(project: Project) -> Iterator[Finding]:
    for query in project.promql:
        # Panels have their own check: Grafana chooses their windows.
        if query.use not in {"alert", "record", "runbook"}:
            continue
        for call in query.parsed.calls:
            series = call.args[0] if call.func in _NEEDS_SAMPLES else None
            if not isinstance(series, Selector) or not series.range_ms or ":" in series.name:
                continue
            finding = _judged(call, series, project)
            if finding is not None:
                message, severe = finding
                yield Finding(
                    query.at(call),
                    message,
                    None if query.parsed.has_variables else f"at least {_wanted(series, project)}",
                    severity="error" if severe else None,
                )


def _judged(call: Call, series: Selector, project: Project) -> tuple[str, bool] | None:
    interval = _interval(series, project)
    window = Duration(series.range_ms)
    if series.range_ms < interval.milliseconds * _LEAST:
        return (
            f"{call.func} over {window} finds fewer than {_LEAST} samples, {interval} apart: no result",
            True,
        )
    if series.range_ms < interval.milliseconds * _SAFE:
        return (
            f"{call.func} over {window} finds fewer than {_SAFE} samples, {interval} apart: gaps when a scrape fails",
            False,
        )
    return None


def _wanted(series: Selector, project: Project) -> Duration:
    return _interval(series, project) * _SAFE


def _interval(series: Selector, project: Project) -> Duration:
    """Return how far apart the samples are: as a spec says of the service, else as the settings say."""
    given = {matcher.label: matcher.value for matcher in series.matchers if matcher.op == "="}
    if project.contract is not None:
        for select, interval in project.contract.intervals:
            if all(given.get(label) == value for label, value in select):
                return interval
    return project.settings.scrape_interval


CHECK = Check("rate-window-too-short", "warning", ("rules", "runbook"), _run)
