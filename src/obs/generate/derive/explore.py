"""Links into Grafana's Explore: the logs and the traces of a service, around the time of an alert.

Explore reads its state from ``panes``, a JSON text in the address. It is encoded here, once; only the
environment is left to the template of an annotation, as an action that encodes itself.
"""

from __future__ import annotations

import json
from urllib.parse import quote

from obs.generate.derive.vocabulary import escape
from obs.generate.model import Service

#: How an annotation writes a label of its alert into an address.
_ENVIRONMENT = "{{ $labels.environment | urlquery }}"
#: Stands for the environment until the text is encoded; no query holds this character.
_HOLE = "\ue000"
#: Lines that tell of trouble; the field is the one of `obs.catalogue.log`.
ERROR_LINES = '| level =~ "error|critical"'
_TROUBLE = "(status = error || duration > 1s)"


def logs_url(service: Service, stages: str = ERROR_LINES) -> str:
    """Return the link to the log lines of `service` in the alert's environment, the last hour of them.

    `stages` are what follows the selector of the stream.
    """
    select = {"environment": _HOLE, **service.select}
    matchers = ", ".join(f'{name}="{escape(value)}"' for name, value in sorted(select.items()))
    return _explore(service, "loki", service.links.logs, {"expr": f"{{{matchers}}} {stages}".strip()})


def traces_url(service: Service) -> str:
    """Return the link to the traces of `service` that failed or took long, of the last hour."""
    environment = service.select.get("environment", _HOLE)
    query = (
        f'{{resource.service.name = "{escape(service.name)}" && '
        f'resource.deployment.environment.name = "{escape(environment)}" && {_TROUBLE}}}'
    )
    return _explore(service, "tempo", service.links.traces, {"query": query, "queryType": "traceql"})


def _explore(service: Service, kind: str, uid: str, query: dict[str, str]) -> str:
    pane = {
        "datasource": uid,
        "queries": [{"datasource": {"type": kind, "uid": uid}, "refId": "A", **query}],
        "range": {"from": "now-1h", "to": "now"},
    }
    text = json.dumps({"obs": pane}, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    panes = quote(text, safe="").replace(quote(_HOLE), _ENVIRONMENT)
    return f"{service.links.grafana}/explore?schemaVersion=1&panes={panes}"
