"""Stories of good and bad events, written as the series that each kind of SLI reads, or as what is recorded of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from obs.catalogue.target import UP
from obs.generate.derive.drafts import Kit, Sample
from obs.generate.derive.samples import Phase, bad, counter, every, gauge, good
from obs.generate.derive.slo import histograms
from obs.generate.derive.slo.events import group_labels
from obs.generate.derive.slo.series import (
    ALL_MINUTE,
    ALL_SPAN,
    BAD_MINUTE,
    BAD_SPAN,
    KEPT,
    error_ratio,
    identity,
)
from obs.generate.model import CustomSli, Duration, FreshnessSli, LabelValues, LatencySli, RatioSli, Slo

#: Value of the labels that tell budgets apart.
GROUP = "story"
_CLASS = re.compile(r"[1-9]xx\Z")
_SERIES = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\}\s*)?\Z", re.DOTALL)
_LABEL = re.compile(r'\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|\Z)')
_FINE = ("200", "204", "302", "404", "500")


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the stories of one SLO are set; `labels` go upon every series of its events."""

    kit: Kit
    slo: Slo
    labels: Mapping[str, str]
    #: Labels that win over all others, and let nothing count.
    forced: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, kit: Kit, slo: Slo) -> Scene:
        """Return the scene in which everything counts."""
        return cls(kit, slo, groups(kit, slo))

    def excluded(self) -> tuple[Scene, ...]:
        """Return the scenes in which nothing counts, one for each value that is excluded."""
        found = []
        for signal in _signals(self.slo):
            for one in self.slo.exclusions:
                label = self.kit.names.label(signal, one.label)
                found += [replace(self, forced={label: _example(value, ())}) for value in one.values]
        return tuple(found)

    def up(self, steps: int, instance: str = "one", *, after: int = 0, value: int = 1) -> Sample:
        """Return a target that answers (or, with `value` 0, does not), from step `after` on."""
        track: list[tuple[int, int | None]] = (
            [(steps, value)] if not after else [(after, None), (steps, value)]
        )
        return Sample(self.kit.names.metric(UP.id), {"instance": instance}, gauge(track))

    def events(self, story: Sequence[Phase], instance: str = "one") -> tuple[Sample, ...]:
        """Write a story as the series that the SLI reads, of one instance; freshness has no such series."""
        own = {**self.labels, "instance": instance, **self.forced}
        sli, names = self.slo.sli, self.kit.names
        if isinstance(sli, LatencySli):
            if sli.buckets == "native":
                metric = names.metric(sli.signal)
                return (Sample(metric, own, histograms.native(story, sli.under)),)
            bound = str(float(sli.under.seconds))
            return (
                Sample(names.bucket(sli.signal), {**own, "le": bound}, counter(good(story))),
                Sample(names.count(sli.signal), own, counter(every(story))),
            )
        if isinstance(sli, RatioSli):
            metric, exclusions = names.metric(sli.total), self.slo.exclusions
            labels = [(names.label(sli.total, one.label), one, _without(exclusions, one)) for one in sli.bad]
            fine = {label: _other(one, without) for label, one, without in labels}
            # Bad in every way that there is, so that none of them may be overlooked.
            kinds = [(label, _left(one, without), without) for label, one, without in labels]
            ways = max(len(values) for _, values, _ in kinds)
            each = [replace(phase, bad=phase.bad and phase.bad / ways) for phase in story]
            failed = [
                {
                    label: _example(one.values[way % len(one.values)], without)
                    for label, one, without in labels
                }
                for way in range(ways)
            ]
            wrong = [Sample(metric, {**own, **way, **self.forced}, counter(bad(each))) for way in failed]
            # What does not count may be told by the same label as what is bad, so that all would be one.
            if self.forced:
                return tuple(wrong[:1])
            return (Sample(metric, {**own, **fine}, counter(good(story))), *wrong)
        assert isinstance(sli, CustomSli)  # noqa: S101 - freshness tells stories of its own
        found = [(text, good(story)) for text in sli.good_series]
        found += [(text, bad(story)) for text in sli.bad_series]
        return tuple(_written(text, own, counter(track)) for text, track in found)

    def age(self, track: Sequence[tuple[int, Decimal | int | None]]) -> tuple[Sample, ...]:
        """Write the timestamps that a freshness SLI reads."""
        sli, names = self.slo.sli, self.kit.names
        assert isinstance(sli, FreshnessSli)  # noqa: S101 - see `events`
        where = {names.label(sli.signal, one.label): _example(one.values[0], ()) for one in sli.where}
        return (Sample(names.metric(sli.signal), {**self.labels, **where}, gauge(track)),)

    def minutes(self, story: Sequence[Phase], group: str = GROUP) -> tuple[Sample, ...]:
        """Write a story as what is recorded of it: so many events, and bad ones, in each sample's minute."""
        return self._sums((ALL_MINUTE, BAD_MINUTE), story, group)

    def spans(self, story: Sequence[Phase]) -> tuple[Sample, ...]:
        """Write a story as what is recorded of it in larger sums."""
        return self._sums((ALL_SPAN, BAD_SPAN), story, GROUP)

    def ratio(self, story: Sequence[Phase], window: Duration) -> Sample:
        """Write what another file's rule records of a story: the ratio of bad events over `window`."""
        steps = [phase for phase in story for _ in range(phase.steps)]
        steps.insert(0, story[0])  # a story begins with a sample of its own
        width = window.milliseconds // self.kit.step.milliseconds
        track: list[tuple[int, Decimal | int | None]] = []
        for end in range(1, len(steps) + 1):
            seen = steps[max(0, end - width) : end]
            wrong = sum((phase.bad or Decimal(0) for phase in seen), Decimal(0))
            right = sum((phase.good or Decimal(0) for phase in seen), Decimal(0))
            value = (wrong / (wrong + right)).quantize(Decimal("1e-9")) if wrong + right else None
            if track and track[-1][1] == value:
                track[-1] = (track[-1][0] + 1, value)
            else:
                track.append((0 if end == 1 else 1, value))
        labels = {**self._recorded(GROUP), "sloth_window": str(window)}
        return Sample(error_ratio(window), labels, gauge(track))

    def _sums(self, metrics: tuple[str, str], story: Sequence[Phase], group: str) -> tuple[Sample, ...]:
        labels = self._recorded(group)
        return tuple(
            Sample(metric, labels, gauge(track))
            for metric, track in zip(metrics, (every(story), bad(story)), strict=True)
        )

    def _recorded(self, group: str) -> dict[str, str]:
        # A sum over instances has none of their labels.
        blank = {name: "" for name in (*self.kit.names.select, "instance") if name not in KEPT}
        return {**blank, **identity(self.kit.service, self.slo), **groups(self.kit, self.slo, group)}


