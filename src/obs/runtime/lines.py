"""One log line: an event becomes one JSON object and one write to a file descriptor.

Every door (the face's logger, structlog, standard logging, the middleware) ends here, so that
fields, redaction, ids and counting are the same for all of them.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from obs.catalogue.log import FIELDS
from obs.runtime import clock, context, levels, live, tally
from obs.runtime.json import dumps
from obs.runtime.redaction import NAME_LIMIT, STACK_LIMIT, clean, plain_text, scrub
from obs.runtime.repeats import Repeats
from obs.runtime.settings import Settings
from obs.runtime.severity import SEVERITY
from obs.runtime.stream import Stream

#: A finished line: plain JSON data, clean of secrets, in the order of the catalogue.
Line: TypeAlias = dict[str, Any]
Renderer: TypeAlias = Callable[[Line], bytes]
#: What takes finished lines, and may not change them. May raise; the guard has the error then.
Output: TypeAlias = Callable[[Line], None]

#: The logger of our access lines: one a request, however many.
ACCESS = "obs.access"
#: Bytes of a rendered line, newline included: as much as a pipe holds.
LINE_LIMIT = 65_536
#: Bytes that the message and the stack of a shortened line keep, each.
_SHARE = LINE_LIMIT // 4
#: Names of loggers that are remembered; those of records made by hand have no end.
_MOST_NAMES = 1_024
_RESERVED = frozenset(field.name for field in FIELDS)
#: Whose frames are not where a line comes from.
_MACHINERY = ("obs.runtime.", "obs.integrations.", "structlog.", "logging.")


#: The place in the code that a line comes from: file, line, function.
Location: TypeAlias = tuple[str, int, str]


class Pipeline:
    """Makes lines for one set of settings and hands them to its outputs."""

    def __init__(self, settings: Settings, outputs: tuple[Output, ...], local: Output) -> None:
        self._outputs = (*_captured, *outputs)
        #: Where a line goes that the network must not lose: that the network is lost.
        self._local = local
        self._fixed = {"service": settings.service}
        for name in ("version", "environment"):
            if getattr(settings, name):
                self._fixed[name] = getattr(settings, name)
        self.locates = settings.log_location
        #: Logger -> its name as it is written.
        self._names: dict[str, str] = {}
        # A test's clock stands still, so that its second would never be over.
        limit = 0 if _captured else settings.log_repeat_limit
        self._repeats = Repeats(limit) if limit else None

    def enabled(self, level: str, logger: str = "") -> bool:
        """Tell whether a line of `level` is to be written for `logger`."""
        return SEVERITY[level] >= levels.threshold(logger)

    def emit(
        self,
        level: str,
        message: str,
        fields: Mapping[str, Any],
        logger: str = "",
        error: BaseException | None = None,
        *,
        stack: str = "",
        template: str = "",
        location: Location | None = None,
        known: Mapping[str, Any] | None = None,
        sampled: bool = True,
        local: bool = False,
    ) -> None:
        """Write one line, whatever the threshold. Raises only what an output raises (OSError).

        `known` holds fields that the catalogue bounds: plain data without secrets, which is not
        scanned. `template` is the message before its values, which tells repetitions. Lines that are
        not `sampled` (audit and security events) are written however often they repeat. A `local`
        line goes to the stream even when lines go to a collector.
        """
        now = clock.now()
        repeats = self._repeats
        if repeats is not None:
            if int(now) != repeats.second:
                self._summarise(repeats, int(now))
            if (
                sampled
                and logger != ACCESS
                and not _admits(repeats, logger, level, template or message, error)
            ):
                return
        line = self._begin(now, level, message, logger)
        if self.locates and logger != ACCESS:
            _add_location(line, location or _caller())
        bound = context.bound.get()
        own = {**bound, **fields} if bound else fields
        if own:
            cleaned = clean(own)
            if _RESERVED.isdisjoint(cleaned):
                line.update(cleaned)
            else:
                line.update(
                    (f"{name}_" if name in _RESERVED else name, item) for name, item in cleaned.items()
                )
        if known:
            line.update(known)
        if error is not None:
            stack = format_stack(error)
        if stack:
            line["exception"] = scrub(stack, STACK_LIMIT)
        self.deliver(line, local=local)

    def _begin(self, now: float, level: str, message: str, logger: str) -> Line:
        """Return what every line begins with."""
        line: Line = {
            "timestamp": _timestamp(now),
            "level": level,
            **self._fixed,
            "message": plain_text(message),
        }
        trace_id, span_id, _ = live.span_ids()
        if trace_id:
            line["trace_id"], line["span_id"] = trace_id, span_id
        request = context.request_id.get()
        if request:
            line["request_id"] = request
        if logger:
            line["logger"] = self._names.get(logger) or self._named(logger)
        return line

    def _named(self, logger: str) -> str:
        if len(self._names) >= _MOST_NAMES:
            self._names.clear()
        name = self._names[logger] = plain_text(logger, NAME_LIMIT)
        return name

    def deliver(self, line: Line, *, local: bool = False) -> None:
        """Count `line` and hand it to every output. Raises what they raise, after all had it."""
        tally.add("log_records", line["level"])
        outputs = self._outputs
        if len(outputs) == 1 and not local:
            outputs[0](line)
            return
        if local and self._local not in outputs:
            outputs = (*outputs, self._local)
        failure: Exception | None = None
        for output in outputs:
            try:
                output(line)
            except Exception as error:  # noqa: PERF203 - one broken output is not the next one's
                failure = error
        if failure is not None:
            raise failure

    def flush(self) -> None:
        """Tell what was left out of repeated lines so far."""
        if self._repeats is not None:
            self._summarise(self._repeats, 0)

    def renew(self) -> None:
        """Begin anew in a forked child."""
        if self._repeats is not None:
            self._repeats.renew()

    def _summarise(self, repeats: Repeats, second: int) -> None:
        for kind, left_out in repeats.turn(second):
            # Of the process, not of the request in which it happens to be told.
            line: Line = {"timestamp": _timestamp(clock.now()), "level": kind.level, **self._fixed}
            line["message"] = plain_text(kind.event)
            if kind.logger:
                line["logger"] = plain_text(kind.logger, NAME_LIMIT)
            line["repeated"] = left_out
            if kind.error:
                line["exception"] = plain_text(kind.error, NAME_LIMIT)
            self.deliver(line)


def _admits(repeats: Repeats, logger: str, level: str, event: Any, error: BaseException | None) -> bool:
    text = event if type(event) is str else plain_text(event, NAME_LIMIT)
    if repeats.admits(logger, level, text, type(error).__qualname__ if error is not None else ""):
        return True
    tally.add("logs_dropped", "repeated")
    return False


_captured: tuple[Output, ...] = ()


def capture(*outputs: Output) -> None:
    """Hand the lines of every pipeline made from now on to `outputs` too; with none, end that.

    For the test kit.
    """
    global _captured
    _captured = outputs


def printed(stream: Stream, render: Renderer) -> Output:
    """Return what writes lines as text on `stream`, each bounded as a whole."""
    write = stream.write

    def output(line: Line) -> None:
        text = render(line)
        if len(text) > LINE_LIMIT:
            text = render(shorten(line))
        try:
            write(text)
        except OSError:
            tally.add("logs_dropped", "stream")
            raise

    return output


def shorten(line: Line) -> Line:
    """Return a copy of `line` whose largest fields are cut until it fits `LINE_LIMIT`."""
    short: Line = {**line, "truncated": True}
    sizes = {name: _size(name, value) for name, value in short.items()}
    total = sum(sizes.values()) + 3
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        if total <= LINE_LIMIT:
            break
        value = short[name]
        if name not in _RESERVED:
            short[name] = f"...({sizes[name]} bytes cut)..."
            if _size(name, short[name]) >= sizes[name]:
                # One of very many small fields.
                del short[name]
        while name in _RESERVED and isinstance(value, str) and _size(name, value) > _SHARE:
            quarter = len(value) // 4
            value = short[name] = f"{value[:quarter]}...(cut)...{value[-quarter:]}"
        total += (_size(name, short[name]) if name in short else 0) - sizes[name]
    return short


def _size(name: str, value: Any) -> int:
    """Return the bytes that a field takes in a line of JSON."""
    return len(dumps(name)) + len(dumps(value)) + 2


def format_stack(error: BaseException) -> str:
    """Return the stack of `error` as one text; never raises, whatever its `__str__` does."""
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__)).rstrip()
    except Exception:
        return type(error).__qualname__


def _caller() -> Location:
    frame = sys._getframe(2)  # noqa: SLF001 - inspect's way builds the source of every frame
    while frame.f_back is not None and _is_machinery(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name


def _is_machinery(module: str) -> bool:
    return f"{module}.".startswith(_MACHINERY)


def _add_location(line: Line, location: Location | None) -> None:
    if location is not None:
        file, number, function = location
        line["code_file_path"] = plain_text(file, NAME_LIMIT)
        line["code_line_number"] = number
        line["code_function_name"] = plain_text(function, NAME_LIMIT)


_second = (0, "")


def _timestamp(now: float) -> str:
    """Return RFC 3339 with microseconds; the part up to the second is made once a second."""
    global _second
    whole = int(now)
    second, text = _second
    if whole != second:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        _second = (whole, text)
    # Half the time of a formatted string literal, for every line; %d cuts what is after the point.
    return "%s.%06dZ" % (text, (now - whole) * 1_000_000)  # noqa: UP031
