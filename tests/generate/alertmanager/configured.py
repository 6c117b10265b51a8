"""What the tests of Alertmanager's configuration share: services as they want them, and parts of what comes out."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from obs.generate.model import Links, Routing, Service
from obs.generate.render.alertmanager import render
from obs.generate.spec.load import load

_SPECS = Path(__file__).parents[3] / "specs" / "shop"


@cache
def shop(environment: str | None = None) -> tuple[Service, ...]:
    return tuple(load([_SPECS], environment=environment))


def service(name: str = "payments", **changes: Any) -> Service:
    notify = {"page": "pagerduty-shop", "ticket": "slack-shop"}
    standard = {"name": name, "notify": notify, "links": Links(), "routing": Routing(alertmanager=(0, 28))}
    return replace(shop()[0], **{**standard, **changes})


def configuration(*services: Service, **options: Any) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(render(services, **options)[0].text)
    return data


def receiver(config: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in config["receivers"] if one["name"] == name)
    return found


def teams(config: dict[str, Any]) -> list[dict[str, Any]]:
    return [route for route in config["route"]["routes"] if route["matchers"][0].startswith("team=")]
