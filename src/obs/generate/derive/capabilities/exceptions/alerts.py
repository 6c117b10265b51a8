"""The alert on exceptions that nobody handled and nobody else would tell of."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.exceptions import MECHANISM, UNHANDLED
from obs.generate.derive.drafts import Draft, Kit
from obs.generate.derive.expressions import events, total
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.count import count_cases, single
from obs.generate.model import Duration, Threshold

UNHANDLED_ONES = Defaults("ticket", Duration(0), window=Duration.parse("15m"))
#: Those of requests, calls, jobs and tasks are failures there, which have alerts of their own.
BACKGROUND = ("asyncio", "main", "thread", "unraisable")


def unhandled(kit: Kit) -> Draft:
    """Return UnhandledExceptions: a thread, a background task or the program itself has died of an exception."""
    names, window = kit.names, kit.settings.window
    metric, mechanism = names.metric(UNHANDLED.id), names.label(UNHANDLED.id, MECHANISM.name)
    chosen = names.selector(metric, f'{mechanism}=~"{"|".join(BACKGROUND)}"')
    shows = {mechanism: "thread"}
    return Draft(
        name="UnhandledExceptions",
        expr=f"{total(events(kit, chosen), mechanism)} > 0",
        signals=(UNHANDLED.id,),
        threshold=Threshold(Decimal(0), "1", ">", f"any exception of {window} outside of requests and jobs"),
        summary=f"{{{{ $labels.service }}}}: {{{{ $value | humanize }}}} unhandled exceptions ({{{{ $labels.{mechanism} }}}})",
        description=(
            f"{{{{ $value | humanize }}}} exceptions of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) in the "
            f"last {window} were handled by nobody; they surfaced in {{{{ $labels.{mechanism} }}}}. What they ended does "
            "not come back by itself."
        ),
        cases=count_cases(kit, single(metric, shows, {mechanism: "http"}), line=Decimal(0), shows=shows),
        window=window,
    )
