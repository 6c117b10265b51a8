"""Secrets are made once, kept, and readable by their owner alone."""

from __future__ import annotations

import base64
from pathlib import Path

import bcrypt
import pytest

from obs.errors import StackError
from obs.stack import secret_files


def _hash(text: str) -> bytes:
    return text.rpartition("obs: ")[2].strip().encode()


def test_each_secret_is_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    files = secret_files.ensure(tmp_path / "secrets")
    assert set(files) == {"grafana_admin_password", "web_password", "web_authorization"}
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert len({path.read_text() for path in files.values()}) == 3
    assert min(len(path.read_text()) for path in files.values()) >= 32
    assert not any("\n" in path.read_text() for path in files.values())


def test_containers_may_read_them_where_they_are_asked_to(tmp_path: Path) -> None:
    files = secret_files.ensure(tmp_path, mode=0o444)
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o444}


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "web_password").write_text("mine\n")
    files = secret_files.ensure(tmp_path)
    before = {name: path.read_text() for name, path in files.items()}
    assert before["web_password"] == "mine\n"  # noqa: S105 - written above
    assert base64.b64decode(before["web_authorization"]) == b"obs:mine"
    secret_files.ensure(tmp_path)
    assert {name: path.read_text() for name, path in files.items()} == before


def test_the_servers_know_the_password_by_its_hash_alone(tmp_path: Path) -> None:
    password = secret_files.read(secret_files.ensure(tmp_path)["web_password"])
    text = secret_files.web_config(tmp_path)
    assert password not in text
    assert bcrypt.checkpw(password.encode(), _hash(text))
    assert (tmp_path / "web.yml").read_text() == text
    assert (tmp_path / "web.yml").stat().st_mode & 0o777 == 0o600


def test_the_same_password_keeps_its_hash_and_another_gets_a_new_one(tmp_path: Path) -> None:
    secret_files.ensure(tmp_path)
    first = secret_files.web_config(tmp_path)
    assert secret_files.web_config(tmp_path) == first
    (tmp_path / "web_password").write_text("changed")
    second = secret_files.web_config(tmp_path)
    assert second != first
    assert bcrypt.checkpw(b"changed", _hash(second))


def test_loki_follows_a_password_that_was_changed(tmp_path: Path) -> None:
    secret_files.ensure(tmp_path)
    (tmp_path / "web_password").write_text("changed\n")
    files = secret_files.ensure(tmp_path)
    assert base64.b64decode(files["web_authorization"].read_text()) == b"obs:changed"
    assert files["web_authorization"].stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damaged", ["", "basic_auth_users:\n  obs: nonsense\n", "\0"])
def test_a_damaged_file_is_written_anew(tmp_path: Path, damaged: str) -> None:
    secret_files.ensure(tmp_path)
    (tmp_path / "web.yml").write_text(damaged)
    assert bcrypt.checkpw(
        secret_files.read(tmp_path / "web_password").encode(), _hash(secret_files.web_config(tmp_path))
    )


def test_removal_leaves_what_somebody_else_has_put_there(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    secret_files.ensure(folder)
    secret_files.web_config(folder)
    (folder / "pagerduty_key").write_text("theirs")
    secret_files.remove(folder)
    assert [path.name for path in folder.iterdir()] == ["pagerduty_key"]
    (folder / "pagerduty_key").unlink()
    secret_files.remove(folder)
    assert not folder.exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("a file where a directory belongs")
    with pytest.raises(StackError, match="cannot write the stack's secrets"):
        secret_files.ensure(tmp_path / "secrets")
