"""Alerts of a service that calls others over HTTP: one for each address that it calls."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue.http import CLIENT_REQUESTS, ERROR_TYPE, SERVER_ADDRESS
from obs.generate.derive.drafts import Draft, Kit, Sample, words
from obs.generate.derive.expressions import events, share_of_bad, total
from obs.generate.derive.samples import Phase, bad, counter, good
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.count import count_cases, single
from obs.generate.derive.stories.share import OMITS, share_cases, share_value
from obs.generate.model import Duration, Threshold

ERRORS_HIGH = Defaults("ticket", Duration.parse("10m"), Decimal("0.1"), "ratio", Duration.parse("5m"))
TIMEOUTS = Defaults("ticket", Duration.parse("10m"), Decimal(30), "", Duration.parse("5m"))

_MIN_FAILED_CALLS = 3
#: Error types are names of exceptions; those of every client say so when time ran out.
_TIMEOUT = ".*[Tt]imeout.*"
_STORY_ADDRESS = "bank"


def client_error_ratio_high(kit: Kit) -> Draft:
    """Return HttpClientErrorRatioHigh: calls to one address fail."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(CLIENT_REQUESTS.id)
    address = names.label(CLIENT_REQUESTS.id, SERVER_ADDRESS.name)
    error = names.label(CLIENT_REQUESTS.id, ERROR_TYPE.name)
    failed = total(events(kit, names.selector(metric, f'{error}!=""')), address)
    every = total(events(kit, names.selector(metric)), address)

    def write(story: Sequence[Phase], instance: str) -> tuple[Sample, ...]:
        own = {"instance": instance, address: _STORY_ADDRESS}
        return (
            Sample(metric, own, counter(good(story))),
            Sample(metric, {**own, error: "ConnectionError"}, counter(bad(story))),
        )

    return Draft(
        name="HttpClientErrorRatioHigh",
        expr=share_of_bad(failed, every, _MIN_FAILED_CALLS, f"{line:f}"),
        signals=(CLIENT_REQUESTS.id,),
        threshold=Threshold(
            line,
            "ratio",
            ">",
            f"more than {words(line, 'ratio')} of the calls of {window} to one address fail",
        ),
        summary=(
            f"{{{{ $labels.service }}}}: {{{{ $value | humanizePercentage }}}} of calls to {{{{ $labels.{address} }}}} fail"
        ),
        description=(
            f"{{{{ $value | humanizePercentage }}}} of the HTTP calls of {{{{ $labels.service }}}} "
            f"({{{{ $labels.environment }}}}) to {{{{ $labels.{address} }}}} in the last {window} failed; "
            f"the alert watches for more than {words(line, 'ratio')}."
        ),
        cases=share_cases(
            kit, write, share_value, line=line, floor=_MIN_FAILED_CALLS, shows={address: _STORY_ADDRESS}
        ),
        window=window,
        omits=OMITS,
    )


def dependency_timeouts(kit: Kit) -> Draft:
    """Return DependencyTimeouts: one address does not answer in time, again and again."""
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(CLIENT_REQUESTS.id)
    address = names.label(CLIENT_REQUESTS.id, SERVER_ADDRESS.name)
    error = names.label(CLIENT_REQUESTS.id, ERROR_TYPE.name)
    late = names.selector(metric, f'{error}=~"{_TIMEOUT}"')
    shows = {address: _STORY_ADDRESS}
    return Draft(
        name="DependencyTimeouts",
        expr=f"{total(events(kit, late), address)} > {line:f}",
        signals=(CLIENT_REQUESTS.id,),
        threshold=Threshold(
            line, "1", ">", f"more than {words(line, '')} calls of {window} to one address time out"
        ),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanize }}}} calls to {{{{ $labels.{address} }}}} timed out",
        description=(
            f"{{{{ $value | humanize }}}} HTTP calls of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) to "
            f"{{{{ $labels.{address} }}}} in the last {window} got no answer in time; "
            f"the alert watches for more than {words(line, '')}."
        ),
        cases=count_cases(
            kit,
            single(metric, {**shows, error: "ReadTimeout"}, {**shows, error: "ConnectionError"}),
            line=line,
            shows=shows,
        ),
        window=window,
    )
