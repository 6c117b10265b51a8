"""`obs stack certs`, judged by openssl and by TLS itself, which know nothing of the code that made them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import ssl
import stat
import string
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from obs.cli.main import run
from obs.errors import ConfigError, StackError
from obs.stack.certs import authority, renewal
from obs.stack.certs.authority import Pair, Subject
from obs.stack.certs.folder import Folder
from obs.stack.certs.inspection import State, inspect
from obs.stack.certs.renewal import Outcome, Wanted
from obs.stack.certs.subjects import subjects
from obs.stack.servers import SERVERS

_NOW = authority.now()
_DAY = timedelta(days=1)
_WANTED = Wanted(lifetime=365 * _DAY, before=30 * _DAY)

Renew = Callable[..., dict[str, Outcome]]


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    return Folder.of(tmp_path / "state")


@pytest.fixture
def renew(place: Folder) -> Renew:
    def run_once(now: datetime = _NOW, **changes: object) -> dict[str, Outcome]:
        everybody = subjects(changes.pop("hosts", ()))  # type: ignore[arg-type]
        folder = changes.pop("place", place)
        wanted = dataclasses.replace(_WANTED, **changes)  # type: ignore[arg-type]
        return {one.name: one for one in renewal.renew(folder, everybody, wanted, now)}  # type: ignore[arg-type]

    return run_once


def _openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("openssl")
    assert program, "openssl is missing, and it is the judge"
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def _contents(place: Folder) -> dict[Path, bytes]:
    files = [*place.directory.glob("*"), *place.authority.glob("ca*")]
    return {path: path.read_bytes() for path in files}


def _states(place: Folder, now: datetime = _NOW) -> dict[str, State]:
    return {one.name: one.state for one in inspect(place, subjects(), within=30 * _DAY, now=now)}


def test_openssl_trusts_each_server_by_each_of_its_names_in_both_directions(
    place: Folder, renew: Renew
) -> None:
    renew()
    trusted = str(place.authority_certificate_path)
    for name in SERVERS:
        shown = str(place.certificate_path(name))
        for purpose, host in (("sslserver", name), ("sslclient", "localhost")):
            done = _openssl(
                "verify", "-x509_strict", "-CAfile", trusted, "-purpose", purpose, "-verify_hostname", host,
                "-verify_ip", "127.0.0.1", shown,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
    other = _openssl(
        "verify", "-CAfile", trusted, "-verify_hostname", "loki", str(place.certificate_path("tempo"))
    )
    assert other.returncode != 0


def test_a_client_s_certificate_serves_no_server_and_no_server_s_signs_another(
    place: Folder, renew: Renew
) -> None:
    renew()
    trusted, client = str(place.authority_certificate_path), str(place.certificate_path("client"))
    assert _openssl("verify", "-CAfile", trusted, "-purpose", "sslclient", client).returncode == 0
    assert _openssl("verify", "-CAfile", trusted, "-purpose", "sslserver", client).returncode != 0

    server = Pair(place.key_path("loki").read_bytes(), place.certificate_path("loki").read_bytes())
    forged = place.directory / "forged.crt"
    forged.write_bytes(authority.issue(server, Subject("grafana", ("grafana",)), 9 * _DAY, _NOW).certificate)
    done = _openssl(
        "verify", "-CAfile", trusted, "-untrusted", str(place.certificate_path("loki")), str(forged)
    )
    assert done.returncode != 0


def test_two_servers_shake_hands_and_a_stranger_is_turned_away(
    place: Folder, renew: Renew, tmp_path: Path
) -> None:
    renew()
    stranger = Folder.of(tmp_path / "stranger")
    renew(place=stranger)

    assert _handshake(place, server="loki", client="collector", trusts=place) == "loki"
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(stranger, server="loki", client="collector", trusts=place)


def _handshake(place: Folder, *, server: str, client: str, trusts: Folder) -> str:
    """Shake hands in memory; both sides show a certificate and trust the authority of `trusts` only."""
    takes = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    takes.load_cert_chain(place.certificate_path(server), place.key_path(server))
    takes.load_verify_locations(trusts.authority_certificate_path)
    takes.verify_mode = ssl.CERT_REQUIRED
    asks = ssl.create_default_context(cafile=str(trusts.authority_certificate_path))
    asks.load_cert_chain(trusts.certificate_path(client), trusts.key_path(client))
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        asks.wrap_bio(down, up, server_hostname=server),
        takes.wrap_bio(up, down, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
    shown = ends[0].getpeercert()
    assert ends[1].getpeercert()
    assert shown
    return str(shown["subject"][0][0][1])


def test_keys_are_their_owner_s_alone_or_a_group_s_to_read(place: Folder, renew: Renew) -> None:
    renew()
    keys = [*place.directory.glob("*.key"), place.authority_key_path]
    assert len(keys) == len(SERVERS) + 2
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert place.authority_key_path.parent != place.directory
    assert stat.S_IMODE(place.authority.stat().st_mode) == 0o700

    shared = dataclasses.replace(place, group=os.getgid())
    assert {one.action for name, one in renew(place=shared).items() if name != "ca"} == {"secured"}
    assert {stat.S_IMODE(key.stat().st_mode) for key in place.directory.glob("*.key")} == {0o640}
    assert stat.S_IMODE(place.authority_key_path.stat().st_mode) == 0o600
    assert set(_states(place).values()) == {State.GOOD}


def test_a_group_that_may_read_the_keys_may_still_do_so_after_a_later_command(
    tmp_path: Path, place: Folder, renew: Renew
) -> None:
    group = 1234 if os.geteuid() == 0 else os.getgid()
    renew(place=dataclasses.replace(place, group=group))
    again = Folder.of(tmp_path / "state")
    assert {one.action for name, one in renew(place=again, rotate=("loki",)).items() if name != "loki"} == {
        "kept"
    }
    for key in place.directory.glob("*.key"):
        assert (stat.S_IMODE(key.stat().st_mode), key.stat().st_gid) == (0o640, group)


def test_a_second_run_changes_nothing(place: Folder, renew: Renew) -> None:
    assert {one.action for one in renew().values()} == {"created"}
    before = _contents(place)
    assert {one.action for one in renew().values()} == {"kept"}
    assert _contents(place) == before


def test_what_ends_soon_is_renewed_with_a_new_key_under_the_same_authority(
    place: Folder, renew: Renew
) -> None:
    renew(hosts=[("grafana", "grafana.example.com")])
    before = _contents(place)

    # 31 days left are enough, 30 are not.
    assert {one.action for one in renew(_NOW + 334 * _DAY).values()} == {"kept"}
    later = renew(_NOW + 335 * _DAY)
    assert later.pop("ca").action == "kept"
    assert {one.action for one in later.values()} == {"renewed"}
    after = _contents(place)
    changed = {path.name for path in after if after[path] != before[path]}
    assert changed == {f"{name}.{kind}" for name in [*SERVERS, "client"] for kind in ("key", "crt")}
    # What somebody asked for once outlives the renewal.
    assert "grafana.example.com" in authority.read(place.certificate_path("grafana").read_bytes()).hosts
    then = str(int((_NOW + 336 * _DAY).timestamp()))
    trusted, shown = str(place.authority_certificate_path), str(place.certificate_path("tempo"))
    assert _openssl("verify", "-attime", then, "-CAfile", trusted, shown).returncode == 0


def test_a_new_name_renews_the_server_that_has_it_and_nobody_else(renew: Renew) -> None:
    renew()
    named = renew(hosts=[("grafana", "10.1.2.3")])
    assert {name for name, one in named.items() if one.action == "renewed"} == {"grafana"}
    assert named["grafana"].reason == "does not name 10.1.2.3"


def test_only_what_is_named_is_rotated(place: Folder, renew: Renew) -> None:
    renew()
    key = place.key_path("loki").read_bytes()
    assert {name for name, one in renew(rotate=("loki",)).items() if one.action == "renewed"} == {"loki"}
    assert place.key_path("loki").read_bytes() != key
    assert {name for name, one in renew(rotate=("all",)).items() if one.action == "kept"} == {"ca"}
    with pytest.raises(ConfigError, match="did you mean 'loki'"):
        renew(rotate=("lokki",))


def test_a_new_authority_signs_everybody_anew(place: Folder, renew: Renew) -> None:
    renew()
    old = place.authority_certificate_path.read_bytes()
    assert {one.action for one in renew(replace_ca=True).values()} == {"renewed"}
    assert set(_states(place).values()) == {State.GOOD}
    assert not authority.is_issued_by(place.certificate_path("loki").read_bytes(), old)


def _somebody_s_key(place: Folder) -> None:
    place.certificate_path("loki").unlink()


def _another_key(place: Folder) -> None:
    # As after a crash between the two files of a renewal.
    place.key_path("loki").write_bytes(place.key_path("tempo").read_bytes())


def _another_authority(place: Folder) -> None:
    other = authority.issue(
        authority.found_authority(9 * _DAY, _NOW), Subject("loki", subjects()["loki"].hosts), 9 * _DAY, _NOW
    )
    place.key_path("loki").write_bytes(other.key)
    place.certificate_path("loki").write_bytes(other.certificate)


def _nonsense(place: Folder) -> None:
    place.certificate_path("loki").write_bytes(
        b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n"
    )


@pytest.mark.parametrize("spoil", [_somebody_s_key, _another_key, _another_authority, _nonsense])
def test_what_is_not_ours_is_refused_before_anything_is_written(
    spoil: Callable[[Folder], None], place: Folder, renew: Renew
) -> None:
    renew()
    spoil(place)
    before = _contents(place)
    with pytest.raises(StackError, match="loki") as refused:
        renew(_NOW + 350 * _DAY, rotate=("tempo",), hosts=[("grafana", "elsewhere")], before=timedelta(0))
    assert "--rotate loki" in str(refused.value)
    assert _contents(place) == before
    assert _states(place)["loki"] is State.BLOCKED

    assert renew(rotate=("loki",))["loki"].action in ("renewed", "created")
    assert set(_states(place).values()) == {State.GOOD}


def test_an_authority_without_its_key_still_vouches_but_signs_no_more(place: Folder, renew: Renew) -> None:
    renew()
    place.authority_key_path.unlink()
    assert {one.action for one in renew().values()} == {"kept"}
    before = _contents(place)
    with pytest.raises(StackError, match="--replace-ca"):
        renew(rotate=("loki",))
    assert _contents(place) == before


def test_nothing_is_signed_by_an_authority_that_has_expired(place: Folder, renew: Renew) -> None:
    renew()
    with pytest.raises(StackError, match="has expired"):
        renew(_NOW + 3651 * _DAY)
    assert _states(place, _NOW + 3651 * _DAY)["ca"] is State.EXPIRING


def test_a_key_that_came_in_between_is_not_overwritten(place: Folder, renew: Renew) -> None:
    renew()
    pair = authority.found_authority(_DAY, _NOW)
    key = place.key_path("loki").read_bytes()
    with pytest.raises(StackError, match="is there already"):
        place.write("loki", pair, replaces=False)
    assert place.key_path("loki").read_bytes() == key
    assert not list(place.directory.glob(".*"))


def test_a_key_that_others_may_read_is_found_and_closed(place: Folder, renew: Renew) -> None:
    renew()
    place.key_path("loki").chmod(0o644)
    assert _states(place)["loki"] is State.EXPOSED
    assert renew()["loki"].action == "secured"
    assert _states(place)["loki"] is State.GOOD


_LABEL = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
_HOST = st.one_of(
    st.lists(_LABEL, min_size=1, max_size=4)
    .map(".".join)
    .filter(lambda text: not text.replace(".", "").isdigit()),
    st.ip_addresses().map(str),
)
_AUTHORITY = authority.found_authority(3650 * _DAY, _NOW)


@settings(max_examples=30)
@given(
    hosts=st.lists(_HOST, min_size=1, max_size=4, unique=True),
    lifetime=st.timedeltas(min_value=timedelta(seconds=1), max_value=5000 * _DAY),
    later=st.timedeltas(min_value=timedelta(0), max_value=3649 * _DAY),
)
@example(hosts=["a"], lifetime=5000 * _DAY, later=timedelta(0))
def test_a_certificate_says_what_was_asked_and_never_outlives_its_authority(
    hosts: list[str], lifetime: timedelta, later: timedelta
) -> None:
    lifetime, later = (timedelta(seconds=int(one.total_seconds())) for one in (lifetime, later))
    pair = authority.issue(_AUTHORITY, Subject("loki", tuple(hosts)), lifetime, _NOW + later)
    facts = authority.read(pair.certificate)
    assert facts.hosts == set(hosts)
    assert facts.ends == min(_NOW + later + lifetime, authority.read(_AUTHORITY.certificate).ends)
    assert authority.is_pair(pair)
    assert not authority.is_pair(Pair(_AUTHORITY.key, pair.certificate))
    assert authority.is_issued_by(pair.certificate, _AUTHORITY.certificate)
    assert all(authority.is_host(host) for host in hosts)


@settings(max_examples=30)
@given(st.binary(max_size=200))
@example(b"")
def test_what_is_no_certificate_is_said_to_be_none(noise: bytes) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        authority.read(noise)
    assert not authority.is_pair(Pair(noise, _AUTHORITY.certificate))
    assert not authority.is_issued_by(noise, _AUTHORITY.certificate)


@pytest.mark.parametrize("text", ["", "a b", "-a", "a-", "a..b", "a/b", "ä", "x" * 64, "host:3000", "*"])
def test_what_is_no_host_is_refused(text: str) -> None:
    assert not authority.is_host(text)
    with pytest.raises(ConfigError):
        subjects([("loki", text)])


def test_the_command_makes_checks_and_renews(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = str(tmp_path / "state")
    assert run(["stack", "certs", "--dir", state, "--check"]) == 1
    assert "there is none yet" in capsys.readouterr().out

    assert run(["stack", "certs", "--dir", state, "--days", "40"]) == 0
    made = capsys.readouterr()
    assert made.out.count(" created ") == len(SERVERS) + 2
    assert made.err == ""

    assert run(["stack", "certs", "--dir", state, "--check", "--format", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["loki"]["state"] == "good"
    assert rows["loki"]["days"] in (39, 40)
    assert datetime.fromisoformat(rows["loki"]["ends"]).tzinfo == timezone.utc

    assert run(["stack", "certs", "--dir", state, "--check", "--before", "41"]) == 1
    assert capsys.readouterr().out.count(" expiring ") == len(SERVERS) + 1

    assert run(["stack", "certs", "--dir", state, "--rotate", "loki"]) == 0
    assert capsys.readouterr().err == "new keys: restart loki\n"
    assert run(["stack", "certs", "--dir", state, "--replace-ca"]) == 0
    assert "give ca.crt to every client" in capsys.readouterr().err


def test_a_service_of_yours_keeps_its_certificate_once_it_was_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    own = ["stack", "certs", "--dir", str(state)]
    assert run([*own, "--service", "checkout", "--host", "checkout=checkout.example.com"]) == 0
    hosts = authority.read((state / "certs" / "checkout.crt").read_bytes()).hosts
    assert hosts == {"checkout", "checkout.example.com", "localhost", "127.0.0.1"}
    # What lies beside it and is not of this authority is nobody's business here.
    alien = authority.issue(authority.found_authority(_DAY, _NOW), Subject("alien", ("alien",)), _DAY, _NOW)
    (state / "certs" / "alien.crt").write_bytes(alien.certificate)
    capsys.readouterr()

    assert run([*own, "--check", "--format", "json"]) == 0
    rows = {row["name"]: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert (rows["checkout"], "alien" in rows) == ("good", False)
    assert run([*own, "--rotate", "checkout"]) == 0
    assert capsys.readouterr().err == "new keys: restart checkout\n"
    assert authority.read((state / "certs" / "checkout.crt").read_bytes()).hosts == hosts
    assert [run([*own, "--replace-ca"]), run([*own, "--check"])] == [0, 0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--service", "ca"), "service: got 'ca', expected the name by which Prometheus reaches it"),
        (("--service", "a/b"), "service: got 'a/b'"),
        (("--host", "grafana"), "expected SERVER=HOST"),
        (("--host", "grafanna=a.example"), "did you mean 'grafana'"),
        (("--host", "grafana=a b"), "expected a DNS name or an IP address"),
        (("--rotate", "nobody"), "nothing to rotate is called 'nobody'"),
        (("--check", "--rotate", "loki"), "--check changes nothing"),
        (("--days", "20"), "every run would renew everything"),
    ],
)
def test_mistakes_are_said_in_a_sentence(
    arguments: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["stack", "certs", "--dir", str(tmp_path / "state"), *arguments]) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""
    assert not (tmp_path / "state" / "certs").exists()
