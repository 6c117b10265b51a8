"""Audit and security events, in a stream of their own whose lines are chained."""

from obs.runtime.events.record import audit, security_event

__all__ = ["audit", "security_event"]
