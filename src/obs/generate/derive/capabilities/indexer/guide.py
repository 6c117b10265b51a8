"""Runbooks of the alerts on indexers."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.conventions.indexer import (
    CHAIN,
    ENDPOINT,
    HEAD_BLOCK,
    LAST_BLOCK,
    REORG_DEPTH,
    RESULT,
    RPC_REQUESTS,
)
from obs.catalogue.target import UP
from obs.generate.derive.guidance.investigation import escalate, read_errors, recent_change, roll_back
from obs.generate.derive.guidance.queries import Match, Queries, look_back, percent, spell
from obs.generate.model import Action, Alert, Runbook, Step

_FAILED: Match = (RESULT.name, "=", "error")
_OTHER_NODE = Action(
    "Take the node out of the configuration, or move it to the end of the list.",
    "the other nodes are asked; watch their limits.",
    "2 minutes.",
)


def lag_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """IndexerLagHigh: what is shown is many blocks old."""
    lag, pace = _lag(ask), _pace(ask)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"{ask.service.name} is more than {alerts[0].threshold.value:f} blocks behind the head of a chain. The label "
            "`chain` of the alert says which."
        ),
        impact="Balances, owners and prices that users see are old; a purchase may fail because it rests on them.",
        diagnosis=(
            Step(
                "See how far behind each chain is, and whether it catches up, in blocks a second.",
                (lag, pace),
                (
                    ("it does not move at all", "follow IndexerStalled."),
                    ("it moves more slowly than the chain", "go on with step 2."),
                    ("it catches up", "it was stopped before: wait, and look at step 3 for the reason."),
                ),
            ),
            Step(
                "See whether nodes answer.",
                (_failing(ask, "5m"),),
                (
                    ("one node fails", "follow RpcEndpointErrors."),
                    ("they answer", "our own side is slow: its database or its CPU; open its dashboard."),
                ),
            ),
            recent_change(ask, 2),
        ),
        mitigation=(
            Action(
                "Raise the number of blocks that are fetched at once, or start one more worker for that chain.",
                "it catches up, as far as nodes and database allow.",
                "5 minutes.",
            ),
            _OTHER_NODE,
            roll_back("10 minutes"),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="it falls behind by an hour of the chain",
        ),
        verification=(
            Step(
                "It is a few blocks behind, and stays there.",
                (lag,),
                (
                    ("so it is", "it is over."),
                    ("it falls behind again", "go on with Diagnosis 2."),
                ),
            ),
        ),
    )


def stalled(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """IndexerStalled: the chain goes on and the indexer does not, or is not there."""
    lag, pace = _lag(ask), _pace(ask)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "Blocks come and none is indexed: the indexer hangs on one block, waits for a node, or is not there. The "
            "label `chain` of the alert says for which chain."
        ),
        impact="Nothing that happens on the chain is seen: payments are not credited, sales are not shown.",
        diagnosis=(
            Step(
                "See whether the process is there, and where it stands.",
                (ask.series(UP), _last(ask), pace),
                (
                    ("it is down, or tells nothing", "follow TargetDown of this service; Mitigation 1."),
                    (
                        "one chain stands, others move",
                        "it hangs on a block of that chain; go on with step 2.",
                    ),
                    ("all chains stand", "its database or its scheduler; go on with step 3."),
                ),
            ),
            read_errors(ask),
            Step(
                "See whether nodes answer.",
                (_failing(ask, "5m"),),
                (
                    ("no node answers", "follow RpcEndpointErrors; Mitigation 2."),
                    ("they answer", "it hangs inside: take a stack dump, then Mitigation 1."),
                ),
                commands=('py-spy dump --pid "$(pgrep -of python)"',),
            ),
        ),
        mitigation=(
            Action(
                "Restart the indexer; it goes on at its last block.",
                "it moves again, unless the block itself is the reason.",
                "2 minutes.",
            ),
            _OTHER_NODE,
            Action(
                "One block breaks it: note its number, skip it with the tool for that, and index it later.",
                "it moves on; one block is missing until it is repaired.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="deposits or payments wait for the chain",
        ),
        verification=(
            Step(
                "It moves, and catches up with the head.",
                (pace, lag),
                (
                    ("both hold", "it is over; index what was skipped."),
                    ("it stands at the same block again", "Mitigation 3."),
                ),
            ),
        ),
    )


def reorg_deep(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """ChainReorgDeep: blocks that were taken for final were replaced."""
    chain = ask.label(REORG_DEPTH, CHAIN.name)
    depth = f"max by ({chain}) (max_over_time({ask.series(REORG_DEPTH)}[{look_back(alerts[0])}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"A chain replaced more than {alerts[0].threshold.value:f} of its newest blocks by others. What had happened "
            "in the old ones may not have happened any more."
        ),
        impact="A payment that was credited may be gone; a sale may belong to somebody else.",
        diagnosis=(
            Step(
                "See which chain, and how deep.",
                (depth, _lag(ask)),
                (
                    (
                        "below the confirmations that we wait for",
                        "nothing was credited from it; go on with step 2.",
                    ),
                    ("above them", "money may be concerned: Mitigation 1 now."),
                    (
                        "64 blocks or more",
                        "the chain itself is in trouble: Mitigation 1, and call the owner.",
                    ),
                ),
            ),
            Step(
                "Compare the node's blocks with those of another operator.",
                outcomes=(
                    (
                        "others have not seen it",
                        "the node was on a fork of its own: take it out, Mitigation 2.",
                    ),
                    ("others have", "it is real: see that the indexer has rewound."),
                ),
                logs=(f'{ask.stream()} |~ "(?i)reorg|rewind|fork"',),
            ),
        ),
        mitigation=(
            Action(
                "Hold withdrawals and deliveries that rest on blocks after the fork.",
                "nothing more is paid out on what may be undone.",
                "2 minutes.",
            ),
            _OTHER_NODE,
            Action(
                "Index again from the last block that both sides share.",
                "what is shown is what the chain says.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team, urgent=True, when="it is deeper than the confirmations that we wait for"
        ),
        verification=(
            Step(
                "No further reorganisation, and the indexer follows the head.",
                (depth, _lag(ask)),
                (
                    ("both hold", "it is over; compare credits of the replaced blocks one by one."),
                    ("it happens again", "keep withdrawals held, and wait for more confirmations."),
                ),
            ),
        ),
    )


def rpc_errors(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """RpcEndpointErrors: a node does not answer, or with errors."""
    window = look_back(alerts[0])
    failing = _failing(ask, window)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {percent(alerts[0].threshold.value)} of the requests to a node fail. The labels `chain` and "
            "`endpoint` of the alert say which."
        ),
        impact="The indexer falls behind, and transactions of users may not be sent.",
        diagnosis=(
            Step(
                "See which nodes fail.",
                (failing,),
                (
                    ("one node", "it, or our plan with its provider; go on with step 2."),
                    ("all nodes of a chain", "the chain or our network; go on with step 2."),
                ),
            ),
            Step(
                "Read what they answer.",
                outcomes=(
                    ("429 or a limit", "our plan is used up: Mitigation 1, then fewer requests."),
                    ("401 or 403", "the key has expired: renew it."),
                    ("time-outs", "the node is down or behind: Mitigation 1."),
                ),
                logs=(f'{ask.stream()} | level =~ "warning|error" |~ "(?i)rpc|node"',),
            ),
            recent_change(ask, 2),
        ),
        mitigation=(
            _OTHER_NODE,
            Action(
                "Ask for fewer blocks at once and keep answers for a few seconds.",
                "requests stay below the limit.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team, urgent=alerts[0].severity == "page", when="no node of a chain answers"
        ),
        verification=(
            Step(
                f"Hardly any request has failed for {spell(window)}.",
                (failing, _lag(ask)),
                (
                    ("so it is, and the indexer is near the head", "it is over."),
                    ("a node still fails", "leave it out, and ask its operator."),
                ),
            ),
        ),
    )


def _last(ask: Queries) -> str:
    return f"max by ({ask.label(LAST_BLOCK, CHAIN.name)}) ({ask.series(LAST_BLOCK)})"


def _lag(ask: Queries) -> str:
    return f"max by ({ask.label(HEAD_BLOCK, CHAIN.name)}) ({ask.series(HEAD_BLOCK)}) - {_last(ask)}"


def _pace(ask: Queries) -> str:
    return f"max by ({ask.label(LAST_BLOCK, CHAIN.name)}) (deriv({ask.series(LAST_BLOCK)}[10m]))"


def _failing(ask: Queries, window: str) -> str:
    by = ask.by(RPC_REQUESTS, CHAIN.name, ENDPOINT.name)
    return (
        f"sum {by} (rate({ask.series(RPC_REQUESTS, _FAILED)}[{window}])) "
        f"/ sum {by} (rate({ask.series(RPC_REQUESTS)}[{window}]))"
    )
