"""The alert on requests that the log says were slow."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.log_events import DURATION, EVENT, REQUEST
from obs.generate.derive.capabilities.logs.drafts import LogDraft, LogKit
from obs.generate.derive.capabilities.logs.stories import MINUTE, late, steady
from obs.generate.derive.drafts import words
from obs.generate.derive.settings import Defaults
from obs.generate.model import Duration, LogBurst, LogCase, LogFact, Threshold

SLOW = Defaults("ticket", Duration.parse("10m"), Decimal("0.1"), "ratio", Duration.parse("5m"))
#: Seconds from which on a request is slow.
LIMIT = Decimal(1)
#: Fewer slow requests in a window than this are nobody's trouble, however few others there are.
LEAST_SLOW = 10


def slow_requests(kit: LogKit) -> LogDraft:
    """Return LogSlowRequests: a share of the requests took longer than `LIMIT`.

    The floor is on slow requests, never on all. A line whose duration is no number counts as not slow;
    without the condition on Loki's own error label, one such line would fail the whole query.
    """
    window, line, for_ = kit.settings.window, kit.settings.threshold, kit.settings.for_
    request = f'| {EVENT.name}="{REQUEST.name}"'
    slow = kit.counted(f'{request} | {DURATION.name} > {LIMIT} | __error__=""', window)
    every = kit.counted(request, window)
    fields = {EVENT.name: REQUEST.name}
    taking = {**fields, DURATION.name: str(LIMIT * Decimal("1.01"))}
    quick = {**fields, DURATION.name: str(LIMIT * Decimal("0.99"))}
    # So many that one line at the edge of a window does not matter.
    many = 1000

    def share(ratio: Decimal, of: int = many) -> tuple[LogBurst, ...]:
        few = int(of * ratio)
        return steady(kit, taking, few), steady(kit, quick, of - few)

    whole = window + for_ * 2
    return LogDraft(
        name="LogSlowRequests",
        expr=f"{slow} / {every} > {line:f} and {slow} >= {LEAST_SLOW}",
        threshold=Threshold(
            line,
            "ratio",
            ">",
            f"more than {words(line, 'ratio')} of the requests in the log took longer than {LIMIT} s",
        ),
        summary="{{ $labels.service }}: {{ $value | humanizePercentage }} of requests are slow, says the log",
        description=(
            "{{ $value | humanizePercentage }} of the requests of {{ $labels.service }} ({{ $labels.environment }}) took longer "
            f"than {LIMIT} s in {window.words}; the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=(
            LogCase(
                "just above the line",
                "fires",
                share(line * Decimal("1.05")),
                (LogFact(late(kit), "firing"),),
            ),
            LogCase(
                "just below the line",
                "silent",
                share(line * Decimal("0.95")),
                (LogFact(late(kit), "silent"),),
            ),
            LogCase(
                "too few slow ones",
                "silent",
                (steady(kit, taking, LEAST_SLOW - 2),),
                (LogFact(late(kit), "silent"),),
            ),
            LogCase(
                "few requests, all of them slow",
                "fires",
                (steady(kit, taking, LEAST_SLOW + 2),),
                (LogFact(late(kit), "firing"),),
            ),
            LogCase(
                "a duration that is no number",
                "fires",
                (*share(line * Decimal(2)), steady(kit, {**fields, DURATION.name: "long"}, 1)),
                (LogFact(late(kit), "firing"),),
            ),
            *(
                (
                    LogCase(
                        "begins and ends",
                        "for",
                        (kit.burst(Duration(0), whole, 3000, taking),),
                        (
                            LogFact(Duration(for_.milliseconds // 2), "pending"),
                            LogFact(for_ + MINUTE * 2, "firing"),
                            LogFact(whole + window + MINUTE, "silent"),
                        ),
                    ),
                )
                if for_
                else ()
            ),
        ),
        panel="logs-lines",
        shows=f"{request} | {DURATION.name} > {LIMIT}",
        omits={
            "born": "it counts lines, which are there when they arrive: no counter has to be seen before",
            "gone": "without requests none is slow; LogSilence tells when lines end",
            **({} if for_ else {"for": "it does not wait: one evaluation above the line fires"}),
        },
    )
