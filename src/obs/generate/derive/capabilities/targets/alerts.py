"""The alert on targets that do not answer, or that nobody looks for any more."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.target import UP
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample
from obs.generate.derive.expressions import UNKNOWN, labelled, never
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

#: How long an environment whose targets are all gone is missed: until somebody has surely seen it.
MEMORY = Duration.parse("6h")
DOWN = Defaults("page", Duration.parse("1m"))
#: What stands for the instance when there is none left.
ALL = "all targets"
_SHOWS = {"instance": "one"}


def target_down(kit: Kit) -> Draft:
    """Return TargetDown: an instance does not answer, all of an environment's are gone, or none was ever there.

    A target that was removed has no `up` any more, so `up == 0` alone falls silent with the service.
    """
    names = kit.names
    metric = names.metric(UP.id)
    up = names.selector(metric)
    down = f"min by ({BY}, instance) ({up}) == 0"
    remembered = f"last_over_time({up}[{MEMORY}])"
    gone = f"0 * (group by ({BY}) ({remembered}) unless group by ({BY}) ({up}))"
    return Draft(
        name="TargetDown",
        expr=f"{down} or {labelled(gone, 'instance', ALL)} or {never(kit, up, MEMORY, 'instance', ALL)}",
        signals=(UP.id,),
        threshold=Threshold(Decimal(0), "1", "==", "a target does not answer, or there is none"),
        summary="{{ $labels.service }}: no answer from {{ $labels.instance }}",
        description=(
            "Prometheus cannot scrape {{ $labels.instance }} of {{ $labels.service }} "
            f"({{{{ $labels.environment }}}}); instance {ALL!r} means that no target is left to scrape."
        ),
        cases=_cases(kit, metric),
        window=MEMORY,
        omits={"born": "the scrape itself writes `up`, from the first one on"},
    )


def _cases(kit: Kit, metric: str) -> tuple[Case, ...]:
    wait = kit.for_steps

    def up(*track: tuple[int, int | None], instance: str = "one", **labels: str) -> Sample:
        return Sample(metric, {"instance": instance, **labels}, gauge(track))

    step = [Fact(2, "silent")]
    if wait:
        step += [Fact(3, "pending"), Fact(3 + wait - 1, "pending")]
    step += [Fact(3 + wait, "firing", ((_SHOWS, 0.0),)), Fact(5 + wait, "silent")]
    everything = (({"instance": ALL}, 0.0),)
    nowhere = (
        ({"instance": ALL, **({} if "environment" in kit.names.select else {"environment": UNKNOWN})}, 0.0),
    )
    return (
        Case(
            "fires",
            "one of two is down",
            (up((wait + 2, 0)), up((wait + 2, 1), instance="two")),
            (Fact(wait + 1, "firing", ((_SHOWS, 0.0),)),),
        ),
        Case(
            "silent",
            "all are up",
            (up((wait + 2, 1)), up((wait + 2, 1), instance="two")),
            (Fact(wait + 1, "silent"),),
        ),
        Case("for", "goes down and comes back", (up((2, 1), (wait + 2, 0), (3, 1)),), tuple(step)),
        Case(
            "gone",
            "every target is removed",
            (up((2, 1), (wait + 4, None)),),
            (Fact(2, "silent"), Fact(3 + wait, "firing", everything)),
        ),
        Case(
            "gone",
            "no target was ever there",
            (up((wait + 2, 1), service="somebody-else"),),
            (Fact(wait + 1, "firing", nowhere),),
            alone=True,
        ),
    )
