"""Alerts that count lines: errors, crashes, refused logins."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from obs.catalogue.log import LEVEL
from obs.catalogue.log_events import CRASHES, EVENT, KIND, SECURITY, STREAM
from obs.generate.derive.capabilities.logs.drafts import LogDraft, LogKit
from obs.generate.derive.capabilities.logs.stories import around, late, neighbours, others, steady, waiting
from obs.generate.derive.explore import ERROR_LINES
from obs.generate.derive.settings import Defaults
from obs.generate.model import Duration, LogCase, LogFact, Threshold

ERRORS = Defaults("ticket", Duration.parse("5m"), Decimal(50), "", Duration.parse("5m"))
PANIC = Defaults("page", Duration(0), None, "", Duration.parse("10m"))
AUTH = Defaults("ticket", Duration(0), Decimal(20), "", Duration.parse("10m"))
_CRASHED = f'| {EVENT.name}=~"{"|".join(event.name.replace(".", "[.]") for event in CRASHES)}"'
#: What other programs write when they die, and Python itself where nothing of ours runs any more.
_LAST_WORDS = "|~ `(?i)(panic:|fatal python error|segmentation fault|out of memory|core dumped)`"
_REFUSED = (
    f'| {STREAM.name}="{SECURITY}" | {KIND.name}=~'
    "`(auth|login|mfa|password|session|token|webhook)[._-].*(denied|failed|invalid|locked|refused|rejected|replay|reuse).*`"
)
_MINUTE = Duration.parse("1m")
_NOT_COUNTED = "it counts lines, which are there when they arrive: no counter has to be seen before"
_NOT_GONE = "without lines there is nothing to count; LogSilence tells when they end"
_AT_ONCE = "it does not wait: one evaluation above the line fires"


def error_spike(kit: LogKit) -> LogDraft:
    """Return LogErrorSpike: more lines of level error and worse than ever are normal."""
    settings = kit.settings
    window, line = settings.window, settings.threshold
    error = {LEVEL.name: "error"}
    return LogDraft(
        name="LogErrorSpike",
        expr=f"{kit.counted(ERROR_LINES, window)} > {line:f}",
        threshold=Threshold(line, "1", ">", f"more than {line:f} error lines in {window.words}"),
        summary="{{ $labels.service }}: {{ $value | humanize }} error lines in " + str(window),
        description=(
            "{{ $labels.service }} ({{ $labels.environment }}) wrote {{ $value | humanize }} lines of level error or "
            f"critical in {window.words}; the alert watches for more than {line:f}."
        ),
        cases=(
            *around(kit, error),
            *others(kit, {LEVEL.name: "info"}, "lines of level info"),
            *neighbours(kit, error),
            LogCase(
                "critical lines count, too",
                "fires",
                (steady(kit, {LEVEL.name: "critical"}, int(line) + 2),),
                (LogFact(late(kit), "firing"),),
            ),
            *waiting(kit, error),
        ),
        panel="logs-levels",
        omits={
            "born": _NOT_COUNTED,
            "gone": _NOT_GONE,
            **({} if settings.for_ else {"for": _AT_ONCE}),
        },
    )


def panic(kit: LogKit) -> LogDraft:
    """Return LogPanic: a process, a thread or a task died of what nobody handled."""
    settings = kit.settings
    window, line = settings.window, settings.threshold
    crashed, words = kit.counted(_CRASHED, window), kit.counted(_LAST_WORDS, window)
    enough = int(line) + 1
    told = {LEVEL.name: "error", EVENT.name: CRASHES[0].name}
    soon, late = _MINUTE * 2 + settings.for_, _MINUTE * 2 + window + settings.for_

    def dies(says: str, fields: Mapping[str, str], message: str) -> LogCase:
        lines = kit.burst(_MINUTE, Duration(1000), enough, fields, message=message)
        facts = (LogFact(Duration(30_000), "silent"), LogFact(soon, "firing"), LogFact(late, "silent"))
        return LogCase(says, "fires", (lines,), facts)

    def lives(says: str, fields: Mapping[str, str]) -> LogCase:
        lines = kit.burst(_MINUTE, Duration(1000), enough, fields, message="an exception")
        return LogCase(says, "silent", (lines,), (LogFact(soon, "silent"),))

    first = kit.burst(_MINUTE, Duration(1000), enough, told, message="unhandled exception")
    return LogDraft(
        name="LogPanic",
        expr=f"({crashed} or {words}) > {line:f}",
        threshold=Threshold(line, "1", ">", f"more than {line:f} crashes in {window.words}"),
        summary="{{ $labels.service }}: {{ $value | humanize }} crashes in " + str(window),
        description=(
            "A process, a thread or a task of {{ $labels.service }} ({{ $labels.environment }}) died of an error that nothing "
            f"handled, {{{{ $value | humanize }}}} times in {window.words}."
        ),
        cases=(
            *(
                dies(f"the event {event.name}", {**told, EVENT.name: event.name}, "unhandled exception")
                for event in CRASHES
            ),
            dies("the last words of a program without fields", {}, "Panic: runtime error"),
            dies("the kernel's words", {}, "worker killed: Out of memory"),
            lives("an exception that was handled", {**told, EVENT.name: "exception.captured"}),
            lives("an exception that failed one request", {**told, EVENT.name: "http.exception"}),
            LogCase("the first lines of all", "born", (first,), (LogFact(soon, "firing"),)),
        ),
        panel="logs-errors",
        omits={"for": _AT_ONCE, "gone": _NOT_GONE},
    )


def auth_anomaly(kit: LogKit) -> LogDraft:
    """Return LogAuthAnomaly: logins, tokens or signatures are refused in numbers."""
    settings = kit.settings
    window, line = settings.window, settings.threshold
    failed = {STREAM.name: SECURITY, KIND.name: "login.failed"}
    return LogDraft(
        name="LogAuthAnomaly",
        expr=f"{kit.counted(_REFUSED, window)} > {line:f}",
        threshold=Threshold(line, "1", ">", f"more than {line:f} refusals in {window.words}"),
        summary="{{ $labels.service }}: {{ $value | humanize }} refused logins or tokens in " + str(window),
        description=(
            "{{ $labels.service }} ({{ $labels.environment }}) refused {{ $value | humanize }} logins, tokens or signatures in "
            f"{window.words}; the alert watches for more than {line:f}."
        ),
        cases=(
            *around(kit, failed),
            LogCase(
                "replayed tokens count, too",
                "fires",
                (steady(kit, {**failed, KIND.name: "token_replayed"}, int(line) + 2),),
                (LogFact(late(kit), "firing"),),
            ),
            *others(kit, {**failed, KIND.name: "login.succeeded"}, "logins that succeeded"),
            *others(kit, {KIND.name: "login.failed"}, "lines of another stream"),
            *neighbours(kit, failed),
            *waiting(kit, failed),
        ),
        panel="logs-lines",
        shows=f'| {STREAM.name}="{SECURITY}"',
        omits={
            "born": _NOT_COUNTED,
            "gone": _NOT_GONE,
            **({} if settings.for_ else {"for": _AT_ONCE}),
        },
    )
