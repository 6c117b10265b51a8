"""Exceptions that nobody handled, and those that somebody did and wants to know about."""

from obs.runtime.crashes.report import Mechanism, capture, unhandled

__all__ = ["Mechanism", "capture", "unhandled"]
