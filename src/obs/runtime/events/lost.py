"""The count of events that were lost: a leaf of the journal."""

from __future__ import annotations

from obs.catalogue import audit as signals
from obs.runtime.instruments import counter

LOST = counter(signals.LOST)
