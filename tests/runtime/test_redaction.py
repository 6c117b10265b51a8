"""Redaction: secrets masked by key and form, values bounded, always plain data."""

from __future__ import annotations

import datetime as dt
import enum
import json
import os
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.runtime.json import dumps
from obs.runtime.redaction import MASK, TEXT_LIMIT, clean, is_secret, plain_text, scrub


@pytest.mark.parametrize(
    "key",
    [
        "password", "PASSWORD", "user_password", "userPassword", "passwordConfirm", "passwd", "pwd",
        "token", "access_token", "accessToken", "refresh-token", "x-api-key", "apiKey", "API_KEY", "apikey",
        "secret", "client_secret", "Authorization", "cookie", "Set-Cookie", "private_key", "session_id",
        "aws.access.key", "credentials", "sentry_dsn", "APIToken", "token2", "sessionid", "accesskey",
        "privateKey", "passphrase", "X-Auth-Token", "DBPassword",
    ],
)  # fmt: skip
def test_a_key_that_names_a_secret_is_recognised(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize(
    "key", ["user_id", "tokens_used", "max_tokens", "author", "key", "monkey", "passenger", "order", "event"]
)
def test_a_key_that_only_looks_similar_is_left_alone(key: str) -> None:
    assert not is_secret(key)


def test_secrets_are_masked_at_any_depth() -> None:
    fields = {"user": {"name": "a", "auth": [{"deep": {"token": "t"}}], "list": [{"password": "p"}]}}
    assert clean(fields) == {"user": {"name": "a", "auth": MASK, "list": [{"password": MASK}]}}


def test_a_missing_secret_is_not_claimed_to_be_there() -> None:
    assert clean({"password": None}) == {"password": None}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Basic"])
def test_a_credential_inside_text_is_masked(scheme: str) -> None:
    assert scrub(f"sent {scheme} abc.def-123= to x") == f"sent {scheme} {MASK} to x"


def test_a_password_in_a_url_is_masked() -> None:
    assert scrub("cannot reach postgres://bob:s3cret@db/app") == f"cannot reach postgres://{MASK}@db/app"


def test_long_text_keeps_its_start_and_its_end() -> None:
    cut = scrub("a" * 50_000 + "the end")
    assert len(cut) < TEXT_LIMIT + 64
    assert cut.startswith("aaa")
    assert cut.endswith("the end")


class Colour(enum.Enum):
    RED = "red"


class Rude:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc), "2026-01-02T03:04:05+00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Path("a/b"), "a/b"),
        (Colour.RED, "red"),
        (b"raw\xff", "raw\\xff"),
        (float("nan"), "nan"),
        (2**80, str(2**80)),
        (2**9999, "<integer of 10000 bits>"),
        (Rude(), "<Rude that raised RuntimeError>"),
        ((1, "a"), [1, "a"]),
    ],
)
def test_a_value_json_does_not_know_is_rendered(value: object, plain: object) -> None:
    assert clean({"value": value}) == {"value": plain}


def test_a_value_that_contains_itself_ends() -> None:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    assert len(dumps(clean(loop))) < 1_000


def test_a_huge_collection_is_cut() -> None:
    cleaned = clean({"many": list(range(1_000_000))})
    assert len(cleaned["many"]) <= 1_001
    assert cleaned["many"][-1] == "..."


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.sets(st.integers())
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), _ANYTHING))
def test_whatever_is_logged_becomes_one_line_of_json(fields: dict[str, Any]) -> None:
    line = dumps(clean(fields))
    assert b"\n" not in line
    assert isinstance(json.loads(line), dict)


@given(st.text(st.characters(categories=["Cs", "Ll"]), min_size=1))
def test_text_without_a_utf8_form_is_written_all_the_same(text: str) -> None:
    assert json.loads(dumps(clean({"name": text, text: 1})))


@given(st.one_of(st.text(), st.binary().map(os.fsdecode), st.binary(), st.integers()))
def test_plain_text_always_has_a_utf8_form(value: object) -> None:
    assert plain_text(value).encode("utf-8").decode("utf-8") == plain_text(value)


def test_plain_text_of_what_cannot_say_itself_is_its_type() -> None:
    class Mute:
        def __str__(self) -> str:
            raise OSError

    assert plain_text(Mute()) == "<Mute that raised OSError>"
