"""`notify:`, `grouping:` and `links:` of a spec: who hears of an alert, when, and where links lead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from obs.errors import suggest
from obs.generate.model import (
    ALERTMANAGER_FLOOR,
    RECEIVER_KINDS,
    SEVERITIES,
    WEEKDAYS,
    Grouping,
    Hours,
    Links,
    Place,
    Routing,
    Severity,
)
from obs.generate.spec import fields
from obs.generate.spec.document import Entry, Node
from obs.generate.spec.shape.routing import (
    ADDRESSES,
    ANY_TIME,
    GROUPING,
    HOST,
    HOURS,
    LINKS,
    NOBODY,
    NOTIFY,
    TIME,
    UID,
    VERSION,
    ZONE,
)

#: Uids of data sources among the links; the rest are addresses.
_UIDS = ("logs", "traces")
#: Kind of receiver -> settings that are no secret.
_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "email": ("to", "from", "smarthost", "username"),
    "opsgenie": ("url",),
    "pagerduty": ("url",),
    "slack": ("channel",),
    "teams": (),
    "webhook": ("url",),
}
_REQUIRED: Mapping[str, tuple[str, ...]] = {"email": ("to", "from", "smarthost")}


def read_notify(node: Node | None, tier: str) -> tuple[dict[Severity, str], Routing]:
    """Return the receiver of each severity for a service of `tier`, and the rest of `notify:`.

    ``tiers: {NAME: {SEVERITY: RECEIVER}}`` wins over the severities beside it. Raises `SpecError` for a
    receiver of an unknown kind, and for one whose settings are incomplete.
    """
    if node is None:
        return {}, Routing()
    own = fields.mapping(node, "notify", NOTIFY.names)
    tiers = fields.mapping(own["tiers"].node, "notify.tiers") if "tiers" in own else {}
    chosen: dict[Severity, str] = {}
    for name, entry in tiers.items():
        fields.key_name(name, entry, f"notify.tiers.{name}")
        of_tier = _by_severity(
            fields.mapping(entry.node, f"notify.tiers.{name}", SEVERITIES), f"notify.tiers.{name}"
        )
        chosen |= of_tier if name == tier else {}
    severities: dict[str, Entry] = {key: entry for key, entry in own.items() if key in SEVERITIES}
    notify = {**_by_severity(severities, "notify"), **chosen}
    heartbeat = _heartbeat(own["heartbeat"].node) if "heartbeat" in own else ""
    receivers = _receivers(own["receivers"].node) if "receivers" in own else {}
    for name in sorted({*notify.values(), heartbeat} - {""}):
        missing = [key for key in _REQUIRED.get(_kind(name), ()) if key not in receivers.get(name, {})]
        if missing:
            raise fields.refuse(
                node,
                f"notify: receiver {name!r} needs {', '.join(missing)}",
                f"notify: {{receivers: {{{name}: {{{missing[0]}: …}}}}}}",
            )
    return dict(sorted(notify.items())), Routing(
        hours=_hours(own["hours"].node) if "hours" in own else None,
        heartbeat=heartbeat,
        receivers=receivers,
        alertmanager=_version(own["alertmanager"].node) if "alertmanager" in own else ALERTMANAGER_FLOOR,
        secrets=_directory(own["secrets"].node) if "secrets" in own else Routing().secrets,
        place=node.place,
    )


def read_grouping(node: Node | None) -> Grouping:
    """Return how long notifications wait."""
    if node is None:
        return Grouping()
    own = fields.mapping(node, "grouping", GROUPING.names)
    return replace(
        Grouping(),
        **{
            key: fields.duration(entry.node, f"grouping.{key}", zero=key == "wait")
            for key, entry in own.items()
        },
    )


def read_links(node: Node | None, wins: Mapping[str, str]) -> Links:
    """Return the links of a spec; those of `wins`, from the command line, stand above them."""
    given = dict(fields.mapping(node, "links", LINKS.names)) if node is not None else {}
    place = Place("--link", 1, 1)
    above = {key: Entry(place, Node(place, value)) for key, value in wins.items()}
    given |= fields.mapping(Node(place, above), "links", LINKS.names)
    return replace(Links(), **{key: _link(key, entry.node) for key, entry in given.items()})


def _link(key: str, node: Node) -> str:
    if key not in _UIDS:
        return fields.url(node, f"links.{key}")
    return _matching(node, f"links.{key}", UID, "the uid of a data source in Grafana")


def _by_severity(entries: Mapping[str, Entry], what: str) -> dict[Severity, str]:
    return {cast("Severity", key): _receiver(entry.node, f"{what}.{key}") for key, entry in entries.items()}


def _receiver(node: Node, what: str) -> str:
    name = fields.name(node, what)
    kind, _, rest = name.partition("-")
    if kind not in RECEIVER_KINDS or not rest:
        expected = ", ".join(f"{known}-…" for known in RECEIVER_KINDS)
        message = (
            f"{what}: receiver {name!r} is of no known kind; expected a name that begins with it: {expected}"
        )
        raise fields.refuse(node, message, suggest(kind, RECEIVER_KINDS))
    return name


def _kind(receiver: str) -> str:
    return receiver.partition("-")[0]


def _receivers(node: Node) -> dict[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    for name, entry in sorted(fields.mapping(node, "notify.receivers").items()):
        what = f"notify.receivers.{name}"
        kind = _kind(_receiver(Node(entry.key, name), what))
        own = fields.mapping(entry.node, what, _SETTINGS[kind])
        found[name] = {key: _setting(kind, key, own[key].node, what) for key in sorted(own)}
    return found


def _setting(kind: str, key: str, node: Node, what: str) -> str:
    if key == "url":
        return fields.url(node, f"{what}.url")
    if kind == "email" and key in {"to", "from"}:
        return _matching(node, f"{what}.{key}", ADDRESSES, "an address such as team@example.com")
    if key == "smarthost":
        return _matching(node, f"{what}.{key}", HOST, "host and port such as smtp.example.com:587")
    return fields.text(node, f"{what}.{key}")


def _heartbeat(node: Node) -> str:
    return "" if node.value == NOBODY else _receiver(node, "notify.heartbeat")


def _hours(node: Node) -> Hours | None:
    if node.value == ANY_TIME:
        return None
    own = fields.mapping(node, "notify.hours", HOURS.names)
    start, end = (
        _matching(
            fields.required(own, key, node, "notify.hours"),
            f"notify.hours.{key}",
            TIME,
            "a time such as 09:00",
        )
        for key in ("from", "to")
    )
    if start >= end:
        raise fields.refuse(node, f"notify.hours: {start} to {end} is no time of one day")
    zone = fields.required(own, "zone", node, "notify.hours")
    return Hours(
        days=_days(own["days"].node) if "days" in own else ("monday:friday",),
        start=start,
        end=end,
        zone=_matching(zone, "notify.hours.zone", ZONE, "a time zone such as Europe/Berlin"),
    )


def _days(node: Node) -> tuple[str, ...]:
    items = node.value if isinstance(node.value, tuple) else (node,)
    found = []
    for item in items:
        written = fields.text(item, "notify.hours.days")
        ends = written.split(":")
        for day in ends:
            fields.choice(Node(item.place, day), "notify.hours.days", WEEKDAYS)
        if len(ends) > 2 or WEEKDAYS.index(ends[0]) > WEEKDAYS.index(ends[-1]):
            raise fields.refuse(
                item,
                f"notify.hours.days: got {written!r}, expected a day, or a range such as monday:friday",
                "a week begins on sunday; write [saturday, sunday] for a weekend",
            )
        found.append(written)
    return tuple(found)


def _version(node: Node) -> tuple[int, int]:
    text = fields.text(node, "notify.alertmanager")
    match = VERSION.match(text)
    if match is None:
        raise fields.refuse(node, f"notify.alertmanager: got {text!r}, expected a version such as 0.28")
    version = (int(match.group(1)), int(match.group(2)))
    if version < ALERTMANAGER_FLOOR:
        floor = ".".join(map(str, ALERTMANAGER_FLOOR))
        raise fields.refuse(node, f"notify.alertmanager: got {text}, expected {floor} or later")
    return version


def _directory(node: Node) -> str:
    text = fields.text(node, "notify.secrets")
    if not text.startswith("/"):
        raise fields.refuse(node, f"notify.secrets: got {text!r}, expected an absolute directory")
    return text.rstrip("/") or "/"


def _matching(node: Node, what: str, pattern: re.Pattern[str], expected: str) -> str:
    value = fields.text(node, what)
    if not pattern.match(value):
        raise fields.refuse(node, f"{what}: got {value!r}, expected {expected}")
    return value
