"""The part that keeps metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs.runtime import endpoints, instruments
from obs.runtime.parts.part import Part, Report
from obs.runtime.settings import Settings

if TYPE_CHECKING:
    from obs.runtime.metrics.backend import Metrics


class MetricsPart(Part):
    """Handles bound to series, and the endpoint that shows them."""

    name = "metrics"
    settings = ("metrics", "dialect", "series_cap", "version", "metrics_workers", "metrics_dir")
    cost = "metrics began again at zero"

    def __init__(self) -> None:
        self.metrics: Metrics | None = None

    def start(self, settings: Settings) -> None:
        """Bind every handle, unless metrics are off."""
        if not settings.metrics:
            self.stop(0.0)
            return
        from obs.runtime.metrics.backend import Metrics

        self.metrics = Metrics(settings)
        instruments.attach_all(self.metrics)
        endpoints.use(self.metrics)

    def stop(self, timeout: float) -> bool:  # noqa: ARG002 - nothing waits here
        """Make every handle inert."""
        metrics, self.metrics = self.metrics, None
        endpoints.use(None)
        instruments.attach_all(None)
        if metrics is not None:
            metrics.close()
        return True

    def hold(self) -> None:
        """Share the numbers so far: a child will have its own."""
        if self.metrics is not None:
            self.metrics.hold()

    def renew(self) -> None:
        """Count from zero in the child."""
        if self.metrics is not None:
            self.metrics.renew()

    def describe(self, report: Report) -> None:
        """Say whether metrics are kept."""
        if self.metrics is None:
            report.skipped[self.name] = "setting metrics is false"
        else:
            report.on.append(self.name)
