"""The labels that an alert will carry, as far as its rule tells them."""

from __future__ import annotations

from functools import lru_cache

from obs.lint.promql.labels import ANY, Labels, produced
from obs.lint.read import matchers
from obs.lint.read.rules import Rule
from obs.lint.settings import Settings

#: Severities that say themselves that nobody is to be told.
QUIET = frozenset({"none", "info", "informational", "silent"})


def of(alert: Rule, settings: Settings) -> matchers.Labels:
    """Return the name, the static labels, and what the series may add.

    A label with a template in its value is unknown, and so are those that the server adds (setting `labels`).
    """
    certain = {"alertname": alert.name.value}
    templated = set(settings.labels)
    for name in {*alert.group.labels, *alert.labels}:
        value = alert.label(name)
        if "{{" in value:
            templated.add(name)
        else:
            certain[name] = value
    own = _produced(alert)
    return matchers.Labels(certain, own.names | templated, own.is_open)


@lru_cache(maxsize=20_000)
def _produced(alert: Rule) -> Labels:
    query = alert.query
    if query is None or query.language != "promql" or query.parsed.root is None:
        return ANY
    return produced(query.parsed.root, lambda _: ANY)


def is_heartbeat(alert: Rule) -> bool:
    """Tell whether an alert fires always, on purpose: whoever misses it knows that the way of alerts is broken."""
    names = {"watchdog", "deadmansswitch", "deadmanswitch", "heartbeat", "alwaysfiring"}
    text = alert.query.text.value if alert.query is not None else ""
    return alert.name.value.lower() in names or "".join(text.split()) in {"vector(1)", "1"}
