"""The log pillar: every door of the process led through one pipeline, and back again."""

from __future__ import annotations

import logging
import os

from obs.runtime import levels, logger
from obs.runtime.adoption import Adoption
from obs.runtime.json import dumps_line
from obs.runtime.lines import Output, Pipeline, printed
from obs.runtime.records import Handler
from obs.runtime.settings import Settings
from obs.runtime.severity import SEVERITY
from obs.runtime.stream import shared
from obs.runtime.structured import Structlog, console

_FDS = {"stdout": 1, "stderr": 2}


class Logs:
    """What the log pillar changed in this process, and how to change it back."""

    def __init__(self, settings: Settings, collector: Output | None = None) -> None:
        """Begin; with a `collector`, lines go there, and to the stream too when the settings say so."""
        self._stream = shared(_FDS[settings.log_stream])
        terminal = _is_terminal(self._stream.fd)
        self.console = settings.log_format == "console" or (settings.log_format == "auto" and terminal)
        local = printed(self._stream, console(colours=terminal) if self.console else dumps_line)
        self.pipeline = Pipeline(settings, _outputs(settings, local, collector), local)
        levels.start(settings.log_level, settings.log_levels)
        self._adoption = Adoption(Handler(self.pipeline), SEVERITY[settings.log_level])
        levels.start(settings.log_level, settings.log_levels, self._adoption.apply_levels)
        self._captured = logging.getLogger("py.warnings").handlers == []
        if self._captured:
            logging.captureWarnings(capture=True)
        logger.use(self.pipeline)
        self._structlog = Structlog()

    @property
    def adopted_structlog(self) -> bool:
        """Tell whether the host had configured structlog already, and keeps its configuration."""
        return self._structlog.adopted

    def renew(self) -> None:
        """Get fresh locks: called in a forked child."""
        self._stream.renew()
        self.pipeline.renew()

    def adopt_servers(self) -> None:
        """Lead loggers that have been configured since, as servers do at their start, through ours."""
        self._adoption.again()

    def stop(self) -> None:
        """Put standard logging and structlog back as they were."""
        self.pipeline.flush()
        logger.use(None)
        self._adoption.undo()
        if self._captured:
            logging.captureWarnings(capture=False)
        self._structlog.stop()


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False


def _outputs(settings: Settings, local: Output, collector: Output | None) -> tuple[Output, ...]:
    if collector is None:
        return (local,)
    return (local, collector) if settings.otlp_logs == "both" else (collector,)
