"""Steps that runbooks of engines share: what their own log says, and whether they were restarted."""

from __future__ import annotations

from obs.catalogue.process import START_TIME
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Action, Step


def read_log(ask: Queries, about: str, *outcomes: tuple[str, str]) -> Step:
    """Ask the engine's own log; `about` is a word that its lines hold."""
    return Step(
        "Read what the engine itself says about it.",
        outcomes=outcomes,
        logs=(f'{ask.stream()} |~ "(?i){about}"',),
    )


def restarted(ask: Queries, otherwise: int) -> Step:
    """Ask whether the engine was restarted just before."""
    return Step(
        "See whether an instance was restarted in the last hour, by a release, by hand or by the kernel.",
        (f"sum by (instance) (changes({ask.series(START_TIME)}[1h]))",),
        (
            ("it was, once", "compare its version and configuration with those before: Mitigation 1."),
            (
                "it restarts again and again",
                "read its last lines before each start; memory is the usual reason.",
            ),
            ("it was not", f"go on with step {otherwise}."),
        ),
    )


def restore(what: str) -> Action:
    """Return to the configuration before."""
    return Action(
        f"Put back the last {what} that worked, from version control, and reload.",
        "the engine works as before the change; nothing that it has stored is touched.",
        "2 minutes.",
    )
