"""What setup knows of a pillar: how it starts, changes, flushes, stops, forks and reports itself."""

from __future__ import annotations

from typing import ClassVar

from obs.runtime.settings import Settings


class Report:
    """What the parts say of themselves for `status()`."""

    def __init__(self) -> None:
        self.on: list[str] = []
        #: Part -> why it does not work.
        self.skipped: dict[str, str] = {}
        self.adopted: list[str] = []


class Part:
    """One pillar. There is one object of it for the life of the process, running or not.

    Setup calls every method with its lock held, those around a fork apart, and guards all but
    `start` and `change`: an `init()` may raise.
    """

    name: ClassVar[str]
    #: Settings whose change needs a new start; empty when any change does.
    settings: ClassVar[tuple[str, ...]] = ()
    #: What a new start costs the user, for the notes of `init()`.
    cost: ClassVar[str] = ""

    def start(self, settings: Settings) -> None:
        """Start, or note why not."""
        raise NotImplementedError

    def change(self, before: Settings, wanted: Settings) -> str:
        """Go over to other settings; return what that cost, empty when nothing."""
        names = self.settings
        if names and all(getattr(before, name) == getattr(wanted, name) for name in names):
            return ""
        self.stop(wanted.shutdown_timeout)
        self.start(wanted)
        return self.cost

    def hurry(self, timeout: float) -> None:
        """Begin to deliver what is waiting within `timeout` seconds; `flush` follows and waits."""

    def flush(self, timeout: float) -> bool:  # noqa: ARG002 - a part without a queue
        """Deliver what is waiting within `timeout` seconds; return whether all of it was."""
        return True

    def stop(self, timeout: float) -> bool:
        """Deliver within `timeout` seconds, put everything back; return whether all was delivered."""
        raise NotImplementedError

    def hold(self) -> None:
        """End threads of its own: this process is about to fork."""

    def resume(self) -> None:
        """Go on after `hold`, in the parent."""

    def renew(self) -> None:
        """Make locks, threads and connections anew, in the child of a fork."""

    def describe(self, report: Report) -> None:
        """Say what is on, skipped or adopted."""
        raise NotImplementedError
