"""PostgreSQL and Redis are asked for by name, and have one route."""

from __future__ import annotations

import pytest

from obs.errors import ConfigError
from obs.stack import databases


def test_who_asks_for_no_server_may_name_any_route() -> None:
    assert databases.install([], routes=["go"]) == {}


def test_another_route_is_refused_with_the_one_there_is() -> None:
    with pytest.raises(ConfigError, match="redis-server: got route go, expected debian"):
        databases.install(["redis-server"], routes=["go"])
