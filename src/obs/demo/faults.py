"""The fault switch: makes a service of the shop fail on demand. No real service has one."""

from __future__ import annotations

import os
import threading
import time

from fastapi import APIRouter, BackgroundTasks
from pydantic import BaseModel, ConfigDict, Field

#: Exit code of a process that was told to crash (EX_SOFTWARE of sysexits.h).
CRASH_EXIT_CODE = 70
#: Long enough that the answer to the crash request leaves the socket first.
_CRASH_DELAY_S = 0.1


class InjectedError(RuntimeError):
    """The failure that the fault switch asked for."""


class Faults(BaseModel):
    """What shall go wrong; the defaults are a healthy service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Share of the calls that fail.
    errors: float = Field(default=0.0, ge=0.0, le=1.0)
    #: Seconds added to each call.
    latency: float = Field(default=0.0, ge=0.0, le=60.0)
    #: The process ends at once, without any clean-up.
    crash: bool = False
    #: The work stops while the process stays alive.
    stalled: bool = False


class FaultSwitch:
    """Holds the current faults and applies them to calls. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults = Faults()
        self._owed = 0.0

    @property
    def faults(self) -> Faults:
        """What goes wrong at the moment."""
        with self._lock:
            return self._faults

    def set(self, faults: Faults) -> None:
        """Let `faults` happen from the next call on."""
        with self._lock:
            self._faults = faults
            self._owed = 0.0

    def strike(self) -> None:
        """Apply the faults to one call: wait, fail, or both. Raises `InjectedError`.

        Failures are dealt out evenly, not by chance: with ``errors=0.25`` every fourth call fails.
        """
        with self._lock:
            faults = self._faults
            self._owed += faults.errors
            fails = self._owed >= 1.0
            if fails:
                self._owed -= 1.0
        if faults.latency:
            time.sleep(faults.latency)
        if fails:
            raise InjectedError("the fault switch of the demo is on")

    def router(self) -> APIRouter:
        """Return the endpoints that turn the switch: GET, POST and DELETE /faults."""
        router = APIRouter(prefix="/faults", tags=["demo"])

        @router.get("")
        def show() -> Faults:
            return self.faults

        @router.post("")
        def turn_on(faults: Faults, after: BackgroundTasks) -> Faults:
            self.set(faults)
            if faults.crash:
                after.add_task(_crash)
            return faults

        @router.delete("", status_code=204)
        def turn_off() -> None:
            self.set(Faults())

        return router


def _crash() -> None:
    time.sleep(_CRASH_DELAY_S)
    os._exit(CRASH_EXIT_CODE)
