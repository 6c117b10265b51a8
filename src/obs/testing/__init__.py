"""The test kit: see in a test what a service logs, counts, traces and reports.

With pytest there is nothing to set up: the fixture `telemetry` comes with the package. Elsewhere,
`with obs.testing.capture() as telemetry:` does the same.
"""

# As in obs itself: the pytest plugin is loaded in every test run of every user, so names come late.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from obs.testing.capturing import capture
    from obs.testing.clock import Clock
    from obs.testing.readings import Distribution, Reading
    from obs.testing.spans import CapturedSpan
    from obs.testing.telemetry import Telemetry
else:
    _HOMES = {
        "CapturedSpan": "obs.testing.spans",
        "Clock": "obs.testing.clock",
        "Distribution": "obs.testing.readings",
        "Reading": "obs.testing.readings",
        "Telemetry": "obs.testing.telemetry",
        "capture": "obs.testing.capturing",
    }

    def __getattr__(name: str) -> object:
        import importlib

        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'obs.testing' has no attribute {name!r}")
        value = getattr(importlib.import_module(home), name)
        globals()[name] = value
        return value


__all__ = ["CapturedSpan", "Clock", "Distribution", "Reading", "Telemetry", "capture"]
