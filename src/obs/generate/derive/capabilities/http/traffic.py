"""The alert on requests that stop coming, compared with the same hour yesterday."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.http import SERVER_REQUESTS, STATUS
from obs.generate.derive.drafts import Draft, Kit, words
from obs.generate.derive.expressions import total
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.drop import HOUR, drop_cases
from obs.generate.model import Duration, Threshold

DROPPED = Defaults("ticket", Duration.parse("15m"), Decimal("0.5"), "ratio", Duration.parse("10m"))
_DAY = Duration.parse("1d")
#: Below this many requests a second yesterday, half of them is chance.
LEAST_YESTERDAY = Decimal("0.1")
#: How far the expression looks back.
LOOK_BACK = _DAY + HOUR


def traffic_dropped(kit: Kit) -> Draft:
    """Return HttpTrafficDropped: requests are missing that used to come at this time of day.

    When every instance is gone there is no rate to compare, so the present is `now or 0 * past`.
    """
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(SERVER_REQUESTS.id)
    requests = names.selector(metric)
    now = total(f"rate({requests}[{window}])")
    past = total(f"rate({requests}[{HOUR}] offset {_DAY})")
    return Draft(
        name="HttpTrafficDropped",
        expr=f"({now} or 0 * {past}) / ({past} > {LEAST_YESTERDAY}) < {line:f}",
        signals=(SERVER_REQUESTS.id,),
        threshold=Threshold(
            line,
            "ratio",
            "<",
            f"fewer than {words(line, 'ratio')} of the requests of the same hour yesterday",
        ),
        summary="{{ $labels.service }}: traffic is at {{ $value | humanizePercentage }} of yesterday's",
        description=(
            f"In the last {window} {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) got "
            "{{ $value | humanizePercentage }} of the HTTP requests of the same hour yesterday; "
            f"the alert watches for less than {words(line, 'ratio')}."
        ),
        cases=drop_cases(
            kit, metric, {names.label(SERVER_REQUESTS.id, STATUS.name): "200"}, line, LEAST_YESTERDAY, _DAY
        ),
        window=LOOK_BACK,
    )
