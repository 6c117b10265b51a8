"""`service:` and `owners:` of a spec: what it is called and who answers for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from obs.generate.model import Owner, Place
from obs.generate.spec import fields
from obs.generate.spec.document import Node
from obs.generate.spec.shape.identity import CHAT, DEFAULT_TIER, EMAIL, OWNERS, SERVICE


@dataclass(frozen=True, slots=True)
class Identity:
    """Name, team and tier of a service."""

    name: str
    team: str
    tier: str
    #: Where the name stands.
    place: Place


def read_service(node: Node) -> Identity:
    """Read `service:`; name and team are required."""
    own = fields.mapping(node, "service", SERVICE.names)
    name_node = fields.required(own, "name", node, "service")
    tier = own.get("tier")
    return Identity(
        name=fields.name(name_node, "service.name"),
        team=fields.name(fields.required(own, "team", node, "service"), "service.team"),
        tier=fields.name(tier.node, "service.tier") if tier else DEFAULT_TIER,
        place=name_node.place,
    )


def read_owners(node: Node | None) -> Owner:
    """Read `owners:`; every key of it is optional."""
    if node is None:
        return Owner()
    own = fields.mapping(node, "owners", OWNERS.names)
    return Owner(
        chat=_matching(own["chat"].node, "owners.chat", CHAT, "a channel such as #payments")
        if "chat" in own
        else "",
        email=_matching(own["email"].node, "owners.email", EMAIL, "an address such as team@example.com")
        if "email" in own
        else "",
        rota=fields.url(own["rota"].node, "owners.rota") if "rota" in own else "",
        escalation=tuple(
            fields.text(item, "owners.escalation")
            for item in (
                fields.texts(own["escalation"].node, "owners.escalation") if "escalation" in own else ()
            )
        ),
    )


def _matching(node: Node, what: str, pattern: re.Pattern[str], expected: str) -> str:
    value = fields.text(node, what)
    if not pattern.match(value):
        raise fields.refuse(node, f"{what}: got {value!r}, expected {expected}")
    return value
