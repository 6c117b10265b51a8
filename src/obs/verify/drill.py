"""The incident drill: break something, see the alert through to its runbook, repair, see it end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from obs.verify.prometheus import ActiveAlert, active_alerts, held_alerts
from obs.verify.webhook import Notified, Webhook

#: The steps in order; each must be seen.
STEPS = ("fault", "pending", "firing", "notified", "runbook", "repaired", "resolved")
#: Seconds that each step may take after the one before it; generous, because they only end a wait.
DEADLINES: Mapping[str, float] = {
    "pending": 60.0,
    "firing": 60.0,
    "notified": 60.0,
    "runbook": 15.0,
    "resolved": 120.0,
}
_POLL_S = 0.2
_RUNBOOK_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Missed:
    """A step that was not seen in time, and what was seen instead."""

    step: str
    seconds: float
    seen: str


@dataclass(slots=True)
class Timeline:
    """What was seen when, in seconds after the fault."""

    alert: str
    labels: Mapping[str, str]
    #: Seconds since the Unix epoch at which the fault was switched on.
    fault_at: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    runbook_url: str | None = None
    missed: Missed | None = None

    @property
    def complete(self) -> bool:
        """Whether every step was seen."""
        return self.missed is None and all(step in self.steps for step in STEPS)


class Drill:
    """One alert of one service, followed from the fault to its end.

    `seen` is called with each step and its seconds after the fault. `timeline` and `alerts` may be
    read from another thread while `run` is working.
    """

    def __init__(
        self,
        *,
        prometheus: str,
        alertmanager: str,
        webhook: Webhook,
        alert: str,
        labels: Mapping[str, str],
        deadlines: Mapping[str, float] = DEADLINES,
        seen: Callable[[str, float], None] | None = None,
    ) -> None:
        self._prometheus = prometheus
        self._alertmanager = alertmanager
        self._webhook = webhook
        self._deadlines = {**DEADLINES, **deadlines}
        self._seen = seen
        self._zero = 0.0
        self.timeline = Timeline(alert, labels)
        self.alerts: list[ActiveAlert] = []

    def look(self) -> list[ActiveAlert]:
        """Ask Prometheus for its active alerts and keep them in `alerts`. Raises `VerifyError`."""
        self.alerts = active_alerts(self._prometheus)
        return self.alerts

    def run(self, fault: Callable[[], None], repair: Callable[[], None]) -> Timeline:
        """Go through the steps; a step that is missed ends the drill, after the repair.

        Raises `VerifyError` when an engine does not answer.
        """
        self._zero = time.monotonic()
        self.timeline.fault_at = time.time()
        fault()
        self._note("fault", self._zero)
        alarmed = self._alarm()
        repair()
        if alarmed:
            self._note("repaired", time.monotonic())
            self._wait("resolved", self._resolved)
        return self.timeline

    def _alarm(self) -> bool:
        return (
            self._wait("pending", self._pending)
            and self._wait("firing", self._firing)
            and self._wait("notified", self._notified)
            and self._wait("runbook", self._runbook)
        )

    def _wait(self, step: str, probe: Callable[[], float | str]) -> bool:
        """Ask `probe` until it returns the moment of the step; until then it says what it sees."""
        limit = self._deadlines[step]
        deadline = time.monotonic() + limit
        while True:
            self.look()
            answer = probe()
            if isinstance(answer, float):
                self._note(step, answer)
                return True
            if time.monotonic() > deadline:
                self.timeline.missed = Missed(step, limit, answer)
                return False
            time.sleep(_POLL_S)

    def _note(self, step: str, at: float) -> None:
        # A notification may be read a poll later than it came: the order of the steps stays true.
        earlier = max(self.timeline.steps.values(), default=0.0)
        self.timeline.steps[step] = max(round(at - self._zero, 2), earlier)
        if self._seen is not None:
            self._seen(step, self.timeline.steps[step])

    def _current(self) -> ActiveAlert | None:
        wanted = (alert for alert in self.alerts if alert.concerns(self.timeline.alert, self.timeline.labels))
        return next(wanted, None)

    def _pending(self) -> float | str:
        alert = self._current()
        if alert is None:
            return self._others()
        if alert.state == "pending":
            return time.monotonic()
        # A busy machine may poll past a short pending phase; Prometheus remembers when it began.
        return self._zero + max(alert.active_at - self.timeline.fault_at, 0.0)

    def _firing(self) -> float | str:
        alert = self._current()
        if alert is None:
            return f"{self.timeline.alert} went away again; {self._others()}"
        return time.monotonic() if alert.state == "firing" else f"{alert.name} is still {alert.state}"

    def _notified(self) -> float | str:
        notified = self._notification("firing")
        if notified is not None:
            return notified.at
        held = ", ".join(held_alerts(self._alertmanager)) or "nothing"
        return f"no notification; Alertmanager holds {held}"

    def _runbook(self) -> float | str:
        notified = self._notification("firing")
        url = notified.annotations.get("runbook_url") if notified else None
        if not url:
            return "the notification carries no runbook_url"
        self.timeline.runbook_url = url
        try:
            answer = httpx.get(url, timeout=_RUNBOOK_TIMEOUT_S, trust_env=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{url}: {error}"
        if answer.status_code != 200:
            return f"{url} answered {answer.status_code}"
        if self.timeline.alert not in answer.text:
            return f"{url} answered 200, but the page does not name {self.timeline.alert}"
        return time.monotonic()

    def _resolved(self) -> float | str:
        alert = self._current()
        if alert is not None:
            return f"{alert.name} is still {alert.state}"
        notified = self._notification("resolved")
        if notified is None:
            return f"{self.timeline.alert} is no longer active, but no notification said so"
        return notified.at

    def _notification(self, status: str) -> Notified | None:
        return self._webhook.find(
            lambda notified: (
                notified.at >= self._zero
                and notified.status == status
                and notified.concerns(self.timeline.alert, self.timeline.labels)
            )
        )

    def _others(self) -> str:
        active = ", ".join(f"{alert.name} ({alert.state})" for alert in self.alerts)
        return f"active alerts: {active or 'none'}"
