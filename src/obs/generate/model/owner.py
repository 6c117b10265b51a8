"""Who answers for a service."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """How the owning team is reached, for the runbooks; what is empty is not shown."""

    #: Channel of the team's chat, such as ``#payments``.
    chat: str = ""
    email: str = ""
    #: Address of the on-call rota.
    rota: str = ""
    #: Whom to call when the team does not answer, in this order, in words.
    escalation: tuple[str, ...] = ()
