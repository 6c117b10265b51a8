"""The shop's data in SQLite: products and orders of the storefront, charges of payments."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_ORDERS_SCHEMA = """
CREATE TABLE IF NOT EXISTS products (sku TEXT PRIMARY KEY, name TEXT NOT NULL, cents INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY, sku TEXT NOT NULL REFERENCES products, quantity INTEGER NOT NULL,
    cents INTEGER NOT NULL, state TEXT NOT NULL
);
INSERT OR IGNORE INTO products VALUES
    ('mug', 'Mug', 900), ('tea', 'Green tea, 100 g', 650), ('pot', 'Teapot', 3400);
"""
_CHARGES_SCHEMA = """
CREATE TABLE IF NOT EXISTS charges (
    id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL UNIQUE, cents INTEGER NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0
);
"""


@dataclass(frozen=True, slots=True)
class Product:
    """Something the shop sells."""

    sku: str
    name: str
    cents: int


@dataclass(frozen=True, slots=True)
class Order:
    """A customer's order; `state` is ``open``, ``paid``, ``declined`` or ``failed``."""

    id: int
    sku: str
    quantity: int
    cents: int
    state: str


class _Database:
    """One SQLite file. Each call has a connection of its own, so that any thread may call."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        with closing(self._connect()) as connection:
            # Two processes (payments and the worker) share a file: readers must not block the writer.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(schema)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=5.0)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connect()) as connection, connection:
            yield connection

    def ping(self) -> None:
        """Raise `sqlite3.Error` when the database cannot be read."""
        with self.transaction() as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


class OrderBook(_Database):
    """Products and orders of the storefront."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "storefront.sqlite", _ORDERS_SCHEMA)

    def products(self) -> list[Product]:
        """Return everything the shop sells."""
        with self.transaction() as connection:
            rows = connection.execute("SELECT sku, name, cents FROM products ORDER BY sku").fetchall()
        return [Product(*row) for row in rows]

    def product(self, sku: str) -> Product | None:
        """Return one product, or None."""
        return next((product for product in self.products() if product.sku == sku), None)

    def open(self, product: Product, quantity: int) -> Order:
        """Write down a new order in state ``open``."""
        order = ("open", product.sku, quantity, product.cents * quantity)
        with self.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO orders (state, sku, quantity, cents) VALUES (?, ?, ?, ?)", order
            )
            assert cursor.lastrowid is not None  # noqa: S101 - SQLite sets it after every insert
        return Order(cursor.lastrowid, product.sku, quantity, product.cents * quantity, "open")

    def close(self, order: Order, state: str) -> Order:
        """End `order` as ``paid``, ``declined`` or ``failed``."""
        with self.transaction() as connection:
            connection.execute("UPDATE orders SET state = ? WHERE id = ?", (state, order.id))
        return Order(order.id, order.sku, order.quantity, order.cents, state)

    def order(self, id_: int) -> Order | None:
        """Return one order, or None."""
        query = "SELECT id, sku, quantity, cents, state FROM orders WHERE id = ?"
        with self.transaction() as connection:
            row = connection.execute(query, (id_,)).fetchone()
        return Order(*row) if row else None


class Charges(_Database):
    """Charges of payments, which the worker settles."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "payments.sqlite", _CHARGES_SCHEMA)

    def record(self, order_id: int, cents: int) -> None:
        """Write down a charge; a second one for the same order changes nothing."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO charges (order_id, cents) VALUES (?, ?)", (order_id, cents)
            )

    def settle(self) -> tuple[int, int]:
        """Mark every open charge as settled; return how many and how many cents in all."""
        with self.transaction() as connection:
            rows = connection.execute(
                "UPDATE charges SET settled = 1 WHERE settled = 0 RETURNING cents"
            ).fetchall()
        return len(rows), sum(cents for (cents,) in rows)