def groups(kit: Kit, slo: Slo, value: str = GROUP) -> dict[str, str]:
    """Return the labels of one budget of a grouped SLO."""
    return dict.fromkeys(group_labels(slo, kit.names), value)


def _signals(slo: Slo) -> tuple[str, ...]:
    sli = slo.sli
    return () if isinstance(sli, CustomSli) else (sli.total if isinstance(sli, RatioSli) else sli.signal,)


def _without(exclusions: Iterable[LabelValues], label: LabelValues) -> tuple[str, ...]:
    return next((one.values for one in exclusions if one.label == label.label), ())


def _left(bad_values: LabelValues, without: Sequence[str]) -> list[str]:
    return [value for value in bad_values.values if value not in without]


def _example(value: str, without: Sequence[str]) -> str:
    """Return a value that `value` stands for: a class has a hundred, some of which may be excluded."""
    if not _CLASS.match(value):
        return value
    return next(text for text in (f"{value[0]}{number:02}" for number in range(100)) if text not in without)


def _other(bad_values: LabelValues, without: Sequence[str]) -> str:
    """Return a value that is neither bad nor excluded."""
    taken = (*bad_values.values, *without)
    if not any(value.isdigit() or _CLASS.match(value) for value in taken):
        return f"not-{bad_values.values[0]}"
    return next(fine for fine in _FINE if fine not in taken and f"{fine[0]}xx" not in taken)


def _written(text: str, own: Mapping[str, str], values: str) -> Sample:
    match = _SERIES.match(text)
    if match is None:
        raise ValueError(text)
    labels = dict(_LABEL.findall(match[2] or ""))
    return Sample(match[1], {**own, **labels}, values)
