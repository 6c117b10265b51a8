"""The alert on requests that stop coming, compared with the same hour yesterday."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.http import SERVER_REQUESTS, STATUS
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample, words
from obs.generate.derive.expressions import total
from obs.generate.derive.samples import counter, exact
from obs.generate.derive.settings import Defaults
from obs.generate.model import Duration, Threshold

DROPPED = Defaults("ticket", Duration.parse("15m"), Decimal("0.5"), "ratio", Duration.parse("10m"))
_DAY = Duration.parse("1d")
_HOUR = Duration.parse("1h")
#: Below this many requests a second yesterday, half of them is chance.
LEAST_YESTERDAY = Decimal("0.1")
#: How far the expression looks back.
LOOK_BACK = _DAY + _HOUR


def traffic_dropped(kit: Kit) -> Draft:
    """Return HttpTrafficDropped: requests are missing that used to come at this time of day.

    When every instance is gone there is no rate to compare, so the present is `now or 0 * past`.
    """
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(SERVER_REQUESTS.id)
    requests = names.selector(metric)
    now = total(f"rate({requests}[{window}])")
    past = total(f"rate({requests}[{_HOUR}] offset {_DAY})")
    return Draft(
        name="HttpTrafficDropped",
        expr=f"({now} or 0 * {past}) / ({past} > {LEAST_YESTERDAY}) < {line:f}",
        signals=(SERVER_REQUESTS.id,),
        threshold=Threshold(
            line,
            "ratio",
            "<",
            f"fewer than {words(line, 'ratio')} of the requests of the same hour yesterday",
        ),
        summary="{{ $labels.service }}: traffic is at {{ $value | humanizePercentage }} of yesterday's",
        description=(
            f"In the last {window} {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) got "
            "{{ $value | humanizePercentage }} of the HTTP requests of the same hour yesterday; "
            f"the alert watches for less than {words(line, 'ratio')}."
        ),
        cases=_cases(kit, metric, names.label(SERVER_REQUESTS.id, STATUS.name), line),
        window=LOOK_BACK,
    )


def _cases(kit: Kit, metric: str, status: str, line: Decimal) -> tuple[Case, ...]:
    k, wait = kit.window_steps, kit.for_steps
    day = kit.steps(LOOK_BACK) + k
    #: Requests in each step: well above the least.
    pace = LEAST_YESTERDAY * kit.step.milliseconds / 1000 * 20
    settled = day + k + 1
    end = settled + wait + k + 2

    def story(*track: tuple[int, Decimal | None], instance: str = "one") -> Sample:
        return Sample(
            metric,
            {"instance": instance, status: "200"},
            counter([(steps, None if growth is None else exact(growth)) for steps, growth in track]),
        )

    def drop_to(share: Decimal) -> tuple[Sample, ...]:
        # So many that a small share of them is no rounding error.
        many = pace * 1024
        return (story((day, many), (end - day, many * share)),)

    few = Decimal("0.95") / 20
    late = settled + wait + 1
    quiet: tuple[Sample, ...] = (story((day, pace * few), (end - day, Decimal(0))),)
    busier: tuple[Sample, ...] = (story((day, pace * few * Decimal("1.1")), (end - day, Decimal(0))),)
    third, half = kit.steps(_DAY) // 3, kit.steps(_DAY) // 2
    below = line * Decimal("0.98")
    return (
        Case(
            "fires",
            "just below the line",
            drop_to(below),
            (Fact(late, "firing", (({}, float(below)),)),),
        ),
        Case(
            "silent",
            "just above the line",
            drop_to(line * Decimal("1.02")),
            (Fact(settled, "silent"), Fact(late, "silent")),
        ),
        Case(
            "silent",
            "a quiet hour after a busy half-day",
            (story((third, pace), (half, 4 * pace), (end - third - half, pace)),),
            (Fact(settled, "silent"), Fact(late, "silent")),
        ),
        Case("silent", "too few yesterday", quiet, (Fact(late, "silent"),)),
        Case("fires", "enough yesterday", busier, (Fact(late, "firing"),)),
        _step(kit, day, pace, line, (metric, status)),
        Case(
            "born",
            "every instance is replaced by a new one",
            (story((day, pace), (end - day, None)), story((day, None), (end - day, pace), instance="two")),
            (Fact(settled, "silent"), Fact(late, "silent")),
        ),
        Case(
            "gone",
            "every instance vanishes",
            (story((day, pace), (end - day, None)),),
            (Fact(day - 1, "silent"), Fact(late + k, "firing")),
        ),
    )


def _step(kit: Kit, day: int, pace: Decimal, line: Decimal, series: tuple[str, str]) -> Case:
    k, wait = kit.window_steps, kit.for_steps
    metric, status = series
    # After m silent steps of k, k - m remain (k - 1 - m of k - 1 from Prometheus 3 on).
    crossing = next(m for m in range(1, k + 1) if Decimal(k - m) / k < line)
    early = max(0, crossing - 2)
    recovery = day + crossing + wait + k
    sample = counter([(day, exact(pace)), (recovery - day, Decimal(0)), (2 * k + 2, exact(pace))])
    facts = [Fact(day + early, "silent")]
    if wait > 1:
        facts += [Fact(day + crossing, "pending"), Fact(day + crossing + wait - 2, "pending")]
    facts += [Fact(day + crossing + wait + 1, "firing"), Fact(recovery + k + 1, "silent")]
    return Case("for", "stops and comes back", (Sample(metric, {status: "200"}, sample),), tuple(facts))
