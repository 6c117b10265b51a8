"""Exceptions that nobody handled, and those that somebody did and wants to know about."""

from obs.runtime.crashes.report import Mechanism, unhandled

__all__ = ["Mechanism", "unhandled"]
