"""What a check is, and what it yields."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from obs.generate.model import Place
from obs.lint.problem import Fix, Severity
from obs.lint.source import Span

if TYPE_CHECKING:
    from obs.lint.project import Project

#: What a file can be; detected by content.
Kind: TypeAlias = Literal["rules", "tests", "dashboard", "alertmanager", "runbook", "spec", "contract"]
KINDS: tuple[Kind, ...] = ("rules", "tests", "dashboard", "alertmanager", "runbook", "spec", "contract")
#: What a check cannot do without: a contract, or a server that can be asked.
Needs: TypeAlias = Literal["", "contract", "live"]


class Finding(NamedTuple):
    """What a check yields; the runner makes a `Problem` of it."""

    at: Span | Place
    message: str
    hint: str | None = None
    fix: Fix | None = None
    #: Where it differs from the check's own.
    severity: Severity | None = None
    #: Characters to underline where `at` is a place; a span knows its own.
    length: int = 1
    #: Its line holds a secret, which no reporter may repeat.
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of the linter: `run` looks at everything that was read and yields findings.

    The id is in kebab case, its module is ``lint/checks/<id_with_underscores>.py`` and its page
    ``docs/reference/lint/<id>.md``.
    """

    id: str
    severity: Severity
    #: Kinds of files in which it finds something.
    kinds: tuple[Kind, ...]
    run: Callable[[Project], Iterable[Finding]]
    needs: Needs = ""


def found_by_the_runner(project: Project) -> Iterable[Finding]:  # noqa: ARG001 - the shape of `Check.run`
    """Yield nothing: the runner itself finds these problems while it reads files and comments."""
    return ()
