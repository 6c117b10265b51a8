"""The part that is the server of `serve()`, where the process has one."""

from __future__ import annotations

import sys
from types import ModuleType

from obs.runtime import live
from obs.runtime.parts.part import Part, Report
from obs.runtime.settings import Settings


class ServePart(Part):
    """The server is started by `serve()`, which needs no `init()`; it is stopped with the rest."""

    name = "serve"

    def start(self, settings: Settings) -> None:
        """Look at the token, for a file that protects nothing is a mistake; `serve()` does the rest."""
        if settings.control_token_file:
            from obs.runtime.control import read_token

            read_token(settings.control_token_file)

    def change(self, before: Settings, wanted: Settings) -> str:  # noqa: ARG002 - nothing is kept
        """Keep serving."""
        self.start(wanted)
        return ""

    def stop(self, timeout: float) -> bool:  # noqa: ARG002 - a scrape is short
        """Free its ports."""
        server = _module()
        if server is not None:
            server.stop()
        return True

    def describe(self, report: Report) -> None:
        """Name its addresses."""
        server = _module()
        if server is not None:
            report.on += [f"serve {address}" for address in server.addresses()]
        settings = live.settings()
        if settings is not None and settings.control_token_file and server is not None and server.addresses():
            report.on.append("level over HTTP")


def _module() -> ModuleType | None:
    """Return the module of `serve()` when it is in use: http.server is not for every process."""
    return sys.modules.get("obs.runtime.server")
