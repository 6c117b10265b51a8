"""Why an alert has no case of a kind, as comments: who reads its tests sees what was left out on purpose."""

from __future__ import annotations

from obs.generate.model import RuleFile


def comments(file: RuleFile) -> str:
    """Return a line of comment for each kind of case that alerts of `file` go without, with the reason."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for alert in file.alerts:
        for kind, reason in sorted(alert.omits.items()):
            reasons.setdefault((kind, " ".join(reason.split())), []).append(alert.name)
    return "".join(
        f"# no case {kind!r} of {', '.join(dict.fromkeys(names))}: {reason}\n"
        for (kind, reason), names in sorted(reasons.items())
    )
