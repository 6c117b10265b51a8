"""The only door to Sentry: error events with our ids and our redaction, and nothing else of it.

None of its integrations is switched on: they take half a second at init and most of the cost of a
request, and what they would report is reported here already.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from obs.errors import MissingExtra
from obs.runtime import context, guard, inherited, live
from obs.runtime.redaction import clean, clean_value, plain_text

if TYPE_CHECKING:
    from obs.runtime.crashes.report import Mechanism
    from obs.runtime.settings import Settings

try:
    import sentry_sdk
    from sentry_sdk import scope as sentry_scope
    from sentry_sdk.utils import event_from_exception
except ImportError:
    raise MissingExtra("setting sentry_dsn", "sentry-sdk", "sentry") from None

#: An event holds the variables of many frames; Sentry itself has bounded their number by then.
_NODES = 50_000
_DEPTH = 20
#: Our own modules, SQLAlchemy's and those of the drivers that are written in Python.
_NAMELESS = frozenset({
    "obs", "sqlalchemy", "psycopg", "psycopg2", "psycopg_pool", "asyncpg", "pg8000", "aiosqlite", "pymysql",
    "aiomysql", "asyncmy", "mysql", "MySQLdb", "oracledb", "pymssql", "pytds",
})  # fmt: skip
_SPOTLIGHT = "sentry_sdk.spotlight"
_WORKER = "sentry-sdk.BackgroundWorker"
#: Seconds that a fork waits for Sentry's thread to end.
_FORK_PATIENCE = 0.2


class Sentry:
    """A client of Sentry: ours, or the one that the host has set up already."""

    def __init__(self, settings: Settings, dsn: str) -> None:
        present = sentry_sdk.get_client()
        self.adopted = present.is_active()
        self._tags = {"service": settings.service, **settings.sentry_tags}
        self._options: dict[str, Any] = {
            "dsn": dsn,
            "environment": settings.environment or None,
            # Without a value of ours Sentry's client would run git to find one.
            "release": settings.version,
            "traces_sample_rate": settings.sentry_traces_rate,
            "default_integrations": False,
            "auto_enabling_integrations": False,
            "auto_session_tracking": False,
            "enable_backpressure_handling": False,
            "send_client_reports": False,
            "max_request_body_size": "never",
            "spotlight": False,
            "before_send": _cleaned,
            "before_send_transaction": _cleaned,
            "before_breadcrumb": _cleaned,
        }
        self._client: Any = None
        if not self.adopted:
            self._connect()

    def _connect(self) -> None:
        with _without_spotlight():
            self._client = sentry_sdk.Client(**self._options)
        sentry_sdk.get_global_scope().set_client(self._client)
        sentry_scope.register_external_propagation_context(_current)

    def send(
        self,
        error: BaseException,
        mechanism: Mechanism,
        fields: Mapping[str, Any],
        tags: Mapping[str, Any],
    ) -> str | None:
        """Queue an event for `error`; return its id, None when Sentry dropped it."""
        client = sentry_sdk.get_client()
        kind = {"type": mechanism, "handled": mechanism == "manual"}
        event, hint = event_from_exception(error, client_options=client.options, mechanism=kind)
        found: Any = dict(event)
        ids = _current()
        if ids is not None:
            found["contexts"] = {"trace": {"trace_id": ids[0], "span_id": ids[1]}}
        with sentry_sdk.new_scope() as scope:
            if client is not self._client:
                # An event of ours is cleaned whoever sends it.
                scope.add_event_processor(_cleaned)
            for name, value in {**self._tags, **_tags(mechanism), **tags}.items():
                scope.set_tag(plain_text(name, 32), plain_text(clean_value(name, value), 200))
            if fields:
                scope.set_context("fields", clean(fields))
            return scope.capture_event(found, hint=hint)

    def flush(self, timeout: float) -> bool:
        """Deliver what is queued within `timeout` seconds; return whether the queue is empty."""
        began = time.monotonic()
        sentry_sdk.get_client().flush(timeout=timeout)
        return timeout <= 0 or time.monotonic() - began < timeout

    def stop(self, timeout: float) -> bool:
        """Deliver within `timeout` seconds and take our client away; the host's is left as it is."""
        delivered = self.flush(timeout)
        client, self._client = self._client, None
        if client is not None:
            with guard.contained("crashes"):
                client.close(timeout=0)
        if client is not None:
            if sentry_scope._external_propagation_context_fn is _current:  # noqa: SLF001 - no reader for it
                sentry_scope.remove_external_propagation_context()
            scope = sentry_sdk.get_global_scope()
            if scope.client is client:
                scope.set_client(None)
        return delivered

    def hold(self) -> None:
        """End Sentry's thread before a fork, with what it has queued, as far as that is quick."""
        transport = self._client.transport if self._client is not None else None
        worker = next((item for item in threading.enumerate() if item.name == _WORKER), None)
        if transport is None or worker is None or _is_flushing(transport):
            return
        transport.kill()
        worker.join(_FORK_PATIENCE)

    def renew(self) -> None:
        """Send with a queue, connections and locks of the child's own, whoever has set the client up."""
        client: Any = sentry_sdk.get_client()
        for one in {client, self._client} - {None}:
            with guard.contained("crashes"):
                _renew(one)


