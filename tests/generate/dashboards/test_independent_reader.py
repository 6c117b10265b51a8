"""Every committed dashboard is read by Grafana's own model of dashboards and comes back without loss.

The reader is grafana-foundation-sdk, generated from the schemas that Grafana itself is built from. What
it adds are defaults of fields that we leave out; what it dropped or changed would be a field that
Grafana does not know.
"""

from __future__ import annotations

import copy
import json
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

# Its packages exist for Python 3.11 and later only, so no installation can bring it to 3.10. The dashboards
# are the same bytes there: the goldens are compared on every Python. Where it can be had, its absence fails.
pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11),
    reason="grafana-foundation-sdk cannot be installed on Python 3.10 (it requires 3.11); the same bytes are read on newer ones",
)

_ROOT = Path(__file__).parents[3]
FILES = sorted((_ROOT / "dashboards").rglob("*.json"))
GOLDEN = Path(__file__).parents[1] / "golden" / "dashboard.json"

#: Fields that the reader has no place for, with the reason. There are none.
LOST: dict[str, str] = {}


@cache
def _reader() -> Any:
    with warnings.catch_warnings():
        # It prefers the next form of dashboards, which no file provisioning takes yet.
        warnings.simplefilter("ignore", DeprecationWarning)
        from grafana_foundation_sdk.cog import plugins
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.models.dashboard import Dashboard

        plugins.register_default_plugins()
    return Dashboard, JSONEncoder


def _again(page: dict[str, Any]) -> dict[str, Any]:
    dashboard, encoder = _reader()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        read = dashboard.from_json(copy.deepcopy(page))
        again: dict[str, Any] = json.loads(encoder().encode(read))
    return again


def _losses(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield the paths that are gone or differ; what is new is a default."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key in after:
                yield from _losses(value, after[key], f"{path}/{key}")
            else:
                yield f"{path}/{key}"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (value, other) in enumerate(zip(before, after, strict=True)):
            yield from _losses(value, other, f"{path}/{place}")
    elif before != after:
        yield path


def _load(file: Path) -> dict[str, Any]:
    page: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return page


def test_there_are_dashboards_of_services_and_overviews() -> None:
    names = {file.relative_to(_ROOT / "dashboards").as_posix() for file in FILES}

    assert {"fleet/fleet.json", "fleet/fleet-slos.json", "shop/payments.json"} <= names


@pytest.mark.parametrize("file", [*FILES, GOLDEN], ids=lambda file: file.stem)
def test_nothing_is_lost(file: Path) -> None:
    page = _load(file)

    assert [path for path in _losses(page, _again(page)) if path not in LOST] == []


@pytest.mark.parametrize("file", [*FILES, GOLDEN], ids=lambda file: file.stem)
def test_the_schema_is_the_readers_own(file: Path) -> None:
    dashboard, _ = _reader()

    assert _load(file)["schemaVersion"] == dashboard().schema_version


def test_a_field_that_grafana_does_not_know_is_seen() -> None:
    page = _load(GOLDEN)
    page["panels"][1]["fieldConfig"]["defaults"]["unitt"] = "s"
    page["panels"][2]["options"]["graphMood"] = "area"
    page["style"] = "dark"

    assert sorted(_losses(page, _again(page))) == [
        "/panels/1/fieldConfig/defaults/unitt",
        "/panels/2/options/graphMood",
        "/style",
    ]
