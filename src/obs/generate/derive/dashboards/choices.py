"""What a reader chooses at the head of a dashboard, and what is marked on every graph."""

from __future__ import annotations

from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Annotation, Variable

#: The choice of each data source, under the names that `render.grafana_queries` asks for.
PROMETHEUS = Variable("datasource", "Prometheus", "datasource", "prometheus")
LOKI = Variable("loki", "Loki", "datasource", "loki")
TEMPO = Variable("tempo", "Tempo", "datasource", "tempo")
#: Text that log lines must hold; everything does at first.
SEARCH = Variable("search", "Log text", "textbox")

ENVIRONMENT = 'environment=~"$environment"'
INSTANCE = 'instance=~"$instance"'
SERVICE = 'service=~"$service"'


def environment(selector: str) -> Variable:
    """Return the choice among the environments that series of `selector` have."""
    return Variable("environment", "Environment", "query", f"label_values({selector}, environment)")


def instance(selector: str) -> Variable:
    """Return the choice among the instances of the chosen environments."""
    return Variable("instance", "Instance", "query", f"label_values({_and(selector, ENVIRONMENT)}, instance)")


def service(selector: str, label: str, known: tuple[str, ...]) -> Variable:
    """Return the choice among the services in `label`; all are those `known`, whatever others there are."""
    query = f"label_values({_and(selector, ENVIRONMENT)}, {label})"
    return Variable("service", "Service", "query", query, "|".join(known))


def firing(ask: Queries, *matchers: str) -> Annotation:
    """Mark where an alert fires."""
    alerts = ask.names.selector("ALERTS", *matchers, 'alertstate="firing"')
    return Annotation("Firing alerts", ask.checked(alerts), "{{alertname}}", "{{instance}}", "severity")


def deployments(expr: str, title: str) -> Annotation:
    """Mark where `expr` finds a version that is new, see `obs.generate.derive.guidance.versions`."""
    return Annotation("Deployments", expr, title, "{{environment}}", "environment", "blue")


def _and(selector: str, matcher: str) -> str:
    return f"{selector[:-1]}, {matcher}}}"