def _is_flushing(transport: Any) -> bool:
    """Tell whether some thread has the lock that ending the worker takes, for as long as its flush may wait."""
    lock = getattr(getattr(transport, "_worker", None), "_lock", None)
    return lock is not None and lock.locked()


def _renew(client: Any) -> None:
    inherited.free(getattr(client, "session_flusher", None))
    transport = client.transport
    worker: Any = getattr(transport, "_worker", None)
    pool: Any = getattr(transport, "_pool", None)
    # Their finalizers take these locks.
    inherited.free(worker, getattr(worker, "_queue", None), *_connections(pool))
    # What waits is the parent's to send, on connections that it goes on with.
    if hasattr(transport, "_create_worker"):
        transport._worker = transport._create_worker(transport.options)  # noqa: SLF001
    if hasattr(pool, "clear"):
        pool.clear()
    elif hasattr(transport, "_make_pool"):
        # That of HTTP/2.
        transport._pool = transport._make_pool()  # noqa: SLF001


def _connections(pool: Any) -> list[object]:
    """Return what has locks in a pool of urllib3's."""
    pools = getattr(pool, "pools", None)
    kept = list(getattr(pools, "_container", {}).values())
    return [pools, *(getattr(one, "pool", None) for one in kept)]


@contextmanager
def _without_spotlight() -> Iterator[None]:
    """Keep Sentry's client from loading its development aid, which loads Django wherever that is installed."""
    if _SPOTLIGHT in sys.modules:
        yield
        return
    aid: Any = ModuleType(_SPOTLIGHT)
    aid.setup_spotlight = lambda _: None
    sys.modules[_SPOTLIGHT] = aid
    try:
        yield
    finally:
        # Who wants the real one afterwards gets it.
        sys.modules.pop(_SPOTLIGHT, None)


def _current() -> tuple[str, str] | None:
    trace_id, span_id, _ = live.span_ids()
    return (trace_id, span_id) if trace_id else None


def _tags(mechanism: Mechanism) -> dict[str, str]:
    request = context.request_id.get()
    return {"mechanism": mechanism, **({"request_id": request} if request else {})}


def _without_nameless_variables(event: dict[str, Any]) -> None:
    """Take the variables away from frames where a secret stands without the name that tells it.

    A wrapper of ours has the arguments of the host's function as `args`, a driver those of a statement.
    """
    for value in (event.get("exception") or {}).get("values") or ():
        for frame in (value.get("stacktrace") or {}).get("frames") or ():
            if str(frame.get("module")).partition(".")[0] in _NAMELESS:
                frame.pop("vars", None)


def _cleaned(event: Any, hint: Any) -> Any:  # noqa: ARG001 - Sentry's signature
    """Return an event, a transaction or a breadcrumb without secrets, and nothing if that fails."""
    try:
        _without_nameless_variables(event)
        cleaned = clean(event, _NODES, _DEPTH)
    except Exception as error:
        guard.report("crashes", error)
        return None
    if cleaned.get("release") == "":
        del cleaned["release"]
    return cleaned
