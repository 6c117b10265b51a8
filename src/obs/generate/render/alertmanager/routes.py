"""The tree of routes: heartbeat, team, where a team's services differ tier or service, severity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from obs.errors import SpecError
from obs.generate.model import SEVERITIES, Grouping, Service, Severity
from obs.generate.render.alertmanager.intervals import Intervals
from obs.generate.render.yaml_writer import Yaml

HEARTBEAT = "Watchdog"
HEARTBEAT_RECEIVER = "dead-man"
#: Takes what nobody wants to hear of; Alertmanager's own page still shows it.
SILENT_RECEIVER = "nobody"


@dataclass(frozen=True, slots=True)
class _Policy:
    """How the alerts of a service are sent; services that agree share a route."""

    notify: tuple[tuple[Severity, str], ...]
    grouping: Grouping
    hours: str
    muted: tuple[str, ...]


def routes(services: Sequence[Service], times: Intervals) -> list[Yaml]:
    """Return the routes below the root, in the order in which Alertmanager tries them."""
    teams = sorted({service.team for service in services})
    return [
        _heartbeat(services),
        *(_team(team, [s for s in services if s.team == team], times) for team in teams),
        # Of no team that we know, yet somebody said that it cannot wait.
        {"receiver": fallback(services, "page"), "matchers": ['severity="page"']},
    ]


def fallback(services: Sequence[Service], severity: Severity) -> str:
    """Name the receiver of alerts that no route takes: nothing may vanish because a label is unknown."""
    found = Counter(service.notify[severity] for service in services if severity in service.notify)
    if found:
        return min(found, key=lambda name: (-found[name], name))
    return SILENT_RECEIVER if severity == "ticket" else fallback(services, "ticket")


def heartbeat_receiver(services: Sequence[Service]) -> str:
    """Name the receiver of the heartbeat; raise `SpecError` when specs name two."""
    named = {service.routing.heartbeat: service for service in services if service.routing.heartbeat}
    if len(named) > 1:
        first, second, *_ = sorted(named)
        raise SpecError(
            f"the heartbeat goes to {first!r} in one spec and to {second!r} in another",
            str(named[second].routing.place),
            "give notify.heartbeat once, in the file that the specs extend",
        )
    return next(iter(named), HEARTBEAT_RECEIVER)


def _heartbeat(services: Sequence[Service]) -> Yaml:
    quickest = min((service.grouping.interval for service in services), default=Grouping().interval)
    interval = str(min(quickest, Grouping().interval))
    return {
        "receiver": heartbeat_receiver(services),
        "matchers": [f'alertname="{HEARTBEAT}"'],
        "group_wait": "0s",
        "group_interval": interval,
        # Alertmanager repeats at multiples of the group interval: the switch must allow for twice this.
        "repeat_interval": interval,
    }


def _team(team: str, services: Sequence[Service], times: Intervals) -> Yaml:
    sharing: dict[_Policy, list[Service]] = {}
    for service in services:
        sharing.setdefault(_policy(service, times), []).append(service)
    route: dict[str, Yaml] = {"receiver": fallback(services, "ticket"), "matchers": [f'team="{team}"']}
    if len(sharing) == 1:
        policy = next(iter(sharing))
        return {**route, **_waits(policy), "routes": _by_severity(policy)}
    tiers = {tier: {_policy(s, times) for s in services if s.tier == tier} for tier in _tiers(services)}
    children: list[Yaml] = [
        {
            "matchers": [_among("service", [s.name for s in sharers if len(tiers[s.tier]) > 1])],
            **_waits(policy),
            "routes": _by_severity(policy),
        }
        for policy, sharers in sorted(sharing.items(), key=lambda item: item[1][0].name)
        if any(len(tiers[s.tier]) > 1 for s in sharers)
    ]
    for policy, sharers in sorted(sharing.items(), key=lambda item: item[1][0].name):
        alike = sorted({s.tier for s in sharers if len(tiers[s.tier]) == 1})
        if alike:
            children.append(
                {"matchers": [_among("tier", alike)], **_waits(policy), "routes": _by_severity(policy)}
            )
    return {**route, "routes": children}


def _tiers(services: Sequence[Service]) -> list[str]:
    return sorted({service.tier for service in services})


def _policy(service: Service, times: Intervals) -> _Policy:
    notify = tuple((name, service.notify[name]) for name in SEVERITIES if name in service.notify)
    return _Policy(notify, service.grouping, times.hours(service), times.muted(service))


def _waits(policy: _Policy) -> dict[str, Yaml]:
    return {"group_wait": str(policy.grouping.wait), "group_interval": str(policy.grouping.interval)}


def _by_severity(policy: _Policy) -> list[Yaml]:
    notify, grouping = dict(policy.notify), policy.grouping
    found: list[Yaml] = []
    for severity in SEVERITIES:
        receiver = notify.get(severity, SILENT_RECEIVER)
        route: dict[str, Yaml] = {
            "receiver": receiver,
            "matchers": [f'severity="{severity}"'],
            "repeat_interval": str(grouping.repeat if severity == "page" else grouping.repeat * 6),
        }
        if receiver != SILENT_RECEIVER:
            if severity == "ticket" and policy.hours:
                route["active_time_intervals"] = [policy.hours]
            if policy.muted:
                route["mute_time_intervals"] = list(policy.muted)
        found.append(route)
    return found


def _among(label: str, names: Sequence[str]) -> str:
    """Match any of `names`: names in specs hold no character that a regular expression knows."""
    return f'{label}="{names[0]}"' if len(names) == 1 else f'{label}=~"{"|".join(names)}"'
