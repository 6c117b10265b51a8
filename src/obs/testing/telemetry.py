"""What a test sees of the service it runs, and what it can assert about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from obs.errors import ObsError
from obs.runtime import tally
from obs.testing import compare, leaks, readings
from obs.testing.clock import Clock
from obs.testing.compare import Candidate
from obs.testing.readings import Distribution, Named, Reading
from obs.testing.recorder import Recorder
from obs.testing.spans import CapturedSpan

_BAD = frozenset({"error", "critical"})


class Telemetry:
    """Logs, spans, metrics, error and audit events of one test, as they would have left the process.

    Assertions return what they found, and fail with the nearest of what was captured, field by field.
    Fields may be given as keywords, or as a mapping where a name has dots. Expected values are compared
    with `==`, so `unittest.mock.ANY` and `pytest.approx` work.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._before: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    @property
    def clock(self) -> Clock:
        """The clock of telemetry: it stands still until `tick`."""
        return self._recorder.clock

    @property
    def logs(self) -> list[dict[str, Any]]:
        """Every log line, oldest first: of obs, structlog and standard logging."""
        return list(self._recorder.logs)

    @property
    def spans(self) -> list[CapturedSpan]:
        """Every span that has ended, in the order of ending."""
        return list(self._recorder.spans)

    @property
    def metrics(self) -> list[Reading]:
        """Every series as a scrape would show it at this moment."""
        return readings.scrape()

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Every error event: exceptions that nobody handled, and those given to `obs.capture`."""
        return list(self._recorder.errors)

    @property
    def audit(self) -> list[dict[str, Any]]:
        """Every audit record and security event."""
        return list(self._recorder.audits)

    def clear(self) -> None:
        """Forget what was captured; `assert_counted` counts from here."""
        self._recorder.clear()
        self._before = {_key(item): item.value for item in readings.scrape()} if _metrics_on() else {}

    def value(self, signal: Named, given: Mapping[str, object] | None = None, /, **labels: object) -> float:
        """Return what `signal` shows: a sum over the series with these labels, of a histogram its count.

        Labels that are left out may have any value. Raises `AssertionError` when a gauge has no such
        series, or several; `UnknownSignal` for a name that means nothing.
        """
        __tracebackhide__ = True
        found = readings.scrape()
        return readings.single(readings.select(signal, {**(given or {}), **labels}, found), found)

    def distribution(
        self, signal: Named, given: Mapping[str, object] | None = None, /, **labels: object
    ) -> Distribution:
        """Return count, sum and buckets of a histogram, over every series with these labels."""
        found = readings.scrape()
        return readings.distribution(readings.select(signal, {**(given or {}), **labels}, found), found)

    def assert_logged(
        self, event: str, given: Mapping[str, Any] | None = None, /, **fields: Any
    ) -> dict[str, Any]:
        """Return the first line whose message (or field `event`) is `event` and that has these fields."""
        __tracebackhide__ = True
        expected = {**(given or {}), **fields}
        for line in self._recorder.logs:
            if event in (line.get("message"), line.get("event")) and compare.matches(expected, line):
                return line
        raise AssertionError(
            compare.failure(
                f"not logged: {_described(event, expected)}",
                [_line(number, line) for number, line in enumerate(self._recorder.logs)],
                event,
                {"message": event, **expected},
                ("line was logged", "lines were logged"),
            )
        )

    def assert_not_logged(self, event: str, given: Mapping[str, Any] | None = None, /, **fields: Any) -> None:
        """Fail when there is a line with this message (or field `event`) and these fields."""
        __tracebackhide__ = True
        expected = {**(given or {}), **fields}
        for number, line in enumerate(self._recorder.logs):
            if event in (line.get("message"), line.get("event")) and compare.matches(expected, line):
                found = _line(number, line)
                raise AssertionError(f"logged: {_described(event, expected)}\n  {found.place}  {found.title}")

    def assert_span(
        self, name: str, given: Mapping[str, Any] | None = None, /, **attributes: Any
    ) -> CapturedSpan:
        """Return the first span called `name` with these attributes; `kind` and `status` count as such."""
        __tracebackhide__ = True
        expected = {**(given or {}), **attributes}
        for span in self._recorder.spans:
            if span.name == name and compare.matches(expected, span.fields()):
                return span
        message = compare.failure(
            f"no such span: {_described(name, expected)}",
            [
                Candidate(f"spans[{number}]", f"{span.name} ({span.kind}, {span.status})", span.fields())
                for number, span in enumerate(self._recorder.spans)
            ],
            name,
            {"name": name, **expected},
            ("span has ended", "spans have ended"),
        )
        going_on = self._recorder.open_spans()
        if going_on:
            message += f"\n  {compare.plural(going_on, 'span')} begun and not ended"
        raise AssertionError(message)

    def assert_counted(
        self, signal: Named, by: float = 1, given: Mapping[str, object] | None = None, /, **labels: object
    ) -> None:
        """Fail unless `signal` grew by exactly `by` since the test began or `clear`, over these labels."""
        __tracebackhide__ = True
        found = readings.scrape()
        selection = readings.select(signal, {**(given or {}), **labels}, found)
        grown = [(item, item.value - self._before.get(_key(item), 0.0)) for item in found]
        meant = set(map(_key, selection.of(found)))
        got = sum(growth for item, growth in grown if _key(item) in meant)
        if got == by:
            return
        candidates = [
            Candidate(f"+{growth:g}", str(item), item.labels)
            for item, growth in grown
            if item.name == selection.name and growth
        ]
        raise AssertionError(
            compare.failure(
                f"{selection.described()}: expected to grow by {by}, grew by {got:g}",
                candidates,
                selection.name,
                selection.labels,
                ("series of it grew", "series of it grew"),
            )
        )

    def assert_error(
        self, kind: type[BaseException] | str, given: Mapping[str, Any] | None = None, /, **fields: Any
    ) -> dict[str, Any]:
        """Return the first error event of exactly this type (or name of one) with these fields.

        Raises `ObsError` for what is neither.
        """
        __tracebackhide__ = True
        if not isinstance(kind, (str, type)):
            raise ObsError(f"assert_error: got {kind!r}, expected a type of exception or the name of one")
        name = kind if isinstance(kind, str) else kind.__qualname__
        expected = {"type": name, **(given or {}), **fields}
        for error in self._recorder.errors:
            if compare.matches(expected, error):
                return error
        raise AssertionError(
            compare.failure(
                f"no such error: {_described(name, {**(given or {}), **fields})}",
                [
                    Candidate(f"errors[{number}]", f"{error.get('type')}: {error.get('message')}", error)
                    for number, error in enumerate(self._recorder.errors)
                ],
                name,
                expected,
                ("error was reported", "errors were reported"),
            )
        )

    def assert_audited(
        self, action: str, given: Mapping[str, Any] | None = None, /, **fields: Any
    ) -> dict[str, Any]:
        """Return the first audit record of `action`, or security event of that kind, with these fields."""
        __tracebackhide__ = True
        expected = {**(given or {}), **fields}
        for record in self._recorder.audits:
            if action in (record.get("action"), record.get("kind")) and compare.matches(expected, record):
                return record
        raise AssertionError(
            compare.failure(
                f"not audited: {_described(action, expected)}",
                [_event(number, record) for number, record in enumerate(self._recorder.audits)],
                action,
                {"action": action, **expected},
                ("record was written", "records were written"),
            )
        )

    def assert_no_errors(self) -> None:
        """Fail when anything went wrong: error events, lines at error, failed spans, errors of obs itself."""
        __tracebackhide__ = True
        wrong = [
            f"errors[{number}]  {error.get('type')}: {error.get('message')}"
            for number, error in enumerate(self._recorder.errors)
        ]
        wrong += [
            f"{_line(number, line).place}  {_line(number, line).title}"
            for number, line in enumerate(self._recorder.logs)
            if line.get("level") in _BAD
        ]
        wrong += [
            f"spans[{number}]  {span.name}: {span.description or 'failed'}"
            for number, span in enumerate(self._recorder.spans)
            if span.status == "error"
        ]
        wrong += [f"obs itself  {number} in {part}" for part, number in tally.counts("errors").items()]
        if wrong:
            raise AssertionError("\n  ".join([f"{compare.plural(len(wrong), 'error')} captured:", *wrong]))

    def assert_no_secrets(self, *planted: str) -> None:
        """Fail when a secret is in anything captured, found as the redactor finds it, or one of `planted`.

        Pass the secrets that the test used: a value that no rule could know is then found as well, also
        in base64 and quoted for a URL. Raises `ValueError` for one that is no text or shorter than four
        characters.
        """
        __tracebackhide__ = True
        found = leaks.find(self._captured(), planted)
        if found:
            lines = "\n  ".join(str(leak) for leak in found)
            raise AssertionError(f"{compare.plural(len(found), 'secret')} in what was captured:\n  {lines}")

    def _captured(self) -> dict[str, Any]:
        return {
            "logs": self.logs,
            "spans": [{**span.fields(), "events": span.events} for span in self.spans],
            "metrics": [item.labels for item in self.metrics] if _metrics_on() else [],
            "errors": self.errors,
            "audit": self.audit,
        }


def _metrics_on() -> bool:
    from obs.runtime import setup

    return "metrics" in setup.status().on


def _key(item: Reading) -> tuple[str, tuple[tuple[str, str], ...]]:
    return item.name, tuple(sorted(item.labels.items()))


def _line(number: int, line: Mapping[str, Any]) -> Candidate:
    return Candidate(f"logs[{number}]", f"{line.get('level')}: {line.get('message')}", line)


def _event(number: int, record: Mapping[str, Any]) -> Candidate:
    name = record.get("action") or record.get("kind")
    return Candidate(f"audit[{number}]", str(name), {**record, "action": name})


def _described(name: str, expected: Mapping[str, Any]) -> str:
    inside = ", ".join(f"{key}={compare.show(value)}" for key, value in expected.items())
    return f"{name!r} ({inside})" if inside else repr(name)
