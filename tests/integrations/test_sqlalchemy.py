"""SQLAlchemy engines on SQLite: what is counted and traced, and that nothing is counted twice."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import QueuePool

import obs
from obs.errors import ObsError

Values = Callable[..., dict[tuple[str, ...], float]]
Lines = Callable[[], list[dict[str, Any]]]
_COUNT = "db_client_operation_duration_seconds_count"
_LABELS = ("db_operation_name", "db_collection_name", "error_type")


_engines: list[sa.Engine] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    # Python 3.13 warns of each connection that nobody closes.
    while _engines:
        _engines.pop().dispose()


def make_plain(**options: Any) -> sa.Engine:
    engine = sa.create_engine("sqlite://", connect_args={"check_same_thread": False}, **options)
    _engines.append(engine)
    return engine


def make_engine(**options: Any) -> sa.Engine:
    engine = make_plain(**options)
    obs.instrument(engine)
    return engine


def test_an_engine_that_is_instrumented_twice_counts_once(values: Values) -> None:
    engine = make_engine()
    obs.instrument(engine)
    obs.instrument(engine.execution_options(isolation_level="AUTOCOMMIT"))
    obs.init("shop")
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text("SELECT 1"))
    assert values(_COUNT, *_LABELS) == {("SELECT", "", ""): 2}


def test_another_engine_is_left_alone(values: Values) -> None:
    make_engine()
    obs.init("shop")
    with make_plain().connect() as connection:
        connection.execute(sa.text("SELECT 1"))
    assert values(_COUNT, *_LABELS) == {}


def test_a_statement_is_a_span_without_values_below_the_hosts_own(
    collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    engine = make_engine()
    obs.init("shop", otlp_endpoint=collector.url)
    with obs.span("request"), engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE orders (id int, email text)"))
        rows = [{"id": number, "email": "hunter2"} for number in range(3)]
        connection.execute(sa.text("INSERT INTO orders VALUES (:id, :email)"), rows)
        here = obs.ids()
    assert obs.flush(30)
    create, insert, request = collector.spans
    assert (insert.name, insert.kind, insert.parent_span_id) == ("INSERT orders", 3, request.span_id)
    assert here.span_id == request.span_id.hex()
    told = attributes(insert)
    assert told["db.query.text"] == "INSERT INTO orders VALUES (?)"
    assert told["db.operation.batch.size"] == 3
    assert told["db.query.fingerprint"] != attributes(create)["db.query.fingerprint"]
    assert "hunter2" not in str(collector.spans)


def test_an_error_keeps_the_values_of_its_statement_to_itself(
    collector: Any, values: Values, lines: Lines
) -> None:
    engine = make_engine()
    obs.init("shop", otlp_endpoint=collector.url, slow_query=1e-9)
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError):
        connection.execute(sa.text("SELECT * FROM missing WHERE email = :email"), {"email": "hunter2"})
    assert values(_COUNT, *_LABELS) == {("SELECT", "missing", "OperationalError"): 1}
    assert obs.flush(30)
    assert collector.spans[0].status.code == 2
    assert "hunter2" not in str(collector.spans) + str(lines())


def test_a_query_over_the_setting_gets_a_line_in_its_own_span_and_a_count(
    collector: Any, values: Values, lines: Lines
) -> None:
    engine = make_engine()
    obs.init("shop", otlp_endpoint=collector.url, slow_query=1e-9)
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 'hunter2'"))
    (line,) = lines()
    assert (line["event"], line["statement"], line["system"]) == ("db.slow_query", "SELECT ?", "sqlite")
    assert obs.flush(30)
    assert line["span_id"] == collector.spans[0].span_id.hex()
    assert values("db_client_slow_queries_total", "db_operation_name") == {("SELECT",): 1}


def test_zero_means_that_no_query_is_slow(lines: Lines) -> None:
    engine = make_engine()
    obs.init("shop", slow_query=0)
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
    assert lines() == []


def test_sampled_out_it_is_counted_all_the_same(collector: Any, values: Values) -> None:
    engine = make_engine()
    obs.init("shop", otlp_endpoint=collector.url, traces_ratio=0)
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
    assert values(_COUNT, *_LABELS) == {("SELECT", "", ""): 1}
    assert obs.flush(30)
    assert collector.spans == []


def test_the_pool_counts_what_is_lent_also_across_a_new_start(values: Values) -> None:
    engine = make_engine(poolclass=QueuePool, pool_size=2, max_overflow=3)
    obs.init("shop")
    with engine.connect():
        assert values("db_client_connections_used") == {(): 1}
        obs.shutdown(0)
        obs.init("shop")
        with engine.connect():
            assert values("db_client_connections_used") == {(): 2}
    assert values("db_client_connections_used") == {(): 0}
    assert values("db_client_connection_max") == {(): 5}


def test_who_waits_for_a_connection_is_counted_and_who_does_so_in_vain(values: Values) -> None:
    engine = make_engine(poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=60)
    obs.init("shop")
    with engine.connect():
        waiter = threading.Thread(target=lambda: engine.connect().close())
        waiter.start()
        ends = time.monotonic() + 30
        while values("db_client_connection_pending_requests") != {(): 1}:
            assert time.monotonic() < ends
    waiter.join()
    assert values("db_client_connection_pending_requests") == {(): 0}
    assert values("db_client_connection_timeouts_total") == {(): 0}
    assert values("db_client_connections_opened_total") == {(): 1}

    impatient = make_engine(poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.01)
    with impatient.connect(), pytest.raises(sa.exc.TimeoutError):
        impatient.connect()
    assert values("db_client_connection_timeouts_total") == {(): 1}
    assert values("db_client_connection_pending_requests") == {(): 0}


def test_connections_of_the_parent_are_not_lent_to_a_forked_child(values: Values) -> None:
    engine = make_engine(poolclass=QueuePool, pool_size=2, max_overflow=0)
    obs.init("shop", metrics_workers=False)
    with engine.connect() as inherited:
        with warnings.catch_warnings():
            # Python 3.12 warns of the threads that others, such as pytest-xdist, have here.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            # Whatever happens in here, the tests go on in the parent alone.
            found = False
            try:
                inherited.close()
                with engine.connect():
                    used = values("db_client_connections_used")
                found = used == {(): 1} and values("db_client_connection_max") == {(): 2}
            finally:
                os._exit(0 if found else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert values("db_client_connections_used") == {(): 1}


def test_a_detached_and_an_invalidated_connection_are_no_longer_lent(values: Values) -> None:
    engine = make_engine(poolclass=QueuePool)
    obs.init("shop")
    with engine.connect() as first, engine.connect() as second:
        first.detach()
        second.invalidate()
        assert values("db_client_connections_used") == {(): 0}
    assert values("db_client_connections_used") == {(): 0}


def test_a_pool_without_a_limit_tells_none(values: Values) -> None:
    engine = make_engine(poolclass=QueuePool, max_overflow=-1)
    obs.init("shop")
    with engine.connect():
        assert values("db_client_connections_used") == {(): 1}
    assert values("db_client_connection_max") == {}


def test_in_the_classic_dialect_they_are_called_what_they_have_been_called(values: Values) -> None:
    engine = make_engine(poolclass=QueuePool)
    obs.init("shop", dialect="classic")
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
        assert values("db_connections_in_use") == {(): 1}
    assert values("db_connections_max") == {(): 15}
    assert values("db_query_duration_seconds_count", "operation", "table") == {("SELECT", ""): 1}


def test_an_asynchronous_engine_is_watched_as_well(values: Values) -> None:
    obs.init("shop")

    async def run() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        obs.instrument(engine)
        async with engine.connect() as connection:
            await connection.execute(sa.text("SELECT 1"))
        await engine.dispose()

    asyncio.run(run())
    assert values(_COUNT, *_LABELS) == {("SELECT", "", ""): 1}


def test_before_init_a_statement_just_runs() -> None:
    with make_engine().connect() as connection:
        assert connection.execute(sa.text("SELECT 1")).scalar() == 1


def test_an_engine_serves_no_paths() -> None:
    with pytest.raises(ObsError, match="serves no paths"):
        obs.instrument(make_plain(), exclude=("/admin",))
