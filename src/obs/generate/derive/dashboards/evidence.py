"""Logs and traces of a service: the rows that show them, and the ways that lead there from any graph."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue.log import FIELDS, LEVEL
from obs.generate.derive.capabilities import registry
from obs.generate.derive.capabilities.logs.capability import CAPABILITY as LOGS
from obs.generate.derive.dashboards.explore import link
from obs.generate.derive.explore import ERROR_LINES
from obs.generate.derive.graphs import legend
from obs.generate.derive.guidance.queries import seconds
from obs.generate.derive.logql.checking import checked
from obs.generate.derive.vocabulary import escape
from obs.generate.model import Alert, Column, Panel, Query, Row, Service

_LEVEL = LEVEL.name
_FIELDS = frozenset(field.name for field in FIELDS)
#: In an address, several chosen values stand as they are, between bars.
_IN_ADDRESS = 'environment=~"${environment:pipe}"'
_TRACE_ID = "trace_id"
#: Where a trace is opened from the cell that holds its id.
_TRACE = link("tempo", "${__value.raw}")


def has_logs(service: Service) -> bool:
    """Tell whether the lines of `service` reach Loki."""
    return LOGS.name in service.capabilities


def has_traces(service: Service) -> bool:
    """Tell whether `service` does work that is traced."""
    return any(capability.golden is not None for capability in registry.of(service))


def ways(service: Service) -> tuple[tuple[str, str], ...]:
    """Return where a click on a value of a graph leads: (title, address)."""
    found = []
    if has_logs(service):
        found.append(("Logs of this time", link("loki", _stream(service, _IN_ADDRESS))))
    if has_traces(service):
        found.append(("Traces of this time", link("tempo", _spans(service))))
    return tuple(found)


def logs(service: Service) -> Row:
    """How many lines of which level, the errors with their traces, and the lines themselves.

    Raises `UnknownSignal` for a field that no log line has.
    """

    def query(text: str, legend: str = "") -> Query:
        # As it stands here: the text that a reader types may hold quotes.
        checked(text.replace("$__auto", "5m"), {*service.select, "environment"}, _FIELDS)
        return Query(text, legend, source="loki")

    lines = _stream(service, 'environment=~"$environment"')
    return Row(
        "Logs",
        (
            Panel(
                key="logs-levels",
                title="Lines by level",
                description="Log lines by level; more errors than usual begin here before anybody reads one.",
                unit="short",
                kind="timeseries",
                queries=(query(f"sum by ({_LEVEL}) (count_over_time({lines} [$__auto]))", legend(_LEVEL)),),
                width=8,
            ),
            Panel(
                key="logs-errors",
                title="Errors and their traces",
                description="The latest lines of level error and worse; the id of the trace leads to the whole request.",
                unit="short",
                kind="table",
                queries=(query(f"{lines} {ERROR_LINES}"),),
                # Grafana has two names for each, by its version.
                columns=(
                    Column("Time", "Time"),
                    Column("timestamp", "Time"),
                    Column("Line", "Message"),
                    Column("body", "Message"),
                    Column(_TRACE_ID, "Trace", links=(("Trace", _TRACE),)),
                ),
                sort="-Time",
                width=16,
            ),
            Panel(
                key="logs-lines",
                title="Lines",
                description="Log lines that hold the text chosen above; open one to see its fields.",
                unit="short",
                kind="logs",
                queries=(query(f"{lines} |= `${{search}}`"),),
                width=24,
            ),
        ),
    )


def traces(service: Service, alerts: Sequence[Alert]) -> Row:
    """The latest traces, those that failed, and those that took longer than an alert allows."""
    spans = _spans(service)
    slow = _slow(alerts)
    found = [
        ("traces-recent", "Recent traces", "Requests and runs of the service, the latest first.", ""),
        (
            "traces-failed",
            "Failed traces",
            "Requests and runs in which the service failed.",
            "status = error",
        ),
    ]
    if slow is not None:
        told = f"Requests and runs that took longer than {seconds(slow)}, from where an alert warns."
        found.append(("traces-slow", "Slow traces", told, f"duration > {_duration(slow)}"))
    return Row(
        "Traces",
        tuple(
            Panel(
                key=key,
                title=title,
                description=told,
                unit="short",
                kind="table",
                queries=(Query(_and(spans, condition), "", source="tempo"),),
            )
            for key, title, told, condition in found
        ),
    )


def _stream(service: Service, environment: str) -> str:
    """Return the selector of the service's log lines; the reader chooses the environment."""
    own = [
        f'{name}="{escape(value)}"'
        for name, value in sorted(service.select.items())
        if name not in {"environment", "instance"}
    ]
    return "{" + ", ".join([*own, environment]) + "}"


def _spans(service: Service) -> str:
    # The attributes under which the SDK sends whose spans they are; a string of TraceQL knows few escapes, so
    # that several environments stand as they are.
    own = f'resource.service.name = "{escape(service.name)}"'
    return f'{{ {own} && resource.deployment.environment.name =~ "${{environment:pipe}}" }}'


def _and(spans: str, condition: str) -> str:
    return f"{spans[:-2]} && {condition} }}" if condition else spans


def _slow(alerts: Sequence[Alert]) -> Decimal | None:
    """Return the shortest duration of work at which an alert warns."""
    found = [
        alert.threshold.value
        for alert in alerts
        if alert.threshold.unit == "s"
        and alert.threshold.comparison in {">", ">="}
        and "latency" in alert.panel
    ]
    return min(found, default=None)


def _duration(value: Decimal) -> str:
    return f"{(value * 1000).normalize():f}ms"
