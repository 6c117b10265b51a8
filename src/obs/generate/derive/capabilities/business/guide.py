"""Runbooks of the alerts on orders and payments."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.conventions.business import OLDEST_PENDING, ORDERS_CREATED, PAYMENTS, PROVIDER, RESULT
from obs.catalogue.target import UP
from obs.generate.derive.guidance.investigation import escalate, read_errors, recent_change, roll_back
from obs.generate.derive.guidance.queries import Match, Queries, look_back, percent, spell
from obs.generate.derive.guidance.references import ROLL_BACK
from obs.generate.model import Action, Alert, Runbook, Step

_FAILED: Match = (RESULT.name, "=", "failure")


def orders_dropped(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """OrdersDropped: orders are missing that used to come at this hour of this weekday."""
    now = f"sum (rate({ask.series(ORDERS_CREATED)}[1h]))"
    past = f"sum (rate({ask.series(ORDERS_CREATED)}[1h] offset 1w))"
    line = percent(alerts[0].threshold.value)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"{ask.service.name} takes fewer than {line} of the orders of the same hour last week. Something on the "
            "customers' way is broken, even if nothing reports an error; or there is a reason outside, such as a holiday."
        ),
        impact="Orders that are not taken are revenue that does not come back.",
        diagnosis=(
            Step(
                "Compare orders with last week, and see whether the service is there.",
                (f"{now} / {past}", ask.series(UP)),
                (
                    ("it fell at once", "something broke at that minute; go on with step 2."),
                    (
                        "it falls slowly",
                        "fewer customers come: look at traffic in front of the shop; go on with step 3.",
                    ),
                    ("targets are down", "follow TargetDown of this service."),
                ),
            ),
            recent_change(ask, 3),
            Step(
                "Buy something yourself, on a phone and on a computer, with each way to pay.",
                outcomes=(
                    ("one way to pay fails", "follow PaymentFailureRatioHigh."),
                    ("a page hangs or is empty", "open the dashboard of the service behind that page."),
                    (
                        "all of it works",
                        "ask marketing and look at a calendar: a holiday, a campaign that ended.",
                    ),
                ),
            ),
            read_errors(ask),
        ),
        mitigation=(
            roll_back("an hour"),
            Action(
                "Switch the broken way to pay or the broken feature off.",
                "customers take another way.",
                "5 minutes.",
            ),
            Action(
                "It is a holiday: silence this alert until its end, with that reason.",
                "nobody is called again.",
                "1 minute.",
            ),
        ),
        escalation=escalate(ask.service.team, urgent=True, when="you could not buy anything yourself"),
        verification=(
            Step(
                "Orders are near last week's again.",
                (f"{now} / {past}",),
                (
                    ("they are", "it is over; tell support how long it lasted."),
                    ("they stay low", "go on with Diagnosis 3."),
                ),
            ),
        ),
    )


def payment_failures(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """PaymentFailureRatioHigh: too many payments by one provider fail."""
    window, provider = look_back(alerts[0]), ask.label(PAYMENTS, PROVIDER.name)
    failed = f"sum by ({provider}) (rate({ask.series(PAYMENTS, _FAILED)}[{window}]))"
    every = f"sum by ({provider}) (rate({ask.series(PAYMENTS)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {percent(alerts[0].threshold.value)} of the payments by one provider fail. The label `provider` "
            "of the alert says which."
        ),
        impact="Customers cannot pay that way; some try twice, some leave.",
        diagnosis=(
            Step(
                "See which providers fail, and how much.",
                (f"{failed} / {every}", every),
                (
                    ("one provider", "it, or our way to it; go on with step 2."),
                    ("all providers", "our own side; go on with step 3."),
                ),
            ),
            Step(
                "Read what the provider answers, and its status page.",
                outcomes=(
                    (
                        "declined by the bank",
                        "customers' cards: an attack with stolen cards, see RateLimitHitsHigh.",
                    ),
                    ("time-outs or 5xx", "the provider is down: Mitigation 1."),
                    ("401, 403 or a signature", "our credentials: Mitigation 3."),
                ),
                logs=(f'{ask.stream()} | level =~ "warning|error" | event =~ ".*(payment|charge).*"',),
            ),
            recent_change(ask, 2),
        ),
        mitigation=(
            Action(
                "Route payments to another provider, or take this one out of the choice.",
                "customers pay another way.",
                "5 minutes.",
            ),
            roll_back(spell(window)),
            Action(
                "Write the new credentials into their file and restart.",
                "payments are accepted again.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team, urgent=True, when="customers were charged without an order, or twice"
        ),
        verification=(
            Step(
                f"Hardly any payment has failed for {spell(window)}, and payments do come.",
                (f"{failed} / {every}", every),
                (
                    ("both hold", "it is over; compare the provider's list with ours for the time."),
                    ("there are no payments", "the provider is still switched off: put it back."),
                ),
            ),
        ),
    )


def pending_too_long(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """PaymentsPendingTooLong: a payment has been waiting for its result for too long."""
    provider = ask.label(OLDEST_PENDING, PROVIDER.name)
    age = f"max by ({provider}) ({ask.series(OLDEST_PENDING)})"
    return Runbook(
        alerts=tuple(alerts),
        meaning="A payment was begun, and its result has not come: the provider's webhook or our question for it fails.",
        impact="A customer may have paid and sees no order. Stock stays reserved for it.",
        diagnosis=(
            Step(
                "See which provider is concerned, and for how long, in seconds.",
                (age,),
                (
                    ("it grows second by second", "no result comes at all; go on with step 2."),
                    (
                        "it jumps up and down",
                        "results come, but late: the provider is slow; tell its support.",
                    ),
                ),
            ),
            Step(
                "See whether webhooks of that provider arrive and are accepted.",
                outcomes=(
                    ("signatures are wrong", "follow WebhookSignatureFailures."),
                    ("none arrive", "ask the provider; Mitigation 1 until then."),
                    ("they arrive and fail in our code", f"{ROLL_BACK}."),
                ),
                logs=(f'{ask.stream()} | event =~ ".*(webhook|payment).*"',),
            ),
            recent_change(ask, 2),
        ),
        mitigation=(
            Action(
                "Ask the provider for the result of each pending payment, with the tool for it.",
                "paid orders are finished, others released.",
                "10 minutes.",
            ),
            roll_back("10 minutes"),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="customers were charged and have no order",
        ),
        verification=(
            Step(
                "Nothing is pending for longer than a minute or two.",
                (age,),
                (
                    ("so it is", "it is over; compare the provider's list with ours."),
                    ("one stays", "it is a single payment: settle it with the provider by hand."),
                ),
            ),
        ),
    )
