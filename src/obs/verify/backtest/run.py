"""A backtest: specs and the history of a server in, what each alert would have done out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from obs.generate.derive import rules
from obs.generate.derive.capabilities.logs import table as logs
from obs.generate.model import Skipped
from obs.generate.spec.load import load
from obs.verify.backtest.asking import ask
from obs.verify.backtest.history import History
from obs.verify.backtest.plan import Judged, Period, ServicePlan


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a backtest will ask."""

    plans: tuple[ServicePlan, ...]
    #: Alerts that the metrics of a service cannot express.
    skipped: tuple[Skipped, ...]
    #: (service, alert) of the alerts on log lines, which Prometheus knows nothing of.
    on_logs: tuple[tuple[str, str], ...]

    @property
    def queries(self) -> int:
        """How many queries it takes."""
        return sum(plan.queries for plan in self.plans)

    def run(self, history: History, *, parallel: int, report: Callable[[], object]) -> list[Judged]:
        """Ask, service after service, and judge; `report` is called after each query.

        Raises `VerifyError` when the server is absent or does not answer any more.
        """
        closed = history.version() < (3, 0)
        found: list[Judged] = []
        for plan in self.plans:
            answers = ask(history, plan.questions, parallel=parallel, report=report)
            found += plan.judge(answers, closed=closed)
        return found


def prepare(specs: Sequence[Path], period: Period, *, environment: str | None = None) -> Backtest:
    """Return the backtest of all alerts of `specs` in a period; asks nothing yet.

    `environment` lays the overlay of that name upon each spec. Raises `SpecError` or another `ObsError`
    for what a person got wrong.
    """
    plans: list[ServicePlan] = []
    skipped: list[Skipped] = []
    on_logs: list[tuple[str, str]] = []
    for service in load(specs, environment, None):
        derived = rules.derive_rules(service)
        plans.append(ServicePlan(service.name, derived.files, period))
        skipped += derived.skipped
        lines = logs.rule_file(service)
        on_logs += [(service.name, alert.name) for alert in lines.alerts] if lines else []
    return Backtest(tuple(plans), tuple(skipped), tuple(on_logs))
