"""Alerts on telemetry that the SDK could not deliver."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.self import LOGS_DROPPED, LOGS_REASON, REASON, SPANS_DROPPED
from obs.generate.derive.drafts import Case, Draft, Fact, Kit
from obs.generate.derive.expressions import events, total
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.count import count_cases, single
from obs.generate.model import Duration, Threshold

DROPPED = Defaults("ticket", Duration.parse("10m"), window=Duration.parse("10m"))
FAILING = Defaults("ticket", Duration.parse("10m"), window=Duration.parse("10m"))

#: Too many for the queue, or refused. A few are lost at the end of a process, which is no trouble.
_TOO_MANY = ("queue_full", "rejected")
_FAILED = "export_failed"


def spans_dropped(kit: Kit) -> Draft:
    """Return SdkSpansDropped: there are more spans than the SDK can deliver."""
    names, window = kit.names, kit.settings.window
    metric, reason = names.metric(SPANS_DROPPED.id), names.label(SPANS_DROPPED.id, REASON.name)
    dropped = names.selector(metric, f'{reason}=~"{"|".join(_TOO_MANY)}"')
    return Draft(
        name="SdkSpansDropped",
        expr=f"{total(events(kit, dropped))} > 0",
        signals=(SPANS_DROPPED.id,),
        threshold=Threshold(Decimal(0), "1", ">", f"any span of {window} was dropped"),
        summary="{{ $labels.service }}: {{ $value | humanize }} spans were dropped",
        description=(
            "obs in {{ $labels.service }} ({{ $labels.environment }}) dropped {{ $value | humanize }} spans in the last "
            f"{window}, because its queue was full or the receiver refused them: traces have holes."
        ),
        cases=count_cases(kit, single(metric, {reason: "queue_full"}, {reason: "shutdown"}), line=Decimal(0)),
        window=window,
    )


def export_failing(kit: Kit) -> Draft:
    """Return SdkExportFailing: spans or log lines do not reach the collector."""
    names, window = kit.names, kit.settings.window
    spans, logs = names.metric(SPANS_DROPPED.id), names.metric(LOGS_DROPPED.id)
    why, cause = names.label(SPANS_DROPPED.id, REASON.name), names.label(LOGS_DROPPED.id, LOGS_REASON.name)
    lost = total(events(kit, names.selector(spans, f'{why}="{_FAILED}"')))
    silent = total(events(kit, names.selector(logs, f'{cause}="{_FAILED}"')))
    end = 2 * kit.window_steps + kit.for_steps + 1
    lines = single(logs, {cause: _FAILED})([(end + 1, Decimal(1))], "one")
    return Draft(
        name="SdkExportFailing",
        expr=f"{lost} > 0 or {silent} > 0",
        signals=(SPANS_DROPPED.id, LOGS_DROPPED.id),
        threshold=Threshold(Decimal(0), "1", ">", f"any export of {window} failed for good"),
        summary="{{ $labels.service }}: {{ $value | humanize }} spans or log lines could not be exported",
        description=(
            "obs in {{ $labels.service }} ({{ $labels.environment }}) gave up on {{ $value | humanize }} spans or log "
            f"lines in the last {window}, because the collector could not be reached: traces or logs are missing."
        ),
        cases=(
            *count_cases(kit, single(spans, {why: _FAILED}, {why: "queue_full"}), line=Decimal(0)),
            Case("fires", "log lines are not delivered", lines, (Fact(end, "firing"),)),
        ),
        window=window,
    )
