"""Queries about many services at once, each in its own words and asked once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from obs.generate.derive.capabilities import registry
from obs.generate.derive.capabilities.capability import Headline
from obs.generate.derive.dashboards import choices
from obs.generate.derive.gaps import CannotDerive
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.guidance.versions import version_label
from obs.generate.derive.promql import printed
from obs.generate.derive.slo.series import recorded
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import Service


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every service with what asks about it; a query holds for all services that would write it alike."""

    asks: tuple[tuple[Service, Queries], ...]

    @classmethod
    def of(cls, services: Sequence[Service]) -> Fleet:
        """Return the fleet of `services`."""
        return cls(tuple((service, _ask(service)) for service in services))

    def query(self, write: Callable[[Service, Queries], str | None]) -> str:
        """Return what `write` says of each service, each text once, joined; empty when none can answer."""
        return self._joined(lambda service, ask: (0, write(service, ask)))

    def headline(self, part: Callable[[Headline], str]) -> str:
        """Return one part of the headline of what each service mainly does."""

        def write(service: Service, ask: Queries) -> tuple[int, str | None]:
            for rank, one in enumerate(registry.REGISTRY):
                if one.headline is not None and one in registry.of(service):
                    return rank, part(one.headline(ask))
            return 0, None

        return self._joined(write)

    def _joined(self, write: Callable[[Service, Queries], tuple[int, str | None]]) -> str:
        texts: dict[str, int] = {}
        for service, ask in self.asks:
            with contextlib.suppress(CannotDerive):
                rank, text = write(service, ask)
                if text is not None:
                    texts.setdefault(ask.checked(text), rank)
        # A service that does several kinds of work has the answer of the first of them.
        return printed(" or ".join(sorted(texts, key=lambda text: texts[text]))) if texts else ""

    @property
    def version(self) -> str:
        """The label that holds the version."""
        _, ask = self.asks[0]
        return version_label(ask)

    def alerts(self, *where: str) -> str:
        """Return the selector of firing alerts."""
        _, ask = self.asks[0]
        plain = replace(ask, names=replace(ask.names, select={}))
        return plain.checked(plain.names.selector("ALERTS", *ask.matchers, 'alertstate="firing"', *where))


def _ask(service: Service) -> Queries:
    # The reader chooses the services and the environment.
    mine = {"service", "environment", "instance"}
    select = {name: value for name, value in service.select.items() if name not in mine}
    names = replace(Vocabulary.of(service, recorded(service)), select=select)
    return Queries(service, names, (choices.SERVICE, choices.ENVIRONMENT))
