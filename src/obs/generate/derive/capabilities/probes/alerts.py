"""The alert on addresses that a probe cannot reach."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.exporters.blackbox import SUCCESS
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample, words
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

PROBE_FAILING = Defaults("page", Duration.parse("2m"), Decimal("0.5"), "ratio", Duration.parse("5m"))

_SITE = "https://shop.example"
_SHOWS = {"instance": _SITE}


def probe_failing(kit: Kit) -> Draft:
    """Return EndpointProbeFailing: the address does not work from outside, or nobody looks any more."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(SUCCESS.id)
    probes, by = names.selector(metric), f"{BY}, instance"
    share = f"avg by ({by}) (avg_over_time({probes}[{window}])) < {line:f}"
    gone = f"group by ({by}) (last_over_time({probes}[1h])) unless group by ({by}) ({probes})"
    return Draft(
        name="EndpointProbeFailing",
        expr=f"{share} or 0 * ({gone})",
        signals=(SUCCESS.id,),
        threshold=Threshold(
            line, "ratio", "<", f"fewer than {words(line, 'ratio')} of the probes of {window} work"
        ),
        summary="{{ $labels.service }}: {{ $value | humanizePercentage }} of the probes of {{ $labels.instance }} work",
        description=(
            f"In the last {window} {{{{ $value | humanizePercentage }}}} of the probes of {{{{ $labels.instance }}}} "
            "({{ $labels.service }}, {{ $labels.environment }}) worked; "
            f"the alert watches for less than {words(line, 'ratio')}. 0 % also means that nobody probes it any more."
        ),
        cases=_cases(kit, metric, line),
        window=Duration.parse("1h"),
    )


def _cases(kit: Kit, metric: str, line: Decimal) -> tuple[Case, ...]:
    k, wait = kit.window_steps, kit.for_steps
    below, above = line * Decimal("0.98"), min(line * Decimal("1.02"), Decimal(1))
    one, none = Decimal(1), Decimal(0)
    dead = ((_SHOWS, 0.0),)

    def works(*track: tuple[int, Decimal | None]) -> tuple[Sample, ...]:
        return (Sample(metric, _SHOWS, gauge(track)),)

    def pending(at: int) -> tuple[Fact, ...]:
        return (Fact(at, "pending"),) if wait else ()

    # A window holds k + 1 samples up to Prometheus 2, k from 3.0 on: after m failures, so many still work.
    late = next(m for m in range(k + 2) if max(Decimal(k + 1 - m) / (k + 1), Decimal(k - m) / k) < line)
    early = max(m for m in range(k + 1) if min(Decimal(k + 1 - m) / (k + 1), Decimal(k - m) / k) >= line)
    start = 2 * k
    end = start + k + 1 + wait
    step = [Fact(start + early, "silent")]
    if early + wait >= late:
        step.append(Fact(start + early + wait, "pending"))
    step += [Fact(end, "firing", dead), Fact(end + k + 1, "silent")]
    return (
        Case(
            "fires",
            "just below the line",
            works((k + wait + 2, below)),
            (Fact(k + wait + 1, "firing", ((_SHOWS, float(below)),)),),
        ),
        Case("silent", "just above the line", works((k + wait + 2, above)), (Fact(k + wait + 1, "silent"),)),
        Case(
            "for",
            "fails for a while",
            works((start, one), (end - start, none), (k + 2, one)),
            tuple(step),
        ),
        Case(
            "born",
            "a new address has never worked",
            works((k, None), (wait + 3, none)),
            (Fact(k, "silent"), *pending(k + wait), Fact(k + 1 + wait, "firing", dead)),
        ),
        Case(
            "gone",
            "nobody probes it any more",
            works((2, one), (wait + 3, None)),
            (Fact(2, "silent"), *pending(2 + wait), Fact(3 + wait, "firing", dead)),
        ),
    )
