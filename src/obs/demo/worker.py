"""Worker: settles the accepted charges with the bank, again and again."""

from __future__ import annotations

import threading
from pathlib import Path

import obs
from obs.demo.faults import FaultSwitch, InjectedError
from obs.demo.signals import SETTLED
from obs.demo.store import Charges

settled_total = obs.counter(SETTLED)


class Settlement:
    """The settlement job and its loop; `stop` ends the loop from any thread."""

    def __init__(self, data: Path, faults: FaultSwitch, every: float) -> None:
        self._charges = Charges(data)
        self._faults = faults
        self._every = every
        self._stopped = threading.Event()
        obs.check("database")(self._charges.ping)

    def run(self) -> None:
        """Settle once every `every` seconds until stopped; a failed run does not end the loop."""
        while not self._stopped.wait(self._every):
            if self._faults.faults.stalled:
                continue
            try:
                self.settle()
            except InjectedError:
                obs.log.exception("settlement failed")

    def stop(self) -> None:
        """End the loop after the current run."""
        self._stopped.set()

    @obs.job("settlement")
    def settle(self) -> None:
        """Settle every open charge. Raises what the fault switch asks for."""
        self._faults.strike()
        count, cents = self._charges.settle()
        settled_total.inc(cents)
        obs.log.info("charges settled", charges=count, cents=cents)
