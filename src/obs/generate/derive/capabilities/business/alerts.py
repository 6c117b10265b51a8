"""Alerts on orders and payments."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.conventions.business import OLDEST_PENDING, ORDERS_CREATED, PAYMENTS, PROVIDER, RESULT
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.expressions import total
from obs.generate.derive.forms.share import Outcome, Share, share_draft
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.drop import HOUR, drop_cases
from obs.generate.derive.stories.level import Track, level_cases, near
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

ORDERS_DROPPED = Defaults("page", Duration.parse("30m"), Decimal("0.5"), "ratio", Duration.parse("1h"))
PAYMENTS_FAIL = Defaults("page", Duration.parse("10m"), Decimal("0.1"), "ratio", Duration.parse("15m"))
PENDING_TOO_LONG = Defaults("ticket", Duration.parse("10m"), Decimal(1800), "s")

_WEEK = Duration.parse("7d")
#: Orders a second: with fewer than twenty an hour, half of them is chance.
LEAST_ORDERS = Decimal("0.006")
#: One declined card is no outage.
MIN_FAILED = 3
_PROVIDER = "bank"


def orders_dropped(kit: Kit) -> Draft:
    """Return OrdersDropped: orders are missing that used to come at this hour of this weekday.

    When every instance is gone there is no rate to compare, so the present is `now or 0 * past`.
    """
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(ORDERS_CREATED.id)
    orders = names.selector(metric)
    now, past = total(f"rate({orders}[{window}])"), total(f"rate({orders}[{HOUR}] offset {_WEEK})")
    return Draft(
        name="OrdersDropped",
        expr=f"({now} or 0 * {past}) / ({past} > {LEAST_ORDERS}) < {line:f}",
        signals=(ORDERS_CREATED.id,),
        threshold=Threshold(
            line, "ratio", "<", f"fewer than {words(line, 'ratio')} of the orders of the same hour last week"
        ),
        summary="{{ $labels.service }}: orders are at {{ $value | humanizePercentage }} of last week's",
        description=(
            f"In the last {window} {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) took "
            "{{ $value | humanizePercentage }} of the orders of the same hour last week; "
            f"the alert watches for less than {words(line, 'ratio')}."
        ),
        cases=drop_cases(kit, metric, {}, line, LEAST_ORDERS, _WEEK),
        window=_WEEK + HOUR,
    )


def payment_failures(kit: Kit) -> Draft:
    """Return PaymentFailureRatioHigh: too many payments by one provider fail."""
    share = Share(
        PAYMENTS,
        outcome=Outcome(RESULT.name, "failure", "failure", "success"),
        apart={PROVIDER.name: _PROVIDER},
    )
    return share_draft(kit, "PaymentFailureRatioHigh", share, what="payments", fail="fail", floor=MIN_FAILED)


def pending_too_long(kit: Kit) -> Draft:
    """Return PaymentsPendingTooLong: a payment has been waiting for its result for too long."""
    names, line = kit.names, kit.settings.threshold
    metric, label = names.metric(OLDEST_PENDING.id), names.label(OLDEST_PENDING.id, PROVIDER.name)
    shows, longest = {label: _PROVIDER}, Duration(int(line * 1000)).words

    def write(track: Track) -> tuple[Sample, ...]:
        return (Sample(metric, shows, gauge(track)),)

    above, below, low = near(line)
    return Draft(
        name="PaymentsPendingTooLong",
        expr=f"max by ({BY}, {label}) ({names.selector(metric)}) > {line:f}",
        signals=(OLDEST_PENDING.id,),
        threshold=Threshold(line, "s", ">", f"a payment has been pending for more than {longest}"),
        summary=(
            f"{{{{ $labels.service }}}}: a payment by {{{{ $labels.{label} }}}} has been pending for "
            "{{ $value | humanizeDuration }}"
        ),
        description=(
            f"The oldest payment by {{{{ $labels.{label} }}}} ({{{{ $labels.service }}}}, {{{{ $labels.environment }}}}) "
            f"has been waiting for its result for {{{{ $value | humanizeDuration }}}}; the alert watches for more than {longest}."
        ),
        cases=level_cases(kit, write, above=above, below=below, low=low, shows=shows),
        window=Duration(0),
    )
