"""The exception that ends a child of multiprocessing: handled there, by a traceback on standard error.

No hook of Python's learns of it, so it is looked for in the two places of the host where it can be met.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeAlias

from obs.runtime import guard

#: Takes an exception, and the name of the process that it ends.
Report: TypeAlias = Callable[[BaseException, str], object]

_report: Report | None = None
_WRAPPED = "_obs_wrapped"
#: From here on the finalizers of a child run when its exception is handled and gone.
_FINALIZED_LATE = sys.version_info >= (3, 13)


def report_to(report: Report | None) -> None:
    """Hand what ends a child to `report` from now on; None to nobody."""
    global _report
    _report = report


def listen() -> None:
    """Learn of the exception where multiprocessing writes it; call in a child, at its start."""
    if not _FINALIZED_LATE:
        return
    import traceback

    write = traceback.print_exc
    if hasattr(write, _WRAPPED):
        return

    def print_exc(*arguments: Any, **keywords: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and _is_multiprocessing(sys._getframe(1)):  # noqa: SLF001 - who calls
            _tell(error)
        write(*arguments, **keywords)

    setattr(print_exc, _WRAPPED, write)
    traceback.print_exc = print_exc


def tell() -> None:
    """Report the exception on whose way out the finalizers of a child run; call in one of these."""
    error = sys.exc_info()[1]
    if error is None or error.__traceback__ is None:
        return
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - who is called by it
    while frame is not None and not _is_multiprocessing(frame):
        frame = frame.f_back
    # A child may have been forked while its parent handled an exception, which has not come this way.
    if frame is not None and error.__traceback__.tb_frame is frame:
        _tell(error)


def _tell(error: BaseException) -> None:
    report = _report
    if report is not None:
        with guard.contained("crashes"):
            report(error, sys.modules["multiprocessing.process"].current_process().name)


def _is_multiprocessing(frame: FrameType) -> bool:
    """Tell whether this is where a child runs what it was started for."""
    return (
        frame.f_code.co_name == "_bootstrap" and frame.f_globals.get("__name__") == "multiprocessing.process"
    )
