"""The form "more than this share of the events are bad", with a floor on bad events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from obs.catalogue import Counter
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.expressions import events, share_of_bad, total
from obs.generate.derive.samples import Phase, bad, counter, every, good
from obs.generate.derive.stories.share import OMITS, Writer, share_cases, share_value
from obs.generate.derive.vocabulary import matcher
from obs.generate.model import Threshold


@dataclass(frozen=True, slots=True)
class Outcome:
    """A label of the counter of all events that says how one ended.

    `failure` is the value, or class of values (``5xx``), of bad events; the other two are what the
    stories show.
    """

    label: str
    failure: str
    bad: str
    good: str


@dataclass(frozen=True, slots=True)
class Share:
    """Bad events among all: told apart by an `outcome`, or counted by a counter of their own.

    `apart` maps dotted labels to what the stories show; each value of them is judged on its own.
    """

    every: Counter
    outcome: Outcome | None = None
    bad: Counter | None = None
    apart: Mapping[str, str] = field(default_factory=dict)


def share_draft(kit: Kit, name: str, share: Share, *, what: str, fail: str, floor: int) -> Draft:
    """Return the draft of an alert on the share of bad events in the window of `kit`.

    `what` names the events ("notifications"), `fail` says what bad ones do ("fail"); `floor` is the
    fewest bad events.
    """
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(share.every.id)
    bad_metric = names.metric(share.bad.id) if share.bad else metric
    chosen = (
        [matcher(names.label(share.every.id, share.outcome.label), share.outcome.failure)]
        if share.outcome
        else []
    )
    apart = [names.label(share.every.id, label) for label in share.apart]
    which = "".join(f" {{{{ $labels.{label} }}}}" for label in apart)
    return Draft(
        name=name,
        expr=share_of_bad(
            total(events(kit, names.selector(bad_metric, *chosen)), *apart),
            total(events(kit, names.selector(metric)), *apart),
            floor,
            f"{line:f}",
        ),
        signals=tuple(signal.id for signal in (share.bad, share.every) if signal),
        threshold=Threshold(
            line, "ratio", ">", f"more than {words(line, 'ratio')} of the {what} of {window} {fail}"
        ),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanizePercentage }}}} of {what} {fail}{',' if which else ''}{which}",
        description=(
            f"{{{{ $value | humanizePercentage }}}} of the {what} of {{{{ $labels.service }}}} "
            f"({{{{ $labels.environment }}}}) in the last {window} {fail}{f' ({which.strip()})' if which else ''}; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=share_cases(
            kit,
            _writer(kit, share),
            share_value,
            line=line,
            floor=floor,
            shows=dict(zip(apart, share.apart.values(), strict=True)),
        ),
        window=window,
        omits=OMITS,
    )


def _writer(kit: Kit, share: Share) -> Writer:
    names, id_ = kit.names, share.every.id
    metric = names.metric(id_)
    apart = {names.label(id_, label): value for label, value in share.apart.items()}

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        labels = {"instance": instance, **apart}
        if share.bad is not None:
            return (
                Sample(names.metric(share.bad.id), labels, counter(bad(story))),
                Sample(metric, labels, counter(every(story))),
            )
        if share.outcome is None:
            raise ValueError("neither an outcome nor a counter of bad events")
        outcome = names.label(id_, share.outcome.label)
        return (
            Sample(metric, {**labels, outcome: share.outcome.good}, counter(good(story))),
            Sample(metric, {**labels, outcome: share.outcome.bad}, counter(bad(story))),
        )

    return write
