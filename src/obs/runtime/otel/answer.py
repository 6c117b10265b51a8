"""What became of an export, and who carries it out: loaded at init, so it imports nothing of the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias, TypeVar

T_contra = TypeVar("T_contra", contravariant=True)

#: `busy` and `unreachable` may be tried again, the one after the wait that the collector asks for.
Verdict: TypeAlias = Literal["delivered", "rejected", "busy", "unreachable"]


class Answer(NamedTuple):
    """What became of one batch."""

    verdict: Verdict
    #: Why it was not delivered, for a person.
    reason: str = ""
    #: Seconds that the collector asked to be left alone for.
    wait: float = 0.0
    body: bytes = b""
    #: Records of a delivered batch that were not taken all the same.
    refused: int = 0


class Channel(Protocol[T_contra]):
    """The way to a collector, made and imported by the thread that needs it."""

    def deliver(self, batch: Sequence[T_contra], timeout: float, /) -> Answer:
        """Return what became of `batch` within `timeout` seconds; raises only for what it cannot encode."""

    def interrupt(self) -> None:
        """Make the delivery under way in another thread fail at once, and each one after it."""

    def proceed(self) -> None:
        """Allow deliveries again after `interrupt`."""

    def close(self) -> None:
        """Close what is open; the next delivery opens it anew."""
