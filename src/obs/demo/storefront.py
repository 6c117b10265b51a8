"""Storefront: customers browse products and place orders, which payments charges."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import httpx
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, Field

import obs
from obs.demo.faults import FaultSwitch
from obs.demo.signals import ORDERS, REVENUE
from obs.demo.store import Order, OrderBook, Product

_Thing = TypeVar("_Thing", Order, Product)

orders_total = obs.counter(ORDERS)
revenue = obs.counter(REVENUE)


class Wish(BaseModel):
    """What a customer puts into the basket."""

    sku: str
    quantity: int = Field(default=1, ge=1, le=100)


def create_app(data: Path, payments: httpx.Client) -> FastAPI:
    """Return the storefront; its SQLite file lives in `data`, `payments` knows the other's address."""
    app = FastAPI(title="storefront")
    book = OrderBook(data)
    faults = FaultSwitch()
    obs.instrument(app, exclude=("/faults",))
    obs.instrument(payments)
    obs.check("database")(book.ping)
    app.include_router(faults.router())
    struck = [Depends(faults.strike)]

    @app.get("/products", dependencies=struck)
    def browse() -> list[Product]:
        return book.products()

    @app.get("/products/{sku}", dependencies=struck)
    def look_at(sku: str) -> Product:
        return _found(book.product(sku), "product")

    @app.get("/orders/{order_id}", dependencies=struck)
    def track(order_id: int) -> Order:
        return _found(book.order(order_id), "order")

    @app.post("/orders", status_code=201, dependencies=struck)
    def check_out(wish: Wish) -> Order:
        order = book.open(_found(book.product(wish.sku), "product"), wish.quantity)
        with obs.bind(order_id=order.id):
            state = _pay(payments, order)
            orders_total.inc(result=state)
            order = book.close(order, state)
            if state == "failed":
                raise HTTPException(503, "payments cannot be reached, nothing was charged")
            if state == "declined":
                raise HTTPException(402, "the charge was declined")
            revenue.inc(order.cents)
            obs.log.info("order paid", sku=order.sku, cents=order.cents)
        return order

    return app


def _pay(payments: httpx.Client, order: Order) -> str:
    """Charge `order`; return the state that it ends in."""
    try:
        answer = payments.post("/charges", json={"order_id": order.id, "cents": order.cents})
    except httpx.HTTPError as error:
        obs.log.error("payments did not answer", error=repr(error))
        return "failed"
    if answer.status_code == 402:
        return "declined"
    if answer.is_error:
        obs.log.error("payments failed", status=answer.status_code)
        return "failed"
    return "paid"


def _found(thing: _Thing | None, kind: str) -> _Thing:
    if thing is None:
        raise HTTPException(404, f"no such {kind}")
    return thing
