"""The part that keeps metrics."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from obs.runtime import endpoints, guard, instruments, logger
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
        self._settings: Settings | None = None

    def change(self, before: Settings, wanted: Settings) -> str:
        """Go over to other settings; numbers stay where they can."""
        metrics, self.metrics = self.metrics, None
        # A process that goes on does not push: its numbers are not final.
        if metrics is not None and all(
            getattr(before, name) == getattr(wanted, name) for name in self.settings
        ):
            self.metrics, self._settings = metrics, wanted
            return ""
        if metrics is not None:
            metrics.close()
        self.start(wanted)
        return self.cost

    def start(self, settings: Settings) -> None:
        """Bind every handle, unless metrics are off."""
        if not settings.metrics:
            self.stop(0.0)
            return
        from obs.runtime.metrics.backend import Metrics

        self.metrics, self._settings = Metrics(settings), settings
        instruments.attach_all(self.metrics)
        endpoints.use(self.metrics)

    def stop(self, timeout: float) -> bool:
        """Push what no scrape could see, and make every handle inert."""
        metrics, self.metrics = self.metrics, None
        delivered = True
        if metrics is not None:
            with guard.contained("metrics"):
                delivered = self._push(metrics, time.monotonic() + timeout)
        endpoints.use(None)
        instruments.attach_all(None)
        if metrics is not None:
            metrics.close()
        return delivered

    def _push(self, metrics: Metrics, ends: float) -> bool:
        """Send everything to the collector when that is wanted; return whether nothing is lost."""
        settings = self._settings
        if settings is None or settings.metrics_push == "off" or not metrics.speaks_for_all:
            return True
        if settings.metrics_push == "auto" and (endpoints.offered() or metrics.scraped_elsewhere()):
            # One path for the metrics of a service: what is scraped must not come a second time.
            return True
        if not (settings.metrics_endpoint or settings.otlp_endpoint) or time.monotonic() >= ends:
            return True
        from obs.runtime.otel.push import push

        answer = push(settings, metrics.measured(), ends - time.monotonic())
        if answer.verdict == "delivered":
            return True
        if answer.reason:
            logger.get_logger("obs").warning(f"metrics were not delivered at exit: {answer.reason}")
        return False

    def hold(self) -> None:
        """Share the numbers so far: a child will have its own."""
        if self.metrics is not None:
            self.metrics.hold()

    def resume(self) -> None:
        """Go on in the parent."""
        if self.metrics is not None:
            self.metrics.resume()

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
