"""Runbooks of the alerts on attacks."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.conventions.security import (
    AUTH_FAILURES,
    PROVIDER,
    RATE_LIMITED,
    REASON,
    TOKEN_REPLAYS,
    WEBHOOK_FORGERIES,
)
from obs.catalogue.http import ROUTE
from obs.generate.derive.guidance.investigation import escalate, recent_change, roll_back
from obs.generate.derive.guidance.queries import Queries, look_back, spell
from obs.generate.model import Action, Alert, Runbook, Step

_BLOCK = Action(
    "Block the source at the proxy or firewall, for an hour at first.",
    "its requests end before they reach the service; others are served as before.",
    "2 minutes.",
)


def auth_failure_spike(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """AuthFailureSpike: somebody guesses passwords, or our own sign-in is broken."""
    reason = ask.label(AUTH_FAILURES, REASON.name)
    failures = f"sum by ({reason}) (rate({ask.series(AUTH_FAILURES)}[10m]))"
    yesterday = f"sum by ({reason}) (rate({ask.series(AUTH_FAILURES)}[1h] offset 1d))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"Many times more attempts to sign in to {ask.service.name} fail than at this hour yesterday: somebody "
            "guesses passwords or tries stolen ones, or our own sign-in is broken."
        ),
        impact="Accounts may be taken over. If it is our own fault, customers cannot sign in.",
        diagnosis=(
            Step(
                "See how the failures end, now and yesterday.",
                (failures, yesterday),
                (
                    ("one reason such as a wrong password stands out", "an attack; go on with step 2."),
                    ("expired or invalid tokens stand out", "keys or clocks of ours; go on with step 3."),
                ),
            ),
            Step(
                "See where they come from, and whether any of these sources succeeded.",
                outcomes=(
                    ("few addresses", "Mitigation 1."),
                    ("many addresses, each account once", "stolen passwords are tried: Mitigation 2."),
                    (
                        "a source succeeded",
                        "that account is taken: lock it, end its sessions, call security now.",
                    ),
                ),
                logs=(f'{ask.stream()} | event =~ ".*(login|auth|session).*" | level =~ "warning|error"',),
            ),
            recent_change(ask, 2),
        ),
        mitigation=(
            _BLOCK,
            Action(
                "Demand a second factor or a puzzle at sign-in until it is over.",
                "tried passwords are worth nothing; customers have one step more.",
                "5 minutes.",
            ),
            roll_back("10 minutes"),
        ),
        escalation=escalate(
            ask.service.team, urgent=alerts[0].severity == "page", when="a source of failures has succeeded"
        ),
        verification=(
            Step(
                "Failures are as many as yesterday.",
                (failures, yesterday),
                (
                    ("they are", "it is over; list the accounts that were tried."),
                    ("they come from elsewhere now", "Mitigation 2."),
                ),
            ),
        ),
    )


def token_replay(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """TokenReplayDetected: a token that had been replaced or revoked was used again."""
    window = look_back(alerts[0])
    replays = f"sum by (instance) (increase({ask.series(TOKEN_REPLAYS)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "Somebody used a token that had been replaced or revoked. A client may have sent it twice; more likely a "
            "copy of it is in the hands of somebody else."
        ),
        impact="Whoever has the copy may act as its owner until every session of that owner is ended.",
        diagnosis=(
            Step(
                "See how many there are, and since when.",
                (replays,),
                (
                    ("one or two", "one owner; go on with step 2."),
                    ("many", "a leak of many tokens, or a client that repeats requests; go on with step 2."),
                ),
            ),
            Step(
                "Find the owner, and compare address and agent of both uses.",
                outcomes=(
                    ("they differ", "it was stolen: Mitigation 1 now."),
                    (
                        "they are the same, seconds apart",
                        "a client that repeats requests: tell its owner; no harm done.",
                    ),
                    ("many owners at once", "a store of tokens has leaked: Mitigation 2, and call security."),
                ),
                logs=(f'{ask.stream()} | event =~ ".*(token|session).*"',),
            ),
        ),
        mitigation=(
            Action(
                "End every session of the owner and have them sign in again.",
                "the copy is worth nothing; the owner signs in once.",
                "1 minute.",
            ),
            Action(
                "Replace the signing key and end all sessions.",
                "every token is worth nothing; everybody signs in once.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team, urgent=True, when="the copy was used to change or buy something"
        ),
        verification=(
            Step(
                f"No token is used again for {spell(window)}.",
                (replays,),
                (
                    ("all values are 0", "it is over; read what the copy was used for, from the audit log."),
                    ("a value grows", "another owner is concerned: go on with Diagnosis 2."),
                ),
            ),
        ),
    )


def rate_limit_hits(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """RateLimitHitsHigh: somebody keeps sending more than is allowed."""
    window, route = look_back(alerts[0]), ask.label(RATE_LIMITED, ROUTE.name)
    hits = f"sum by ({route}) (rate({ask.series(RATE_LIMITED)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning="Somebody keeps sending more requests than is allowed, and they are turned away. The alert names the route.",
        impact="The limit protects the service. A partner with a broken client, or customers behind one address, may be cut off.",
        diagnosis=(
            Step(
                "See which routes are concerned, in requests turned away a second.",
                (f"topk(5, {hits})",),
                (
                    ("sign-in, payment or search", "an attack or a scraper; go on with step 2."),
                    ("an interface of partners", "a client that repeats without a pause; go on with step 2."),
                ),
            ),
            Step(
                "See who sends them.",
                outcomes=(
                    ("one address or key", "a partner: call them. Anybody else: Mitigation 1."),
                    ("very many addresses", "a distributed attack: Mitigation 2."),
                    ("our own service", "its retries have no pause: roll its release back."),
                ),
                logs=(f'{ask.stream()} | status = "429"',),
            ),
            recent_change(ask, 2),
        ),
        mitigation=(
            _BLOCK,
            Action(
                "Switch on the protection of the network's provider.",
                "most of it ends before our own network.",
                "10 minutes.",
            ),
            Action(
                "The limit is too low for honest use: raise it for that key or route.",
                "nobody is cut off; watch CPU and latency after it.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="latency or errors of other routes rise with it",
        ),
        verification=(
            Step(
                f"Hardly anything is turned away for {spell(window)}.",
                (hits,),
                (
                    ("so it is", "it is over; keep the block until tomorrow."),
                    ("it comes from elsewhere", "Mitigation 2."),
                ),
            ),
        ),
    )


def webhook_forgeries(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """WebhookSignatureFailures: webhooks arrive that their provider has not signed."""
    window, provider = look_back(alerts[0]), ask.label(WEBHOOK_FORGERIES, PROVIDER.name)
    wrong = f"sum by ({provider}) (increase({ask.series(WEBHOOK_FORGERIES)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            "Webhooks arrive whose signature is wrong: somebody forges them, or the provider signs with another secret "
            "than ours. They were refused."
        ),
        impact="Forged ones did no harm. If they are real, payments and deliveries are not confirmed until they are sent again.",
        diagnosis=(
            Step(
                "See which provider is concerned.",
                (wrong,),
                (
                    ("one provider", "go on with step 2 on that one."),
                    ("all providers", "our own check is broken, or the clock; look for a release in step 3."),
                ),
            ),
            Step(
                "Compare the addresses with those that the provider publishes, and see whether right ones still arrive.",
                outcomes=(
                    ("unknown addresses", "they are forged: Mitigation 1."),
                    (
                        "the provider's own, and nothing right arrives",
                        "the secret was replaced: Mitigation 2.",
                    ),
                    (
                        "the provider's own, some right",
                        "two secrets are in use while they change over: Mitigation 2 with both.",
                    ),
                ),
                logs=(f'{ask.stream()} | event =~ ".*webhook.*"',),
            ),
            recent_change(ask, 2),
        ),
        mitigation=(
            _BLOCK,
            Action(
                "Write the provider's new secret into its file beside the old one, and restart.",
                "the next webhooks are accepted; ask the provider to send the refused ones again.",
                "5 minutes.",
            ),
            roll_back(spell(window)),
        ),
        escalation=escalate(ask.service.team, urgent=True, when="real webhooks about money are refused"),
        verification=(
            Step(
                f"No signature is wrong for {spell(window)}, and right ones arrive.",
                (wrong,),
                (
                    ("both hold", "it is over; compare the provider's list of events with ours."),
                    ("a value grows", "go on with Diagnosis 2."),
                ),
            ),
        ),
    )
