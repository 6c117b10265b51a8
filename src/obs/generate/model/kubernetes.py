"""How a service runs in Kubernetes, for the objects of the operator of Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """What the objects need beside the rules and dashboards; a spec without it has none of them."""

    namespace: str
    #: Labels of every object, by which the operator finds it.
    labels: Mapping[str, str] = field(default_factory=dict)
    #: Labels that pick the Kubernetes services to scrape; empty: ``app.kubernetes.io/name`` is the service.
    selector: Mapping[str, str] = field(default_factory=dict)
    #: Namespaces where those run; empty: the namespace of the objects.
    targets: tuple[str, ...] = ()
    port: str = "metrics"
    path: str = "/metrics"
    #: Labels by which the sidecar of Grafana finds dashboards.
    dashboards: Mapping[str, str] = field(default_factory=lambda: {"grafana_dashboard": "1"})
