"""Make what is missing, renew what ends soon, touch nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from obs.errors import ConfigError, StackError, suggest
from obs.stack.certs import authority, folder
from obs.stack.certs.authority import Pair, Subject
from obs.stack.certs.folder import Folder
from obs.stack.certs.inspection import CA, Finding, State, inspect

#: For `rotate`: everybody, the authority excepted.
ALL = "all"

#: The authority outlives what it signs many times over: replacing it means to tell everybody whom to trust.
_AUTHORITY_LIFETIME = timedelta(days=3650)


@dataclass(frozen=True)
class Wanted:
    """What a run is to see to.

    Attributes:
        lifetime: of a new certificate.
        before: one that has less than this left is renewed.
        rotate: names whose key and certificate are replaced whatever they are, or `ALL`.
        replace_ca: make a new authority, and with it everybody's certificate.
    """

    lifetime: timedelta
    before: timedelta
    rotate: Collection[str] = ()
    replace_ca: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of one certificate: ``created``, ``renewed``, ``secured`` (mode of its key) or ``kept``."""

    name: str
    action: str
    ends: datetime
    reason: str = ""


def renew(place: Folder, subjects: Mapping[str, Subject], wanted: Wanted, now: datetime) -> list[Outcome]:
    """Bring every certificate into order and return what became of each, the authority's first.

    Nothing is written unless all of it can be: a key that belongs to nothing we know is in nobody's way.

    Raises:
        ConfigError: `rotate` names nobody.
        StackError: something on disk is not ours to replace, the authority cannot sign any more, or a file
            cannot be read or written.
    """
    _require_known(wanted.rotate, subjects)
    with place.locked():
        findings = {one.name: one for one in inspect(place, subjects, within=wanted.before, now=now)}
        due = [name for name in subjects if _is_due(findings[name], wanted)]
        _require_settled(findings.values(), due, wanted)
        signer, outcome = _authority(place, findings[CA], wanted, now, signs=bool(due))
        outcomes = [outcome]
        for name, subject in subjects.items():
            if name not in due or signer is None:
                outcomes.append(_keep(place, findings[name]))
                continue
            # Hosts that somebody asked for once stay asked for.
            hosts = tuple(dict.fromkeys((*subject.hosts, *findings[name].hosts)))
            pair = authority.issue(signer, replace(subject, hosts=hosts), wanted.lifetime, now)
            exists = place.key_path(name).exists()
            place.write(name, pair, replaces=exists)
            outcomes.append(
                Outcome(
                    name,
                    "renewed" if exists else "created",
                    authority.read(pair.certificate).ends,
                    findings[name].reason,
                )
            )
    return outcomes


def _is_due(finding: Finding, wanted: Wanted) -> bool:
    if wanted.replace_ca or finding.name in wanted.rotate or ALL in wanted.rotate:
        return True
    return finding.state in (State.MISSING, State.EXPIRING, State.RENAMED)


def _require_known(names: Collection[str], subjects: Mapping[str, Subject]) -> None:
    known = [*subjects, ALL]
    for name in names:
        if name not in known:
            raise ConfigError(
                f"nothing to rotate is called {name!r}: there are {', '.join(known)}",
                hint=suggest(name, known),
            )


def _require_settled(findings: Collection[Finding], due: Collection[str], wanted: Wanted) -> None:
    open_questions = [
        one
        for one in findings
        if one.state is State.BLOCKED and not (wanted.replace_ca if one.name == CA else one.name in due)
    ]
    if open_questions:
        names = [one.name for one in open_questions]
        way = "--replace-ca" if CA in names else " ".join(f"--rotate {name}" for name in names)
        raise StackError(
            "; ".join(one.reason for one in open_questions) + ": nothing was written",
            hint=f"move it away, or have it replaced: obs stack certs {way}",
        )


def _authority(
    place: Folder, finding: Finding, wanted: Wanted, now: datetime, *, signs: bool
) -> tuple[Pair | None, Outcome]:
    if wanted.replace_ca or finding.state is State.MISSING:
        pair = authority.found_authority(_AUTHORITY_LIFETIME, now)
        exists = place.authority_key_path.exists()
        place.write_authority(pair, replaces=exists)
        ends = authority.read(pair.certificate).ends
        return pair, Outcome(CA, "renewed" if finding.ends else "created", ends)
    assert finding.ends is not None  # noqa: S101 - one that is neither missing nor blocked was read
    outcome = Outcome(CA, "kept", finding.ends, finding.reason)
    if not signs:
        return None, outcome
    key, certificate = folder.read(place.authority_key_path), folder.read(place.authority_certificate_path)
    if key is None or certificate is None:
        raise StackError(
            "the authority's key is missing, and something must be signed",
            where=str(place.authority_key_path),
            hint="put it back, or make a new authority: obs stack certs --replace-ca",
        )
    if finding.ends <= now:
        raise StackError(
            "the authority has expired and can sign nothing",
            where=str(place.authority_certificate_path),
            hint="make a new one: obs stack certs --replace-ca",
        )
    return Pair(key, certificate), outcome


def _keep(place: Folder, finding: Finding) -> Outcome:
    assert finding.ends is not None  # noqa: S101 - what cannot be read is never kept
    secured = place.secure(finding.name)
    return Outcome(finding.name, "secured" if secured else "kept", finding.ends)
