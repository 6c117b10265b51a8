"""A service's signals as PromQL selectors, in its dialect, with its labels filled in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from obs.catalogue import Histogram
from obs.catalogue.http import CLIENT_REQUESTS, ERROR_TYPE, ROUTE, SERVER_DURATION, SERVER_REQUESTS, STATUS
from obs.catalogue.signal import Signal
from obs.generate.model import Service

#: A matcher on a label of a signal: dotted name, operator, value.
Match = tuple[str, str, str]

#: Answers that are the service's own failure.
SERVER_ERROR: Match = (STATUS.name, "=~", "5..")
#: Calls that failed, for whatever reason.
CALL_FAILED: Match = (ERROR_TYPE.name, "!=", "")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Writes selectors for one service.

    `matchers` are ready-made matchers on target labels that every selector carries, such as
    ``service="payments"``.
    """

    service: Service
    matchers: tuple[str, ...]

    def series(self, signal: Signal, *where: Match, part: str = "") -> str:
        """Return a selector of `signal`; `part` is ``_bucket``, ``_count`` or ``_sum`` of a histogram."""
        own = self._declared(signal)
        chosen = [f'{self.label(own, name)}{operator}"{value}"' for name, operator, value in where]
        return f"{own.named(self.service.dialect)}{part}{{{', '.join([*self.matchers, *chosen])}}}"

    def label(self, signal: Signal, name: str) -> str:
        """Return the Prometheus name of a signal's label. Raises `KeyError` when it has none of that name."""
        label = self._declared(signal).label(name)
        if label is None:
            raise KeyError(name)
        return label.named(self.service.dialect)

    def by(self, signal: Signal, *names: str) -> str:
        """Return a ``by (...)`` clause over labels of `signal`."""
        return f"by ({', '.join(self.label(signal, name) for name in names)})"

    def target(self, *labels: str) -> str:
        """Return the target labels of the service as a selector without a name, for logs."""
        return "{" + ", ".join([*self.matchers, *labels]) + "}"

    def _declared(self, signal: Signal) -> Signal:
        """Return what the service's own contract says about the signal, bounds of buckets included."""
        return self.service.signals.find(signal.id) if signal.id in self.service.signals else signal

    # What several pages and panels ask of HTTP.

    @property
    def route(self) -> str:
        """The label that holds the route template."""
        return self.label(SERVER_REQUESTS, ROUTE.name)

    @property
    def status(self) -> str:
        """The label that holds the status code."""
        return self.label(SERVER_REQUESTS, STATUS.name)

    def requests(self, window: str, *where: Match) -> str:
        """Return requests a second."""
        return f"rate({self.series(SERVER_REQUESTS, *where)}[{window}])"

    def failures(self, window: str) -> str:
        """Return requests a second that ended with a server error."""
        return self.requests(window, SERVER_ERROR)

    def failed_calls(self, window: str) -> str:
        """Return outgoing calls a second that failed."""
        return f"rate({self.series(CLIENT_REQUESTS, CALL_FAILED)}[{window}])"

    def latency(self, quantile: str, window: str, *by: str) -> str:
        """Return a quantile of the request duration, in seconds, split by the Prometheus labels `by`."""
        buckets = f"rate({self.series(SERVER_DURATION, part='_bucket')}[{window}])"
        return f"histogram_quantile({quantile}, sum by ({', '.join([*by, 'le'])}) ({buckets}))"

    def buckets(self, signal: Histogram) -> tuple[float, ...]:
        """Return the finite bounds that the service's contract declares."""
        own = self._declared(signal)
        return own.buckets if isinstance(own, Histogram) else signal.buckets


def speak(service: Service) -> Vocabulary:
    """Return the vocabulary of `service` with the labels that its spec selects."""
    return Vocabulary(service, tuple(f'{name}="{value}"' for name, value in sorted(service.select.items())))


def percent(ratio: Decimal) -> str:
    """Write a ratio as a person reads it: 0.05 is ``5 %``."""
    return f"{(ratio * 100).normalize():f} %"


def seconds(value: Decimal) -> str:
    """Write a span as a person reads it: 0.25 is ``250 ms``."""
    return f"{(value * 1000).normalize():f} ms" if value < 1 else f"{value.normalize():f} s"
