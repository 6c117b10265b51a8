"""Payments: decides whether an order's charge is accepted."""

from __future__ import annotations

from pathlib import Path

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, Field

import obs
from obs.demo.faults import FaultSwitch
from obs.demo.signals import CHARGES
from obs.demo.store import Charges

#: The shop's bank declines anything above this, in cents.
LIMIT_CENTS = 50_000

charges_total = obs.counter(CHARGES)


class Charge(BaseModel):
    """What an order costs."""

    order_id: int = Field(ge=1)
    cents: int = Field(gt=0)


def create_app(data: Path) -> FastAPI:
    """Return the payments service; its SQLite file lives in the directory `data`."""
    app = FastAPI(title="payments")
    charges = Charges(data)
    faults = FaultSwitch()
    obs.instrument(app, exclude=("/faults",))
    obs.check("database")(charges.ping)
    app.include_router(faults.router())

    @app.post("/charges", status_code=201, dependencies=[Depends(faults.strike)])
    def charge(wanted: Charge) -> Charge:
        with obs.bind(order_id=wanted.order_id):
            if wanted.cents > LIMIT_CENTS:
                charges_total.inc(result="declined")
                obs.log.warning("charge declined", cents=wanted.cents, limit_cents=LIMIT_CENTS)
                raise HTTPException(402, "the bank declined the charge")
            with obs.span("record charge"):
                charges.record(wanted.order_id, wanted.cents)
            charges_total.inc(result="accepted")
            obs.log.info("charge accepted", cents=wanted.cents)
        return wanted

    return app
