"""What people write where a key, a label or an annotation of another name is meant."""

from __future__ import annotations

#: Annotations that go by several names; whatever reads them knows one.
_ANNOTATIONS = {
    "runbook": "runbook_url",
    "runbook_link": "runbook_url",
    "runbook-url": "runbook_url",
    "runbookurl": "runbook_url",
    "runbooklink": "runbook_url",
    "run_book": "runbook_url",
    "playbook": "runbook_url",
    "playbook_url": "runbook_url",
    "dashboard": "dashboard_url",
    "dashboard_link": "dashboard_url",
    "dashboardurl": "dashboard_url",
    "desc": "description",
    "title": "summary",
}
_LABELS = frozenset(
    {
        "severity",
        "service",
        "team",
        "owner",
        "tier",
        "category",
        "environment",
        "env",
        "priority",
        "component",
        "cluster",
    }
)
_TEXTS = frozenset({"summary", "description", "runbook_url", "dashboard_url", "message"})


def annotation(name: str) -> str:
    """Return the name that is usual for what somebody calls `name`; empty when it is usual, or unknown."""
    found = _ANNOTATIONS.get(name.lower(), "")
    return "" if found == name else found


def block(key: str) -> str:
    """Return ``labels`` or ``annotations`` for a key that belongs there; empty when nobody can tell."""
    if key in _LABELS:
        return "labels"
    if key in _TEXTS or annotation(key):
        return "annotations"
    return ""
