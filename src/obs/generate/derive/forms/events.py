"""The form "at least so many events in a window", for what must not happen, or not often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from obs.catalogue import Counter
from obs.errors import SpecError
from obs.generate.derive.drafts import Draft, Kit
from obs.generate.derive.expressions import events, total
from obs.generate.derive.stories.count import Writer, brief_cases, count_cases, single
from obs.generate.derive.vocabulary import escape, matcher
from obs.generate.model import Threshold


@dataclass(frozen=True, slots=True)
class Event:
    """What is counted: a counter, narrowed by `where`, told apart by the labels of `apart`.

    Both map dotted labels to values; those of `apart` are what the stories show. `data_type`, where
    there is one, names which of several counters this is.
    """

    signal: Counter
    where: Mapping[str, str] = field(default_factory=dict)
    apart: Mapping[str, str] = field(default_factory=dict)
    data_type: str = ""


def event_draft(
    kit: Kit, name: str, counted: Sequence[Event], *, what: str, least: Decimal | None = None
) -> Draft:
    """Return the draft of an alert on at least so many events in the window of `kit`.

    `what` names the events ("lines refused"). Of several counters each is watched on its own and
    shows its `data_type`; the whole story is told of the first, a brief one of the others.
    """
    least = kit.settings.threshold if least is None else least
    _check_wait(kit, name)
    window, first = kit.settings.window, counted[0]
    shown = [kit.names.label(first.signal.id, label) for label in first.apart]
    shown += ["data_type"] if first.data_type else []
    which = "".join(f" {{{{ $labels.{label} }}}}" for label in shown)
    return Draft(
        name=name,
        expr=" or ".join(_condition(kit, event, least) for event in counted),
        signals=tuple(event.signal.id for event in counted),
        threshold=Threshold(
            least, "1", ">=", f"{'any' if least == 1 else f'at least {least:f}'} {what} in {window}"
        ),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanize }}}} {what}{',' if which else ''}{which}",
        description=(
            f"In the last {window} {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) counted "
            f"{{{{ $value | humanize }}}} {what}{f' ({which.strip()})' if which else ''}; "
            f"the alert watches for at least {least:f}."
        ),
        cases=(
            *count_cases(kit, _writer(kit, first), line=least, enough=least, shows=_shows(kit, first)),
            *(
                case
                for event in counted[1:]
                for case in brief_cases(
                    kit, _writer(kit, event), least=least, shows=_shows(kit, event), of=event.data_type
                )
            ),
        ),
        window=window,
    )


def _check_wait(kit: Kit, name: str) -> None:
    """Raise `SpecError` when a burst would be forgotten before it is told."""
    if kit.for_steps + 2 > kit.window_steps:
        tuning = kit.service.tunings.get(name)
        place = tuning.places.get("for", tuning.place) if tuning else kit.service.place
        raise SpecError(
            f"alerts.{name}.for: after {kit.settings.for_} the events of a window of {kit.settings.window} are forgotten",
            str(place),
            "expected less than half of the window",
        )


def _condition(kit: Kit, event: Event, least: Decimal) -> str:
    names, id_ = kit.names, event.signal.id
    chosen = (matcher(names.label(id_, label), value) for label, value in event.where.items())
    selector = names.selector(names.metric(id_), *chosen)
    apart = [names.label(id_, label) for label in event.apart]
    condition = f"{total(events(kit, selector), *apart)} >= {least:f}"
    if not event.data_type:
        return condition
    return f'label_replace({condition}, "data_type", "{escape(event.data_type)}", "", "")'


def _writer(kit: Kit, event: Event) -> Writer:
    names, id_ = kit.names, event.signal.id
    labels = {names.label(id_, label): value for label, value in {**event.where, **event.apart}.items()}
    return single(names.metric(id_), labels)


def _shows(kit: Kit, event: Event) -> dict[str, str]:
    shows = {kit.names.label(event.signal.id, label): value for label, value in event.apart.items()}
    return {**shows, **({"data_type": event.data_type} if event.data_type else {})}
