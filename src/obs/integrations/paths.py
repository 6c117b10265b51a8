"""Which paths obs answers itself, and which it leaves alone."""

from __future__ import annotations

from obs.runtime import access, endpoints, guard, setup
from obs.runtime.settings import Settings


class Paths:
    """The paths of one application; `exclude` holds those, without a slash at their end, left alone."""

    __slots__ = ("_answered", "_below", "_excluded", "_settings")

    def __init__(self, exclude: tuple[str, ...] = ()) -> None:
        self._excluded = exclude
        self._below = tuple(f"{path}/" for path in exclude)
        self._settings: Settings | None = None
        self._answered: dict[str, str] = {}

    def endpoint(self, settings: Settings, path: str) -> str:
        """Return which endpoint of obs has this path, empty text for none."""
        if settings is not self._settings:
            with guard.contained("integration"):
                self._begin(settings)
        return self._answered.get(path, "")

    def _begin(self, settings: Settings) -> None:
        """Do what the first request of a run of obs has to do."""
        # The settings last: another thread that sees them must not answer by the paths before them.
        self._answered = endpoints.paths(settings)
        self._settings = settings
        endpoints.offer()
        # By now the server and the framework have configured logging.
        setup.adopt_servers()
        if settings.access_log:
            access.replace()

    def excludes(self, path: str) -> bool:
        """Tell whether the application serves this path unobserved."""
        return path in self._excluded or path.startswith(self._below)
