"""What `obs demo` shows while it works: a live picture in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import deque
from types import TracebackType

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from obs.stack.progress import Progress
from obs.verify.drill import STEPS, Drill, Timeline
from obs.verify.load import Load

#: Step -> what is waited for, in the words of somebody who sees it for the first time.
MEANING = {
    "fault": "the fault switch makes every second charge of payments fail",
    "pending": "Prometheus sees more errors than the rule allows",
    "firing": "the errors have lasted as long as the rule asks for",
    "notified": "Alertmanager has posted the alert to the webhook of this demo",
    "runbook": "the link in the notification opens the runbook of this alert",
    "repaired": "the fault switch is off again",
    "resolved": "the errors have left the window, and Alertmanager has said so",
}
_STATE_STYLE = {"pending": "yellow", "firing": "bold red"}
_BARS = "▁▂▃▄▅▆▇█"
_QUIET_S = 10.0


class View:
    """Shows progress, traffic, alerts, steps and links; a context manager.

    `report` and `seen` are handed to whatever does the work. All of it goes to stderr: stdout
    is for the timeline.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live: Live | None = None
        self._progress = Progress("")
        self._told: tuple[str, float] = ("", 0.0)
        self._spinner = Spinner("dots")
        self._history: deque[float] = deque(maxlen=60)
        self._sampled = 0.0
        self._load: Load | None = None
        self._drill: Drill | None = None
        self._links: dict[str, str] = {}
        self._footer = "Ctrl-C stops everything and cleans up"

    @property
    def is_live(self) -> bool:
        """Whether there is a terminal to draw on."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    def __enter__(self) -> View:  # noqa: PYI034 - nobody derives from it
        if self.is_live:
            self._live = Live(get_renderable=self._picture, console=self._console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def report(self, progress: Progress) -> None:
        """Show how far the current step is."""
        self._progress = progress
        if self._live is not None:
            if progress.finished and progress.seconds >= 0.05:
                self._live.console.print(Text.assemble(("✓ ", "green"), str(progress)))
            return
        step, at = self._told
        name = progress.step.partition(":")[0]
        # One line at the end of a step; on the way only what takes long, now and then.
        quiet = step == name and progress.seconds - at < _QUIET_S
        if progress.finished or (progress.seconds >= 1 and not quiet):
            self._told = (name, progress.seconds)
            click.echo(str(progress), err=True)

    def seen(self, step: str, seconds: float) -> None:
        """Tell that a step of the drill was seen."""
        if self._live is None:
            click.echo(f"{step} after {seconds:.1f} s: {MEANING[step]}", err=True)

    def watch(self, load: Load, drill: Drill, links: dict[str, str]) -> None:
        """Show traffic, alerts, steps and links from now on."""
        self._load, self._drill, self._links = load, drill, links

    def end(self) -> None:
        """Say that there is nothing more to wait for, only to look at."""
        self._footer = "The shop stays up: look around. Ctrl-C stops everything and cleans up"

    def _picture(self) -> RenderableType:
        if self._load is None or self._drill is None:
            return self._busy()
        parts: list[RenderableType] = [Text()]
        if self._drill.timeline.steps:
            parts.append(self._steps(self._drill.timeline))
        else:
            parts.append(self._busy())
        parts += [Text(), self._traffic(self._load), self._alerts(self._drill), Text(), self._link_list()]
        parts += [Text(), Text(self._footer, style="dim")]
        return Group(*parts)

    def _busy(self) -> RenderableType:
        self._spinner.update(text=str(self._progress) or "starting")
        return self._spinner

    def _steps(self, timeline: Timeline) -> Table:
        table = Table.grid(padding=(0, 2))
        seen, missed = dict(timeline.steps), timeline.missed
        waiting = next((step for step in STEPS if step not in seen), None)
        for step in STEPS:
            if step in seen:
                table.add_row(Text("✓", "green"), step, f"{seen[step]:6.1f} s", Text(MEANING[step], "dim"))
            elif missed is not None and step == missed.step:
                table.add_row(Text("✗", "red"), Text(step, "red"), "missed", Text(missed.seen, "red"))
            elif missed is None and step == waiting:
                elapsed = time.time() - timeline.fault_at
                table.add_row(self._spinner_mark(), Text(step, "bold"), f"{elapsed:6.1f} s", MEANING[step])
            else:
                table.add_row(Text("·", "dim"), Text(step, "dim"), "", "")
        return table

    def _spinner_mark(self) -> RenderableType:
        self._spinner.update(text="")
        return self._spinner

    def _traffic(self, load: Load) -> Table:
        traffic = load.traffic()
        if time.monotonic() - self._sampled >= 1:
            self._sampled = time.monotonic()
            self._history.append(traffic.error_ratio)
        style = "red" if traffic.error_ratio >= 0.05 else "green"
        bars = "".join(_BARS[round(ratio * (len(_BARS) - 1))] for ratio in self._history)
        table = Table.grid(padding=(0, 2))
        table.add_row(
            "traffic", f"{traffic.rate:.1f} requests/s", Text(f"{traffic.error_ratio:.0%} errors", style)
        )
        table.add_row("", "errors, last minute", Text(bars, style))
        return table

    def _alerts(self, drill: Drill) -> Table:
        table = Table.grid(padding=(0, 2))
        alerts = [alert for alert in drill.alerts if alert.labels.get("severity") != "none"]
        for number, alert in enumerate(alerts):
            table.add_row(
                "" if number else "alerts ",
                Text(alert.state, _STATE_STYLE.get(alert.state, "")),
                alert.name,
                Text(alert.labels.get("service", ""), "dim"),
            )
        if not alerts:
            table.add_row("alerts ", Text("none", "green"))
        return table

    def _link_list(self) -> Table:
        table = Table.grid(padding=(0, 2))
        links = dict(self._links)
        if self._drill is not None and self._drill.timeline.runbook_url:
            links["runbook"] = self._drill.timeline.runbook_url
        for name, url in links.items():
            table.add_row(name, Text(url, f"cyan link {url}"))
        return table
