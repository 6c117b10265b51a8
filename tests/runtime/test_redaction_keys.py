"""Redaction by keys: words that name a secret, patterns and exceptions of the user's own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import obs
from obs.errors import ConfigError
from obs.runtime.otel import attributes
from obs.runtime.redaction import MASK, clean, clean_value, is_secret, scrub

Lines = Callable[[], list[dict[str, Any]]]


@pytest.mark.parametrize(
    "key",
    [
        "cvv", "cvc", "card_cvv2", "card_number", "cardNumber", "credit-card", "cc_number", "card_no", "pan",
        "pass", "db_pass", "pwd", "dbpwd", "csrf", "csrftoken", "X-XSRF-TOKEN", "session", "PHPSESSID", "ssn", "iban",
        "otp", "otp_code", "pin", "card_pin", "pin_code", "private key", "signature", "X-Hub-Signature-256", "sig",
        "set-cookie", "Set-Cookie2", "proxy-authorization", "accesstoken", "refresh_tokens", "api_keys",
        "connectionString", "AccountKey", "SharedAccessKey", "signing_key", "client_assertion", "bearer", "auth",
        "connect.sid", "secrets", "passwords", "aws_secret_access_key", "AWS_SESSION_TOKEN", "passcode",
    ],
)  # fmt: skip
def test_a_key_that_names_a_secret_is_recognised(key: str) -> None:
    assert is_secret(key)
    assert is_secret(key.upper())
    assert is_secret(f"some.prefix.{key}")


@pytest.mark.parametrize(
    "key",
    [
        "passenger", "compass", "author", "authority", "tokens_used", "tokens", "token_count", "tokenizer", "spin",
        "opinion", "span", "span_id", "pinned", "japan", "company", "session_count", "pass_rate", "auth_method",
        "secretary", "design", "signal", "inside", "keyboard", "cache_key", "primary_key", "idempotency_key", "key",
        "card_type", "discard_note", "iso_code", "passed", "bypass_reason", "InvalidTokenError", "token_type",
        "session_duration", "author_id", "http.route", "cardinality", "pancake", "expansion", "classname", "",
    ],
)  # fmt: skip
def test_a_key_that_only_looks_similar_is_left_alone(key: str) -> None:
    assert not is_secret(key)


@pytest.mark.parametrize("key", ["cardCvv", "userPin", "dbPass", "clientSecret", "APIToken", "xCsrfToken"])
def test_a_key_in_camel_case_has_words(key: str) -> None:
    assert is_secret(key)


def test_a_yes_or_no_is_no_secret() -> None:
    assert clean({"has_password": True, "password": False}) == {"has_password": True, "password": False}


def test_a_key_may_itself_carry_a_secret() -> None:
    for _ in range(2):
        assert clean({"paid by 4111111111111111": 1}) == {f"paid by {MASK}": 1}


@pytest.mark.parametrize("first", [clean, attributes.clean, lambda given: clean({"x": [*given.items()]})])
def test_a_key_that_carries_a_secret_is_written_nowhere_whoever_met_it_first(first: Any) -> None:
    given = {"token=hunter2": "x"}
    first(given)
    clean_value("token=hunter2", "x")
    told = [first(given), clean(given), attributes.clean(given)]
    assert "hunter2" not in repr(told)


def test_the_fields_of_a_named_tuple_are_keys() -> None:
    class Login(NamedTuple):
        user: str
        password: str

    login = Login("ann", "hunter2")
    assert clean({"login": login, "all": [login]}) == {
        "login": {"user": "ann", "password": MASK},
        "all": [{"user": "ann", "password": MASK}],
    }


@pytest.mark.parametrize("field", ["name", "key"])
def test_a_value_beside_the_name_of_a_secret_is_one(field: str) -> None:
    pairs = [
        {field: "DB_PASSWORD", "value": "hunter2"},
        {field: "DB_HOST", "value": "db"},
        {field: 7, "value": 7},
    ]
    assert clean({"env": pairs}) == {"env": [{field: "DB_PASSWORD", "value": MASK}, *pairs[1:]]}


def test_a_long_key_is_judged_by_both_of_its_ends() -> None:
    assert clean({"x" * 5_000 + "_password": "p"}) == {"x" * 256: MASK}
    assert clean({"password_" + "x" * 5_000: "p"})["password_" + "x" * 247] == MASK


@pytest.mark.parametrize(
    "pairs",
    [
        [("authorization", "p"), ("accept", "text")],
        [(b"authorization", b"p"), (b"accept", b"text")],
        (["authorization", "p"], ["accept", "text"]),
    ],
)
def test_the_second_half_of_a_pair_is_masked_by_the_first(pairs: Any) -> None:
    assert clean({"headers": pairs}) == {"headers": [["authorization", MASK], ["accept", "text"]]}


def test_a_tuple_of_two_is_a_pair_wherever_it_stands() -> None:
    assert clean({"header": ("cookie", "p"), "size": (3, 4)}) == {"header": ["cookie", MASK], "size": [3, 4]}


def test_a_list_of_two_names_is_no_pair() -> None:
    assert clean({"required": ["password", "email"]}) == {"required": ["password", "email"]}


def test_own_patterns_are_masked_everywhere(lines: Lines) -> None:
    obs.init(
        "shop", metrics=False, traces=False, redact_keys="*_nip,internal-*", redact_allow="session,plain_*"
    )
    obs.log.info(
        "a tax_nip=123456x", tax_nip=7, Internal_x=1, **{"Internal-Id": "i"}, session="s", plain_pin="1"
    )
    line = next(line for line in lines() if "tax_nip" in line["message"])
    assert line["message"] == f"a tax_nip={MASK}"
    assert (line["tax_nip"], line["Internal-Id"], line["Internal_x"]) == (MASK, MASK, 1)
    assert (line["session"], line["plain_pin"]) == ("s", "1")
    obs.shutdown(0)
    assert clean({"tax_nip": 7, "session": "s"}) == {"tax_nip": 7, "session": MASK}


def test_an_allowed_field_keeps_its_value_whatever_it_looks_like() -> None:
    obs.init("shop", logs=False, metrics=False, traces=False, redact_allow=["order_number"])
    assert clean({"order_number": "4111111111111111", "other": "4111111111111111"}) == {
        "order_number": "4111111111111111",
        "other": MASK,
    }


def test_addresses_are_masked_when_asked_for() -> None:
    text = "mail to bob.o-x+tag@mail.example.com today"
    assert scrub(text) == text
    obs.init("shop", logs=False, metrics=False, traces=False, redact_email=True)
    assert scrub(text) == f"mail to {MASK} today"
    assert scrub("@" * 40) == "@" * 40


def test_turning_redaction_off_is_never_silent(lines: Lines) -> None:
    status = obs.init("shop", metrics=False, traces=False, redact=False)
    assert "redaction" in status.skipped
    obs.log.info("x", text="Bearer abcdef123", password="p")  # noqa: S106
    warned, line = lines()
    assert (warned["level"], warned["message"]) == ("warning", "redaction is off")
    assert (line["password"], line["text"]) == ("p", "Bearer abcdef123")
    obs.init("shop", metrics=False, traces=False)
    assert "redaction" not in obs.status().skipped
    assert clean({"password": "p"}) == {"password": MASK}


def test_a_label_that_the_catalogue_bounds_is_not_searched() -> None:
    # A card number in a route template is none; what is searched would be masked.
    assert clean_value("http.route", "/4111111111111111") == "/4111111111111111"
    assert clean_value("url.path", "/4111111111111111") == f"/{MASK}"


def test_a_pattern_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="redact_keys"):
        obs.init("shop", redact_keys="a b")


def test_secrets_that_the_arguments_of_a_record_have_names_for_are_masked(lines: Lines) -> None:
    obs.init("shop")
    given = {"user": "ann", "password": "hunter2", "pin": 7}
    before = dict(given)
    logging.getLogger("lib").warning("%(user)s logs in with %(password)s, %(pin)d", given)
    (line,) = lines()
    assert line["message"] == "ann logs in with [redacted], 7"
    assert given == before
