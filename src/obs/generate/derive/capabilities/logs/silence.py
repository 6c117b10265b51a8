"""The alert on lines that stop coming."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.log import LEVEL
from obs.generate.derive.capabilities.logs.drafts import LogDraft, LogKit
from obs.generate.derive.capabilities.logs.stories import MINUTE
from obs.generate.derive.settings import Defaults
from obs.generate.model import Duration, LogCase, LogFact, Threshold

SILENCE = Defaults("ticket", Duration.parse("5m"), None, "", Duration.parse("15m"))
#: What the environment of a service is called that nobody has heard of for longer than it is remembered.
UNKNOWN = "unknown"
#: How long a service that fell silent is remembered.
_MEMORY = Duration.parse("1h")


def silence(kit: LogKit) -> LogDraft:
    """Return LogSilence: an environment that wrote lines writes none, or nobody writes any.

    Without lines there is no series to compare, so the present is taken from what was there before.
    """
    window, for_ = kit.settings.window, kit.settings.for_
    before = kit.counted("", _MEMORY, str(window))
    now = kit.counted("", window)
    never = f"absent_over_time({kit.stream} [{window + _MEMORY}])"
    if "environment" not in kit.service.select:
        never = f'label_replace({never}, "environment", "{UNKNOWN}", "", "")'
    info = {LEVEL.name: "info"}
    talk = Duration.parse("30m")
    ends = talk + window
    environment = kit.service.select.get("environment", UNKNOWN)
    return LogDraft(
        name="LogSilence",
        expr=f"({before} unless {now}) * 0 or {never}",
        threshold=Threshold(Decimal(0), "1", "==", f"no log line in {window.words}"),
        summary="{{ $labels.service }}: no log lines",
        description=(
            f"No line of {{{{ $labels.service }}}} ({{{{ $labels.environment }}}}) has reached Loki in {window.words}: the "
            "service is silent, or its lines are lost on their way."
        ),
        cases=(
            LogCase(
                "lines end",
                "gone",
                (kit.burst(Duration(0), talk, 61, info),),
                (
                    LogFact(talk, "silent"),
                    *((LogFact(ends + Duration(for_.milliseconds // 2), "pending"),) if for_ else ()),
                    LogFact(ends + for_ + MINUTE * 2, "firing"),
                    LogFact(ends + _MEMORY + window + for_, "firing", {"environment": environment}),
                ),
            ),
            LogCase(
                "there never was a line",
                "fires",
                (kit.burst(Duration(0), talk, 61, info, service=f"not-{kit.service.name}"),),
                (LogFact(talk, "firing", {"environment": environment}),),
            ),
            LogCase(
                "a line now and then",
                "silent",
                (kit.burst(Duration(0), window * 6, 8, info),),
                (LogFact(window * 3, "silent"), LogFact(window * 6, "silent")),
            ),
            *(
                (
                    LogCase(
                        "lines end and come back",
                        "for",
                        (
                            kit.burst(Duration(0), talk, 61, info),
                            kit.burst(ends + for_ * 2 + MINUTE * 2, talk, 61, info),
                        ),
                        (
                            LogFact(ends + Duration(for_.milliseconds // 2), "pending"),
                            LogFact(ends + for_ + MINUTE, "firing"),
                            LogFact(ends + for_ * 2 + MINUTE * 4, "silent"),
                        ),
                    ),
                )
                if for_
                else ()
            ),
        ),
        panel="logs-levels",
        shows="",
        omits={
            "born": "it is about lines that are missing; the first line ends it",
            **({} if for_ else {"for": "it does not wait"}),
        },
    )
