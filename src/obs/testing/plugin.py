"""The pytest plugin: fixture `telemetry`, and nothing sent out while tests run.

It is loaded in every test run of every user, so it imports nothing but a leaf until a test asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from obs.runtime import recording

if TYPE_CHECKING:
    from obs.testing.telemetry import Telemetry

_REASON = "under pytest"
_INI = "obs_export"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting that lets obs send telemetry out during a test run."""
    parser.addini(_INI, "let obs send telemetry out while tests run", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Send nothing out from here on, unless the configuration asks for it."""
    config.addinivalue_line("markers", f"{_INI}: let obs send telemetry out during this test")
    if not config.getini(_INI):
        recording.silence(_REASON)


def pytest_unconfigure() -> None:
    """Allow it again: pytest may run inside a process that goes on."""
    recording.silence("")


# The older kind of wrapper, which pytest 7 knows as well.
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let the exporters work during a test that is marked so."""
    reason = recording.silenced()
    if item.get_closest_marker(_INI) is not None:
        recording.silence("")
    yield
    recording.silence(reason)


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Capture logs, metrics, spans, error and audit events of the test together."""
    from obs.testing.capturing import capture

    with capture() as captured:
        yield captured
