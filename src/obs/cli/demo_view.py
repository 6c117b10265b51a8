"""What `obs demo` shows while it works: a live picture in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
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
    "fault": "every second charge of payments fails from now on",
    "pending": "Prometheus sees more errors than the rule allows",
    "firing": "the errors have lasted as long as the rule asks for",
    "notified": "Alertmanager has posted it to the webhook of this demo",
    "runbook": "the link in the notification opens the alert's runbook",
    "repaired": "the fault switch is off again",
    "resolved": "the errors left the window, and Alertmanager said so",
}
_STATE_STYLE = {"pending": "yellow", "firing": "bold red"}
_BARS = "▁▂▃▄▅▆▇█"
#: Share of errors that fills a bar.
_FULL_BAR = 0.25
_BAR_UNIT = "  per second"
#: Where heads end and values begin.
_INDENT = 15
_GAP = 2
#: Lines of a terminal in which there is room for blank ones.
_ROOMY = 24
#: Without a terminal: when a step under way gets a line of its own, and when the next one.
_WORTH_A_LINE_S = 3.0
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
        self._busy = Spinner("dots")
        self._mark = Spinner("dots")
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
            # The picture goes when the work is over: its links lead nowhere then, the timeline stays.
            self._live = Live(
                get_renderable=self._picture, console=self._console, refresh_per_second=8, transient=True
            )
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
        due = at + _QUIET_S if step == name else _WORTH_A_LINE_S
        if progress.finished or progress.seconds >= due:
            self._told = (name, progress.seconds)
            click.echo(str(progress), err=True)

    def seen(self, step: str, seconds: float) -> None:
        """Tell that a step of the drill was seen."""
        if self._live is None:
            click.echo(f"{step} after {seconds:.1f} s: {MEANING[step]}", err=True)

    @contextmanager
    def watching(self, load: Load, drill: Drill, links: dict[str, str]) -> Iterator[None]:
        """Show traffic, alerts, steps and links while the block runs."""
        self._load, self._drill, self._links = load, drill, links
        try:
            yield
        finally:
            self._load = self._drill = None

    def end(self) -> None:
        """Say that there is nothing more to wait for, only to look at."""
        self._footer = "The shop stays up. Ctrl-C stops everything and cleans up"

    def _picture(self) -> RenderableType:
        if self._load is None or self._drill is None:
            return self._what_is_done()
        timeline = self._drill.timeline
        middle = self._steps(timeline) if timeline.steps else self._what_is_done()
        gap = [Text()] if self._console.height >= _ROOMY else []
        return Group(
            *gap, middle,
            *gap, self._traffic(self._load), self._alerts(self._drill),
            *gap, self._link_list(timeline),
            *gap, _line(self._footer, "dim"),
        )  # fmt: skip

    def _what_is_done(self) -> RenderableType:
        self._busy.update(text=str(self._progress) or "starting")
        return self._busy

    def _steps(self, timeline: Timeline) -> Table:
        table = _grid(3)
        seen, missed = dict(timeline.steps), timeline.missed
        waiting = next((step for step in STEPS if step not in seen), None)
        for step in STEPS:
            if step in seen:
                table.add_row(Text("✓", "green"), step, f"{seen[step]:5.1f} s", _line(MEANING[step], "dim"))
            elif missed is not None and step == missed.step:
                table.add_row(Text("✗", "red"), Text(step, "red"), "missed", Text(missed.seen, "red"))
            elif missed is None and step == waiting:
                elapsed = f"{time.time() - timeline.fault_at:5.1f} s"
                table.add_row(self._mark, Text(step, "bold"), elapsed, _line(MEANING[step]))
            else:
                table.add_row(Text("·", "dim"), Text(step, "dim"))
        return table

    def _traffic(self, load: Load) -> Table:
        traffic = load.traffic()
        if time.monotonic() - self._sampled >= 1:
            self._sampled = time.monotonic()
            self._history.append(traffic.error_ratio)
        style = "red" if traffic.error_ratio >= 0.05 else "green"
        table = _grid()
        now = Text.assemble(f"{traffic.rate:.1f} requests/s, ", (f"{traffic.error_ratio:.0%} errors", style))
        table.add_row(_head("traffic"), now)
        room = max(self._console.width - _INDENT - len(_BAR_UNIT), 1)
        bars = "".join(
            _BARS[round(min(ratio / _FULL_BAR, 1) * (len(_BARS) - 1))] for ratio in [*self._history][-room:]
        )
        table.add_row(_head("errors"), Text.assemble((bars, style), (_BAR_UNIT, "dim")))
        return table

    def _alerts(self, drill: Drill) -> Table:
        table = _grid()
        alerts = [alert for alert in drill.alerts if alert.labels.get("severity") != "none"]
        for number, alert in enumerate(alerts):
            state = Text(f"{alert.state:7}", _STATE_STYLE.get(alert.state, ""))
            service = Text(alert.labels.get("service", ""), "dim")
            table.add_row(
                _head("" if number else "alerts"), Text.assemble(state, "  ", alert.name, "  ", service)
            )
        if not alerts:
            table.add_row(_head("alerts"), Text("none", "green"))
        return table

    def _link_list(self, timeline: Timeline) -> Table:
        table = _grid()
        links = (
            self._links if timeline.runbook_url is None else {**self._links, "runbook": timeline.runbook_url}
        )
        for name, url in links.items():
            table.add_row(_head(name), Text(url, f"cyan link {url}"))
        return table


def _head(text: str) -> str:
    return f"{text:{_INDENT - _GAP}}"


def _grid(whole: int = 1) -> Table:
    """Return a table that keeps the first `whole` columns; a narrow terminal cuts the one after them."""
    table = Table.grid(padding=(0, _GAP))
    for _ in range(whole):
        table.add_column(no_wrap=True)
    return table


def _line(text: str, style: str = "") -> Text:
    """Return text that is cut where the terminal ends instead of taking a second line."""
    return Text(text, style, no_wrap=True, overflow="ellipsis")
