"""Records as OTLP over HTTP: a codec for the one kind of them, and the sender for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from obs.runtime.otel.answer import Answer
from obs.runtime.otel.sender import Sender
from obs.runtime.settings import Settings

T_contra = TypeVar("T_contra", contravariant=True)


class Codec(Protocol[T_contra]):
    """The form in which records travel."""

    def encode(self, batch: Sequence[T_contra], /) -> bytes:
        """Return the body of a request."""

    def refused(self, body: bytes, /) -> int:
        """Return how many records an answer of success says were not taken."""


class OtlpChannel(Sender, Generic[T_contra]):
    """Delivers batches to one URL."""

    def __init__(self, url: str, settings: Settings, codec: Codec[T_contra]) -> None:
        super().__init__(url, settings)
        self._codec = codec

    def deliver(self, batch: Sequence[T_contra], timeout: float, /) -> Answer:
        """Return what became of `batch` within `timeout` seconds."""
        answer = self.send(self._codec.encode(batch), timeout)
        return answer._replace(refused=self._refused(answer.body)) if answer.body else answer

    def _refused(self, body: bytes) -> int:
        try:
            return max(0, self._codec.refused(body))
        except Exception:
            # Something that is no OTLP has answered; that the records were not taken is not in it.
            return 0
