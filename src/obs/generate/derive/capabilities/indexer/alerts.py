"""Alerts on indexers of block chains."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.conventions.indexer import (
    CHAIN,
    ENDPOINT,
    HEAD_BLOCK,
    LAST_BLOCK,
    REORG_DEPTH,
    RESULT,
    RPC_REQUESTS,
)
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample
from obs.generate.derive.forms.share import Outcome, Share, share_draft
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.level import Track, level_cases
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

LAG_HIGH = Defaults("ticket", Duration.parse("10m"), Decimal(50))
STALLED = Defaults("page", Duration.parse("5m"), window=Duration.parse("10m"))
REORG_DEEP = Defaults("page", Duration.parse("1m"), Decimal(6), window=Duration.parse("15m"))
RPC_ERRORS = Defaults("ticket", Duration.parse("5m"), Decimal("0.2"), "ratio", Duration.parse("5m"))

#: Nodes drop a request now and then.
MIN_FAILED = 3
_CHAIN = "mainnet"
_HEIGHT = Decimal(1_000_000)


def lag_high(kit: Kit) -> Draft:
    """Return IndexerLagHigh: what is shown is many blocks old."""
    names, line = kit.names, kit.settings.threshold
    head, last = names.metric(HEAD_BLOCK.id), names.metric(LAST_BLOCK.id)
    label = names.label(HEAD_BLOCK.id, CHAIN.name)
    shows, by = {label: _CHAIN}, f"{BY}, {label}"

    def write(track: Track) -> tuple[Sample, ...]:
        heads = [(steps, None if lag is None else _HEIGHT) for steps, lag in track]
        lasts = [(steps, None if lag is None else _HEIGHT - lag) for steps, lag in track]
        return (Sample(head, shows, gauge(heads)), Sample(last, shows, gauge(lasts)))

    return Draft(
        name="IndexerLagHigh",
        expr=f"max by ({by}) ({names.selector(head)}) - max by ({by}) ({names.selector(last)}) > {line:f}",
        signals=(HEAD_BLOCK.id, LAST_BLOCK.id),
        threshold=Threshold(line, "1", ">", f"the indexer is more than {line:f} blocks behind"),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanize }}}} blocks behind on {{{{ $labels.{label} }}}}",
        description=(
            f"{{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) is {{{{ $value | humanize }}}} blocks behind the "
            f"head of {{{{ $labels.{label} }}}}; the alert watches for more than {line:f}."
        ),
        cases=level_cases(kit, write, above=line + 1, below=line, low=Decimal(1), shows=shows),
        window=Duration(0),
    )


def stalled(kit: Kit) -> Draft:
    """Return IndexerStalled: the chain goes on and the indexer does not, or is not there.

    One that was not there a window ago has begun since, which is progress.
    """
    names, window = kit.names, kit.settings.window
    head, last = names.metric(HEAD_BLOCK.id), names.metric(LAST_BLOCK.id)
    label = names.label(HEAD_BLOCK.id, CHAIN.name)
    by = f"{BY}, {label}"
    heads, lasts = names.selector(head), names.selector(last)
    moved = f"max by ({by}) ({heads}) - max by ({by}) ({heads} offset {window}) > 0"
    progress = f"max by ({by}) ({lasts}) - max by ({by}) ({lasts} offset {window}) > 0"
    begun = f"max by ({by}) ({lasts}) unless max by ({by}) ({lasts} offset {window})"
    return Draft(
        name="IndexerStalled",
        expr=f"({moved}) unless (({progress}) or ({begun}))",
        signals=(HEAD_BLOCK.id, LAST_BLOCK.id),
        threshold=Threshold(
            Decimal(0), "1", ">", f"no block was indexed in {window} while the chain went on"
        ),
        summary=(
            f"{{{{ $labels.service }}}}: nothing indexed on {{{{ $labels.{label} }}}} while "
            "{{ $value | humanize }} blocks came"
        ),
        description=(
            f"In the last {window} {{{{ $value | humanize }}}} blocks came on {{{{ $labels.{label} }}}}, and "
            "{{ $labels.service }} ({{ $labels.environment }}) indexed none of them."
        ),
        cases=_stalled_cases(kit, head, last, {label: _CHAIN}),
        window=window,
    )


def _stalled_cases(kit: Kit, head: str, last: str, labels: dict[str, str]) -> tuple[Case, ...]:
    # An offset between two samples takes the earlier one.
    k, wait = kit.steps(kit.settings.window), kit.for_steps
    end = 4 * k + wait + 4
    came = ((labels, float(k)),)
    # One block a step.
    chain = Sample(head, labels, f"{_HEIGHT}+1x{end}")

    def indexed(values: str) -> tuple[Sample, ...]:
        return (chain, Sample(last, labels, values))

    follows, until = f"{_HEIGHT}+1x{2 * k}", _HEIGHT + 2 * k
    resumed = 3 * k + wait + 2
    facts = [Fact(3 * k - 1, "silent")]
    if wait:
        facts += [Fact(3 * k, "pending"), Fact(3 * k + wait - 1, "pending")]
    facts += [Fact(3 * k + wait, "firing", came), Fact(resumed + 1, "silent")]
    stands = f"{until}x{resumed - 2 * k - 1}"
    return (
        Case("fires", "never moves", indexed(f"{_HEIGHT}x{end}"), (Fact(k + wait + 1, "firing", came),)),
        Case("silent", "is slow, and moves", indexed(f"{_HEIGHT}+0.5x{end}"), (Fact(end, "silent"),)),
        Case(
            "for",
            "stands still for a while",
            indexed(f"{follows} {stands} {until + 1}+1x{k + 2}"),
            tuple(facts),
        ),
        Case(
            "born",
            "a new indexer has a window to begin",
            indexed(f"_x{k + 1} {_HEIGHT}x{end - k - 1}"),
            (Fact(2 * k, "silent"), Fact(2 * k + 1 + wait, "firing", came)),
        ),
        Case(
            "gone",
            "the indexer vanishes",
            indexed(f"{follows} stale _x{wait + 3}"),
            (Fact(2 * k, "silent"), Fact(2 * k + 1 + wait, "firing", came)),
        ),
    )


def reorg_deep(kit: Kit) -> Draft:
    """Return ChainReorgDeep: blocks that were taken for final were replaced."""
    names, line, window = kit.names, kit.settings.threshold, kit.settings.window
    metric, label = names.metric(REORG_DEPTH.id), names.label(REORG_DEPTH.id, CHAIN.name)
    return Draft(
        name="ChainReorgDeep",
        expr=f"max by ({BY}, {label}) (max_over_time({names.selector(metric)}[{window}])) > {line:f}",
        signals=(REORG_DEPTH.id,),
        threshold=Threshold(line, "1", ">", f"a reorganisation replaced more than {line:f} blocks"),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanize }}}} blocks of {{{{ $labels.{label} }}}} were replaced",
        description=(
            f"In the last {window} a reorganisation of {{{{ $labels.{label} }}}} replaced {{{{ $value | humanize }}}} "
            f"blocks that {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) had indexed; "
            f"the alert watches for more than {line:f}."
        ),
        cases=_reorg_cases(kit, metric, {label: _CHAIN}, line),
        window=window,
    )


def _reorg_cases(kit: Kit, metric: str, labels: dict[str, str], line: Decimal) -> tuple[Case, ...]:
    k, wait = kit.window_steps, kit.for_steps
    deep, none = line + 1, Decimal(0)
    firing = ((labels, float(deep)),)

    def depth(*track: tuple[int, Decimal | None]) -> tuple[Sample, ...]:
        return (Sample(metric, labels, gauge(track)),)

    seen = k + 1  # the one step at which it is deep
    facts = [Fact(k, "silent")]
    if wait:
        facts += [Fact(seen, "pending"), Fact(seen + wait - 1, "pending")]
    facts += [
        Fact(seen + wait, "firing", firing),
        Fact(seen + k - 1, "firing", firing),
        Fact(seen + k + 1, "silent"),
    ]
    return (
        Case("fires", "just above the line", depth((wait + 2, deep)), (Fact(wait + 1, "firing", firing),)),
        Case("silent", "just at the line", depth((wait + 2, line)), (Fact(wait + 1, "silent"),)),
        Case("for", "is deep once", depth((k, none), (1, deep), (k + 2, none)), tuple(facts)),
        Case(
            "born",
            "the first that is told of it is deep",
            depth((2, None), (wait + 3, deep)),
            (Fact(2, "silent"), Fact(3 + wait, "firing", firing)),
        ),
        Case(
            "gone",
            "the indexer vanishes after it",
            depth((wait + 2, deep), (k + 3, None)),
            (Fact(wait + k, "firing", firing), Fact(wait + k + 4, "silent")),
        ),
    )


def rpc_errors(kit: Kit) -> Draft:
    """Return RpcEndpointErrors: a node does not answer, or with errors."""
    share = Share(
        RPC_REQUESTS,
        outcome=Outcome(RESULT.name, "error", "error", "success"),
        apart={CHAIN.name: _CHAIN, ENDPOINT.name: "node-1"},
    )
    return share_draft(
        kit, "RpcEndpointErrors", share, what="requests to a node", fail="fail", floor=MIN_FAILED
    )
