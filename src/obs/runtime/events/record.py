"""Audit and security events: who did what to which thing, from where, and what it changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from obs.catalogue import audit as signals
from obs.errors import nearest
from obs.runtime import context, guard, live, logger
from obs.runtime.instruments import counter
from obs.runtime.redaction import NAME_LIMIT, clean, clean_value, plain_text

if TYPE_CHECKING:
    from obs.runtime.events.journal import Journal

EVENTS = counter(signals.EVENTS)
SECURITY = counter(signals.SECURITY)
_NOT_A_WORD = re.compile(r"[^A-Z0-9]+")
#: Names in a line that are ours; a field of that name gets a trailing underscore.
_OURS = frozenset({
    "timestamp", "stream", "event", "action", "kind", "resource", "actor", "outcome", "before", "after", "changed",
    "service", "version", "environment", "trace_id", "span_id", "request_id", "client", "chain_id", "sequence",
    "previous", "hmac", "hash", "lost", "parent", "key_id", "final", "pid", "signed",
})  # fmt: skip
_MOST_ASKED = 1_000
_journal: Journal | None = None
_asked: set[str] = set()


def write_to(journal: Journal | None) -> None:
    """Write every event to `journal`; None is before `init()`."""
    global _journal
    _journal = journal
    _asked.clear()


def audit(
    action: str,
    resource: Any,
    /,
    *,
    actor: Any,
    outcome: str = "success",
    before: Any = None,
    after: Any = None,
    **fields: Any,
) -> None:
    """Write down that `actor` did `action` to `resource`; never raises, never sampled.

    `action` is CREATE, UPDATE, DELETE, LOGIN, LOGOUT, PAYMENT, ORDER, REFUND, INVENTORY, ADMIN_ACTION or
    an upper-case word of your own. `outcome` is success, failure or denied. `before` and `after` are
    written without secrets, with the names of what changed between them. The caller's address and
    user agent, the ids of the request and the fields of `obs.bind` are added.
    """
    try:
        word = _action(action)
        ended = plain_text(outcome, NAME_LIMIT)
        EVENTS.inc(action=word, outcome=ended if ended in signals.OUTCOMES else "other")
        record = {
            "stream": "audit",
            "action": word,
            "resource": clean_value("resource", resource),
            "actor": clean_value("actor", actor),
            "outcome": ended,
        }
        for name, value in (("before", before), ("after", after)):
            if value is not None:
                record[name] = clean_value(name, value)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            record["changed"] = _changed(before, after)
        _write(record, fields)
    except Exception as error:
        guard.report("audit", error)


def security_event(kind: str, /, **fields: Any) -> None:
    """Write down an event of security, such as ``login.failed``; never raises, never sampled.

    The caller's address and user agent, the ids of the request and the fields of `obs.bind` are added.
    """
    try:
        name = plain_text(kind, NAME_LIMIT)
        SECURITY.inc(kind=name)
        _write({"stream": "security", "kind": name}, fields)
    except Exception as error:
        guard.report("audit", error)


def _write(record: dict[str, Any], fields: Mapping[str, Any]) -> None:
    trace_id, span_id, _ = live.span_ids()
    if trace_id:
        record["trace_id"], record["span_id"] = trace_id, span_id
    request = context.request_id.get()
    if request:
        record["request_id"] = request
    client = context.client.get()
    if client.address or client.user_agent:
        record["client"] = {"address": client.address, "user_agent": plain_text(client.user_agent)}
    for name, value in clean({**context.bound.get(), **fields}).items():
        record[f"{name}_" if name in _OURS else name] = value
    journal = _journal
    if journal is None:
        # Standard logging is all there is before `init()`.
        logger.get_logger("obs.audit").warning("audit event without init()", **record)
        return
    journal.write(record)


def _action(action: object) -> str:
    """Return an action as upper-case words; ask once about one that looks misspelt."""
    word = _NOT_A_WORD.sub("_", plain_text(action, NAME_LIMIT).upper()).strip("_") or "UNKNOWN"
    if word not in signals.ACTIONS and word not in _asked and len(_asked) < _MOST_ASKED:
        _asked.add(word)
        known = nearest(word, signals.ACTIONS)
        if known is not None:
            logger.get_logger("obs").warning(
                "audit action is close to a known one", event="obs.audit.action", got=word, known=known
            )
    return word


def _changed(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[str]:
    """Return the names of what was added, removed or changed; secrets by name only."""
    missing = object()
    names = {**before, **after}
    return sorted(plain_text(name, NAME_LIMIT) for name in names if _differs(before, after, name, missing))


def _differs(before: Mapping[Any, Any], after: Mapping[Any, Any], name: Any, missing: object) -> bool:
    old, new = before.get(name, missing), after.get(name, missing)
    try:
        return old is not new and bool(old != new)
    except Exception:
        return True
