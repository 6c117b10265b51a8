"""Links into Grafana's Explore: from a graph to the logs and traces of the same time, from a line to its trace.

Explore reads its state from the address as JSON. Grafana fills in its variables when the link is
followed, so they must stand there as they are, between percent-encoded text.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote, unquote

from obs.generate.model import Source

_VARIABLE = re.compile(r"%24%7B[A-Za-z_.]+(?:%3A[a-z]+)?%7D")


def link(source: Source, query: str) -> str:
    """Return the address that asks `query` of `source` (Loki or Tempo) over the time that is shown."""
    chosen = {"type": source, "uid": f"${{{source}}}"}
    asked = {"datasource": chosen, "refId": "A"}
    asked |= {"expr": query} if source == "loki" else {"query": query, "queryType": "traceql"}
    pane = {
        "datasource": chosen["uid"],
        "queries": [asked],
        "range": {"from": "${__from}", "to": "${__to}"},
    }
    text = quote(json.dumps({"obs": pane}, separators=(",", ":"), sort_keys=True), safe="")
    return "/explore?schemaVersion=1&panes=" + _VARIABLE.sub(lambda found: unquote(found.group()), text)
