"""SQLAlchemy on a real PostgreSQL, plain and asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client.openmetrics import parser
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine

import obs
from obs.runtime import endpoints

pytestmark = pytest.mark.engines

Lines = Callable[[], list[dict[str, Any]]]
# Untyped in prometheus_client.
parse: Any = parser.text_string_to_metric_families


def values(name: str) -> dict[tuple[str, ...], float]:
    answer = asyncio.run(endpoints.answer("metrics", "application/openmetrics-text;version=1.0.0", ""))
    return {
        tuple(sample.labels[key] for key in sorted(sample.labels)): sample.value
        for family in parse(answer.body.decode())
        for sample in family.samples
        if sample.name == name
    }


def counts() -> dict[tuple[str, ...], float]:
    """Operations by table, operation, system and error."""
    return values("db_client_operation_duration_seconds_count")


@pytest.fixture
def engine(postgres: str) -> Iterator[sa.Engine]:
    made = sa.create_engine(f"postgresql+psycopg://{postgres}", pool_size=1, max_overflow=1, pool_timeout=2)
    obs.instrument(made)
    with made.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS orders"))
        connection.execute(sa.text("CREATE TABLE orders (id int PRIMARY KEY, email text)"))
    yield made
    made.dispose()


def test_statements_are_counted_by_operation_and_table(engine: sa.Engine) -> None:
    obs.init("shop")
    with engine.begin() as connection:
        many = [{"id": number, "email": "a@b.example"} for number in range(5)]
        connection.execute(sa.text("INSERT INTO orders VALUES (:id, :email)"), many)
        connection.execute(sa.text("SELECT * FROM orders WHERE id IN (1, 2)"))
        connection.execute(sa.text("UPDATE orders SET email = 'x' WHERE id = 1"))
    assert counts() == {
        ("orders", "INSERT", "postgresql", ""): 1,
        ("orders", "SELECT", "postgresql", ""): 1,
        ("orders", "UPDATE", "postgresql", ""): 1,
    }


def test_an_error_is_told_by_its_class_and_code_and_never_by_its_values(
    engine: sa.Engine, collector: Any, attributes: Callable[[Any], dict[str, Any]], lines: Lines
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    statement, values = (
        sa.text("INSERT INTO orders VALUES (:id, :email)"),
        {"id": 7, "email": "hunter2@b.example"},
    )
    with engine.begin() as connection:
        connection.execute(statement, values)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(statement, values)
    assert counts()["orders", "INSERT", "postgresql", "IntegrityError"] == 1
    assert obs.flush(30)
    failed = collector.spans[-1]
    told = attributes(failed)
    assert (failed.name, failed.status.code) == ("INSERT orders", 2)
    assert told["db.response.status_code"] == "23505"
    assert told["db.query.text"] == "INSERT INTO orders VALUES (?)"
    assert "hunter2" not in str(collector.spans) + str(lines())


def test_a_slow_query_gets_a_line_with_its_fingerprint_inside_the_trace(
    engine: sa.Engine, lines: Lines
) -> None:
    obs.init("shop", slow_query=1)
    with obs.span("request"), engine.connect() as connection:
        trace = obs.ids().trace_id
        connection.execute(sa.text("SELECT pg_sleep(1.1), 'hunter2'"))
        connection.execute(sa.text("SELECT 1"))
    (line,) = [line for line in lines() if line.get("event") == "db.slow_query"]
    assert (line["statement"], line["operation"], line["level"]) == (
        "SELECT pg_sleep(?), ?",
        "SELECT",
        "warning",
    )
    assert len(line["fingerprint"]) == 16
    assert line["duration"] >= 1.1
    assert line["trace_id"] == trace
    assert "hunter2" not in str(line)


def test_the_pool_tells_what_is_lent_waited_for_and_given_up(engine: sa.Engine) -> None:
    obs.init("shop")
    with engine.connect(), engine.connect():
        assert list(values("db_client_connections_used").values()) == [2]
        assert list(values("db_client_connection_max").values()) == [2]
        waiter = threading.Thread(target=_give_up, args=(engine,))
        waiter.start()
        seen: set[float] = set()
        while waiter.is_alive():
            seen.update(values("db_client_connection_pending_requests").values())
        waiter.join()
    assert 1 in seen
    assert list(values("db_client_connection_timeouts_total").values()) == [1]
    assert list(values("db_client_connection_pending_requests").values()) == [0]
    assert list(values("db_client_connections_used").values()) == [0]


def _give_up(engine: sa.Engine) -> None:
    with pytest.raises(PoolTimeout):
        engine.connect()


def test_a_pool_made_anew_is_watched_as_well(engine: sa.Engine) -> None:
    obs.init("shop")
    engine.dispose()
    with engine.connect():
        assert list(values("db_client_connections_used").values()) == [1]
    assert list(values("db_client_connections_used").values()) == [0]


def test_an_asynchronous_engine_is_watched_by_the_same_means(postgres: str) -> None:
    obs.init("shop")

    async def run() -> None:
        engine = create_async_engine(f"postgresql+psycopg://{postgres}")
        obs.instrument(engine)
        with obs.span("outer"):
            outer = obs.ids()
            async with engine.connect() as connection:
                await connection.execute(sa.text("SELECT 1 FROM pg_class"))
                assert obs.ids() == outer
            sleeping = asyncio.create_task(_sleep(engine))
            while not await _sleeps(engine):  # noqa: ASYNC110 - only the server knows
                await asyncio.sleep(0.05)
            sleeping.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sleeping
        await engine.dispose()

    asyncio.run(run())
    found = counts()
    assert found["pg_class", "SELECT", "postgresql", ""] == 1
    assert found["", "SELECT", "postgresql", "CancelledError"] == 1
    assert list(values("db_client_connections_used").values()) == [0]


async def _sleep(engine: Any) -> None:
    async with engine.connect() as connection:
        await connection.execute(sa.text("SELECT pg_sleep(30)"))


async def _sleeps(engine: Any) -> bool:
    """Tell whether the server has been asked to sleep, and does."""
    asleep = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    async with engine.connect() as connection:
        return (await connection.execute(sa.text(asleep))).first() is not None
