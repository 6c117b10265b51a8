"""What a project does nowhere is one thing to decide, and not a thousand things to repair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from obs.lint.check import Finding

#: Fewer than these are quicker repaired than discussed.
MANY = 10


def gathered(findings: Sequence[Finding], of: int, message: str, hint: str) -> Iterator[Finding]:
    """Yield findings as they are; when all of many that could have one do, the first speaks for all of them.

    `message` names no number: a baseline knows it again when the project has grown.
    """
    if len(findings) == of > MANY:
        yield findings[0]._replace(message=message, hint=hint)
    else:
        yield from findings
