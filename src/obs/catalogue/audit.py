"""Audit and security events: how many, and how many could not be written."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Label

#: Actions that every service has; own ones are upper-case words, too.
ACTIONS = (
    "CREATE", "UPDATE", "DELETE", "LOGIN", "LOGOUT", "PAYMENT", "ORDER", "REFUND", "INVENTORY", "ADMIN_ACTION",
)  # fmt: skip
OUTCOMES = ("success", "failure", "denied", "other")

ACTION = Label("action", "What was done.", bounded=False)
OUTCOME = Label("outcome", "How it ended.", OUTCOMES)
KIND = Label("kind", "What kind of security event.", bounded=False)
STREAM = Label("stream", "Which stream lost it.", ("audit", "security"))

EVENTS = Counter(
    id="audit.events",
    metric="audit_events_total",
    help="Audit events.",
    unit="{event}",
    labels=(ACTION, OUTCOME),
)
SECURITY = Counter(
    id="security.events",
    metric="security_events_total",
    help="Security events.",
    unit="{event}",
    labels=(KIND,),
)
LOST = Counter(
    id="audit.lost",
    metric="audit_lost_total",
    help="Audit and security events that could not be written.",
    unit="{event}",
    labels=(STREAM,),
)

SIGNALS = (EVENTS, SECURITY, LOST)
