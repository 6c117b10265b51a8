"""Alerts on what a process uses of what it may use."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from obs.catalogue.process import CPU_LIMIT, CPU_MODE, CPU_TIME, MAX_FDS, MEMORY_LIMIT, MEMORY_USAGE, OPEN_FDS
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample, words
from obs.generate.derive.expressions import total
from obs.generate.derive.samples import counter, exact, gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories import level
from obs.generate.derive.stories.level import level_cases, near
from obs.generate.derive.stories.share import crossing_of
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

FDS_NEAR_LIMIT = Defaults("ticket", Duration.parse("10m"), Decimal("0.8"), "ratio")
CPU_HIGH = Defaults("ticket", Duration.parse("15m"), Decimal("0.8"), "ratio", Duration.parse("5m"))
MEMORY_HIGH = Defaults("page", Duration.parse("10m"), Decimal("0.9"), "ratio")

#: What the process of the stories may use: so much that a small share of it is no rounding error.
_CPUS = Decimal(2**20)
_BYTES = Decimal(1_000_000_000)
_SHOWS: Mapping[str, str] = {"instance": "one"}


def cpu_high(kit: Kit) -> Draft:
    """Return ProcessCpuHigh: the process uses most of the CPU time it may use."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    time, limit = names.metric(CPU_TIME.id), names.metric(CPU_LIMIT.id)
    mode = names.label(CPU_TIME.id, CPU_MODE.name)
    used = total(f"rate({names.selector(time)}[{window}])", "instance")
    may = f"max by ({BY}, instance) ({names.selector(limit)} > 0)"

    def write(*track: tuple[int, Decimal | None]) -> tuple[Sample, ...]:
        """Write a process that uses so much of its limit in each step, three quarters of it as user time."""
        second = _CPUS * kit.step.milliseconds / 1000
        shares = (("user", Decimal("0.75")), ("system", Decimal("0.25")))
        return (
            *(
                Sample(
                    time,
                    {mode: name},
                    counter(
                        [(steps, None if use is None else exact(use * second * part)) for steps, use in track]
                    ),
                )
                for name, part in shares
            ),
            Sample(limit, {}, gauge([(steps, None if use is None else _CPUS) for steps, use in track])),
        )

    return Draft(
        name="ProcessCpuHigh",
        expr=f"{used} / {may} > {line:f}",
        signals=(CPU_TIME.id, CPU_LIMIT.id),
        threshold=Threshold(
            line, "ratio", ">", f"more than {words(line, 'ratio')} of the CPU time it may use"
        ),
        summary="{{ $labels.service }}: {{ $labels.instance }} uses {{ $value | humanizePercentage }} of its CPU",
        description=(
            "{{ $labels.instance }} of {{ $labels.service }} ({{ $labels.environment }}) used "
            f"{{{{ $value | humanizePercentage }}}} of the CPU time it may use in the last {window}; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=_cpu_cases(kit, write, line),
        window=window,
    )


def _cpu_cases(kit: Kit, write: object, line: Decimal) -> tuple[Case, ...]:
    assert callable(write)  # noqa: S101
    k, wait = kit.window_steps, kit.for_steps
    # Where the window ends within a step, all of it burns only after that step.
    full = kit.steps(kit.settings.window)
    end = full + wait
    above = min(line * Decimal("1.02"), (line + 1) / 2)
    crossing, share = crossing_of(k, line)
    crossing = full if crossing == k else crossing
    start = k + 1
    recovery = start + crossing + wait + k
    facts = [Fact(start + crossing - 1, "silent")]
    if wait:
        facts += [Fact(start + crossing, "pending"), Fact(start + crossing + wait - 1, "pending")]
    burning = ((_SHOWS, float(share)),)
    facts += [Fact(start + crossing + wait, "firing", burning), Fact(recovery + k + 1, "silent")]
    return (
        Case("fires", "just above the line", write((end + 2, above)), (_fires(end + 1, above),)),
        Case(
            "silent",
            "just below the line",
            write((end + 2, line * Decimal("0.98"))),
            (Fact(k, "silent"), Fact(end + 1, "silent")),
        ),
        Case(
            "for",
            "burns for a while",
            write((start, Decimal(0)), (recovery - start, share), (2 * k, Decimal(0))),
            tuple(facts),
        ),
        Case(
            "born",
            "a new process burns at once",
            write((k, None), (end + 2, above)),
            (_fires(k + end, above),),
        ),
        Case(
            "gone",
            "the process ends while it burns",
            write((end, above), (k + 3, None)),
            (_fires(end, above), Fact(end + k + 1, "silent")),
        ),
    )


def memory_high(kit: Kit) -> Draft:
    """Return ProcessMemoryHigh: little is left before the kernel ends the process."""
    names, line = kit.names, kit.settings.threshold
    usage, limit = names.metric(MEMORY_USAGE.id), names.metric(MEMORY_LIMIT.id)
    used = total(names.selector(usage), "instance")
    may = f"max by ({BY}, instance) ({names.selector(limit)} > 0)"
    above, below, low = near(line, most=Decimal(1))
    return Draft(
        name="ProcessMemoryHigh",
        expr=f"{used} / {may} > {line:f}",
        signals=(MEMORY_USAGE.id, MEMORY_LIMIT.id),
        threshold=Threshold(line, "ratio", ">", f"more than {words(line, 'ratio')} of the memory it may use"),
        summary=(
            "{{ $labels.service }}: {{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory"
        ),
        description=(
            "{{ $labels.instance }} of {{ $labels.service }} ({{ $labels.environment }}) uses "
            "{{ $value | humanizePercentage }} of the memory it may use; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=level_cases(
            kit, _share_of(usage, limit, _BYTES), above=above, below=below, low=low, shows=_SHOWS
        ),
        window=Duration(0),
    )


def descriptors_near_limit(kit: Kit) -> Draft:
    """Return FileDescriptorsNearLimit: soon the process can open neither file nor connection."""
    names, line = kit.names, kit.settings.threshold
    used, limit = names.metric(OPEN_FDS.id), names.metric(MAX_FDS.id)
    above, below, low = near(line, most=Decimal(1))
    by = f"{BY}, instance"
    return Draft(
        name="FileDescriptorsNearLimit",
        expr=f"max by ({by}) ({names.selector(used)}) / max by ({by}) ({names.selector(limit)} > 0) > {line:f}",
        signals=(OPEN_FDS.id, MAX_FDS.id),
        threshold=Threshold(
            line, "ratio", ">", f"more than {words(line, 'ratio')} of the descriptors it may open"
        ),
        summary=(
            "{{ $labels.service }}: {{ $labels.instance }} has {{ $value | humanizePercentage }} of its descriptors open"
        ),
        description=(
            "{{ $labels.instance }} of {{ $labels.service }} ({{ $labels.environment }}) has "
            "{{ $value | humanizePercentage }} of the files and connections open that it may open; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=level_cases(
            kit, _share_of(used, limit, _BYTES), above=above, below=below, low=low, shows=_SHOWS
        ),
        window=Duration(0),
    )


def _share_of(used: str, limit: str, whole: Decimal) -> level.Writer:
    """Return the writer of a gauge that is a share of another, which stays at `whole`."""

    def write(track: level.Track) -> tuple[Sample, ...]:
        share = [(steps, None if value is None else value * whole) for steps, value in track]
        return (
            Sample(used, {}, gauge(share)),
            Sample(limit, {}, gauge([(steps, None if value is None else whole) for steps, value in track])),
        )

    return write


def _fires(at: int, share: Decimal) -> Fact:
    return Fact(at, "firing", ((_SHOWS, float(share)),))
