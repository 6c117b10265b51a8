"""The alert on a process that starts again and again."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.process import START_TIME
from obs.errors import SpecError
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample, words
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

RESTARTING = Defaults("ticket", Duration(0), Decimal(2), "", Duration.parse("15m"))
_SHOWS = {"instance": "one"}


def restarting(kit: Kit) -> Draft:
    """Return ProcessRestarting: an instance dies and is started, again and again.

    An instance that comes back under another name is another one: a deployment is no trouble.
    Raises `SpecError` for a line or a wait that the window cannot hold.
    """
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(START_TIME.id)
    starts = int(line) + 1
    if starts + kit.for_steps > kit.window_steps - 3:
        tuning = kit.service.tunings.get("ProcessRestarting")
        raise SpecError(
            f"alerts.ProcessRestarting: more than {words(line, '')} restarts that last for {kit.settings.for_} "
            f"are hardly seen in {window}",
            str(tuning.place if tuning else kit.service.place),
            "expected a longer window, fewer restarts, or a shorter wait",
        )
    return Draft(
        name="ProcessRestarting",
        expr=f"max by ({BY}, instance) (changes({names.selector(metric)}[{window}])) > {line:f}",
        signals=(START_TIME.id,),
        threshold=Threshold(line, "1", ">", f"more than {words(line, '')} restarts in {window}"),
        summary="{{ $labels.service }}: {{ $labels.instance }} restarted {{ $value | humanize }} times",
        description=(
            "{{ $labels.instance }} of {{ $labels.service }} ({{ $labels.environment }}) was started "
            f"{{{{ $value | humanize }}}} times in the last {window}; the alert watches for more than {words(line, '')}."
        ),
        cases=_cases(kit, metric, starts),
        window=window,
    )


def _cases(kit: Kit, metric: str, starts: int) -> tuple[Case, ...]:
    k, wait = kit.window_steps, kit.for_steps
    begin = k
    seen = begin + starts
    firing = ((_SHOWS, float(starts)),)

    def restarts(count: int, after: int | None = 2 * k, *, instance: str = "one") -> Sample:
        """Write a process that starts anew with each of `count` steps, then runs (None: is gone)."""
        track: list[tuple[int, Decimal | None]] = [(begin, Decimal(1))]
        track += [(1, Decimal(2 + number)) for number in range(count)]
        track += [(2 * k, None)] if after is None else [(after, track[-1][1])]
        return Sample(metric, {"instance": instance}, gauge(track))

    step = [Fact(seen - 1, "silent")]
    if wait:
        step += [Fact(seen, "pending"), Fact(seen + wait - 1, "pending")]
    # The first restart leaves the window a step sooner from Prometheus 3 on.
    step += [
        Fact(seen + wait, "firing", firing),
        Fact(begin + k - 1, "firing", firing),
        Fact(begin + k + 2, "silent"),
    ]
    return (
        Case("fires", "one restart more than the line", (restarts(starts),), (Fact(seen + wait, "firing", firing),)),
        Case(
            "silent",
            "as many restarts as the line",
            (restarts(starts - 1),),
            (Fact(seen, "silent"), Fact(seen + wait + 2, "silent")),
        ),
        Case("for", "restarts, then runs", (restarts(starts),), tuple(step)),
        Case(
            "born",
            "instances are replaced by new ones, one after another",
            tuple(
                Sample(metric, {"instance": f"pod-{number}"}, gauge([(1 + number, None), (3, number), (k, None)]))
                for number in range(starts + 3)
            ),
            (Fact(starts + 2, "silent"), Fact(starts + 5, "silent")),
        ),
        Case(
            "gone",
            "restarts, then is gone",
            (restarts(starts, None),),
            (Fact(seen + k + 2, "silent"),),
        ),
    )  # fmt: skip
