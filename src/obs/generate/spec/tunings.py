"""`alerts:` and `jobs:` of a spec. Whether an alert of that name exists is for `derive` to say."""

from __future__ import annotations

from typing import cast

from obs.generate.model import SEVERITIES, Duration, Job, Severity, Tuning
from obs.generate.spec import fields
from obs.generate.spec.document import Entry, Node
from obs.generate.spec.shape.alerts import JOB, TUNING

#: The last success is looked up for two cycles, which the server's retention must hold.
LONGEST_CYCLE = Duration.parse("40d")


def read_tunings(node: Node) -> dict[str, Tuning]:
    """Read what is changed about the alerts, by alert."""
    return {key: _tuning(key, entry) for key, entry in fields.mapping(node, "alerts").items()}


def _tuning(key: str, entry: Entry) -> Tuning:
    what = f"alerts.{key}"
    own = fields.mapping(entry.node, what, TUNING.names)
    if not own:
        raise fields.refuse(entry.node, f"{what} changes nothing", f"known here: {', '.join(TUNING.names)}")

    def given(name: str) -> Node | None:
        return own[name].node if name in own else None

    threshold, window, for_ = given("threshold"), given("window"), given("for")
    severity, disabled = given("severity"), given("disabled")
    until = given("until")
    if until is not None and disabled is None:
        raise fields.refuse(
            until, f"{what}.until: only what is disabled ends", f"{what}.disabled: the reason"
        )
    return Tuning(
        alert=key,
        place=entry.key,
        threshold=fields.number(threshold, f"{what}.threshold") if threshold else None,
        window=fields.duration(window, f"{what}.window") if window else None,
        for_=fields.duration(for_, f"{what}.for", zero=True) if for_ else None,
        severity=(
            cast("Severity", fields.choice(severity, f"{what}.severity", SEVERITIES)) if severity else None
        ),
        disabled=fields.reason(disabled, f"{what}.disabled") if disabled else None,
        until=fields.date(until, f"{what}.until") if until else None,
        places={name: own[name].node.place for name in own},
    )


def read_jobs(node: Node) -> tuple[Job, ...]:
    """Read the scheduled jobs, ordered by name."""
    return tuple(_job(key, entry) for key, entry in sorted(fields.mapping(node, "jobs").items()))


def _job(key: str, entry: Entry) -> Job:
    what = f"jobs.{key}"
    name = fields.key_name(key, entry, what, fields.JOB_NAME)
    own = fields.mapping(entry.node, what, JOB.names)
    schedule = fields.duration(fields.required(own, "schedule", entry.node, what), f"{what}.schedule")
    grace = fields.duration(fields.required(own, "grace", entry.node, what), f"{what}.grace", zero=True)
    if schedule + grace > LONGEST_CYCLE:
        raise fields.refuse(
            entry.node,
            f"{what}: {schedule + grace} from success to success, expected at most {LONGEST_CYCLE}",
        )
    return Job(name, schedule, grace, entry.key)
