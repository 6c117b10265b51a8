"""Queries about one service, in its dialect and with its labels filled in, for runbooks and panels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from obs.catalogue import Histogram, Signal
from obs.catalogue.http import CLIENT_REQUESTS, ERROR_TYPE, ROUTE, SERVER_DURATION, SERVER_REQUESTS, STATUS
from obs.catalogue.process import CPU_LIMIT, CPU_TIME, MEMORY_LIMIT, MEMORY_USAGE
from obs.generate.derive.promql import checked
from obs.generate.derive.vocabulary import Vocabulary, escape
from obs.generate.model import Alert, Duration, Service

#: A matcher on a label of a signal: dotted name, operator, value.
Match = tuple[str, str, str]

#: Answers that are the service's own failure.
SERVER_ERROR: Match = (STATUS.name, "=~", "5..")
#: Calls that failed, for whatever reason.
CALL_FAILED: Match = (ERROR_TYPE.name, "!=", "")
#: Series that the rules of an SLO record, under sloth's names.
BURN_RATE = "slo:current_burn_rate:ratio"
BUDGET_LEFT = "slo:period_error_budget_remaining:ratio"


@dataclass(frozen=True, slots=True)
class Queries:
    """Writes queries about `service`; `matchers` go into every selector besides the service's own."""

    service: Service
    names: Vocabulary
    matchers: tuple[str, ...] = ()

    def checked(self, text: str) -> str:
        """Return `text` laid out, proven against the contract; raise `UnknownSignal` where it is not."""
        return checked(text, self.names)

    def series(self, signal: Signal, *where: Match, part: str = "") -> str:
        """Return a selector; `part` is ``_bucket``, ``_count`` or ``_sum`` of a histogram."""
        chosen = [f'{self.label(signal, name)}{operator}"{value}"' for name, operator, value in where]
        return self.names.selector(self.names.metric(signal.id) + part, *self.matchers, *chosen)

    def label(self, signal: Signal, name: str) -> str:
        """Return the Prometheus name of a label of `signal`."""
        return self.names.label(signal.id, name)

    def by(self, signal: Signal, *names: str) -> str:
        """Return a ``by (...)`` clause over labels of `signal`."""
        return f"by ({', '.join(self.label(signal, name) for name in names)})"

    def slo(self, record: str, slo: str) -> str:
        """Return a selector of what the rules of one SLO record."""
        # Recorded series keep of the target labels only these two.
        kept = {
            name: value for name, value in self.names.select.items() if name in {"service", "environment"}
        }
        names = replace(self.names, select=kept)
        return names.selector(record, *self.matchers, f'sloth_slo="{escape(slo)}"')

    def stream(self) -> str:
        """Return the selector of the service's log lines."""
        pairs = (f'{name}="{escape(value)}"' for name, value in sorted(self.service.select.items()))
        return "{" + ", ".join(pairs) + "}"

    @property
    def route(self) -> str:
        """The label that holds the route template."""
        return self.label(SERVER_REQUESTS, ROUTE.name)

    @property
    def status(self) -> str:
        """The label that holds the status code."""
        return self.label(SERVER_REQUESTS, STATUS.name)

    def requests(self, window: str, *where: Match, offset: str = "") -> str:
        """Return requests a second, `offset` before now."""
        back = f" offset {offset}" if offset else ""
        return f"rate({self.series(SERVER_REQUESTS, *where)}[{window}]{back})"

    def failures(self, window: str) -> str:
        """Return requests a second that ended with a server error."""
        return self.requests(window, SERVER_ERROR)

    def failed_calls(self, window: str) -> str:
        """Return outgoing calls a second that failed."""
        return f"rate({self.series(CLIENT_REQUESTS, CALL_FAILED)}[{window}])"

    def quantile(self, rank: str, signal: Histogram, window: str, *by: str) -> str:
        """Return a quantile of a histogram, split by the Prometheus labels `by`."""
        buckets = f"rate({self.series(signal, part='_bucket')}[{window}])"
        quantile = f"histogram_quantile({rank}, sum by ({', '.join([*by, 'le'])}) ({buckets}))"
        return self.names.converted(signal.id, quantile)

    def latency(self, rank: str, window: str, *by: str) -> str:
        """Return a quantile of the request duration, in seconds."""
        return self.quantile(rank, SERVER_DURATION, window, *by)

    def cpu_share(self, window: str) -> str:
        """Return CPU time used a second over CPUs allowed, by instance."""
        return (
            f"sum by (instance) (rate({self.series(CPU_TIME)}[{window}])) "
            f"/ max by (instance) ({self.series(CPU_LIMIT)})"
        )

    def memory_share(self) -> str:
        """Return memory used over memory allowed, by instance."""
        return (
            f"sum by (instance) ({self.series(MEMORY_USAGE)}) "
            f"/ max by (instance) ({self.series(MEMORY_LIMIT)})"
        )


def look_back(alert: Alert) -> str:
    """Return the window that queries about `alert` use: its own, or five minutes where it has none."""
    return str(alert.window or Duration.parse("5m"))


def spell(window: str) -> str:
    """Write a window for a sentence: ``5m`` is ``5 minutes``."""
    return Duration.parse(window).words


def percent(ratio: Decimal) -> str:
    """Write a ratio as a person reads it: 0.05 is ``5 %``."""
    return f"{(ratio * 100).normalize():f} %"


def seconds(value: Decimal) -> str:
    """Write a span as a person reads it: 0.25 is ``250 ms``."""
    return f"{(value * 1000).normalize():f} ms" if value < 1 else f"{value.normalize():f} s"
