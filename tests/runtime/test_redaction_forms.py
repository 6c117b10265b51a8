"""Redaction of text: what is a secret by its form or by the name before it, and what is none."""

from __future__ import annotations

import base64
import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.runtime.redaction import MASK, STACK_LIMIT, TEXT_LIMIT, clean, scrub
from obs.runtime.redaction.cards import is_card

#: Written in two halves, so that no scanner of this repository takes them for real ones.
_RUN = "a1B2c3D4" * 8
TOKENS = {
    "AWS id": "AKIA" + "IOSFODNN7EXAMPLE",
    "AWS session id": "ASIA" + "IOSFODNN7EXAMPLE",
    "Google API key": "AIza" + _RUN[:35],
    "Google access token": "ya29." + _RUN[:40],
    "GitHub token": "ghp_" + _RUN[:36],
    "GitHub fine-grained token": "github_pat_" + _RUN[:22] + "_" + _RUN[:59],
    "GitLab token": "glpat-" + _RUN[:20],
    "Slack token": "xoxb-" + "123456789012-" + _RUN[:24],
    "Slack app token": "xapp-" + "1-" + _RUN[:24],
    "Stripe key": "sk_live_" + _RUN[:24],
    "Stripe restricted key": "rk_test_" + _RUN[:24],
    "npm token": "npm_" + _RUN[:36],
    "PyPI token": "pypi-" + "AgEIcHlwaS5vcmc" + _RUN[:40],
    "OpenAI-like key": "sk-" + "proj-" + _RUN[:40],
    "Hugging Face token": "hf_" + _RUN[:34],
    "SendGrid key": "SG." + _RUN[:22] + "." + _RUN[:43],
    "Vault token": "hvs." + _RUN[:24],
    "JWT": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + _RUN[:43],
    "JWT without its end": "eyJ" + "hbGciOiJIUzI1NiJ9",
    "card": "4111" + "111111111111",
    "card in groups": "5500 0000" + " 0000 0004",
    "card with dashes": "3782-822463-" + "10005",
    "bearer": "Bearer " + "abcdefghijkl",
    "basic": "Basic " + base64.b64encode(b"user:pass").decode(),
    "basic that looks like a word": "basic " + base64.b64encode(b"a:b").decode(),
}
_PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join([_RUN] * 12) + "\n" + "-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize("secret", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize("around", ["{}", "sent {} to them", '"{}"', "({})", "a,{},b", "x\n{}\ny", "key/{}"])
def test_a_secret_is_known_by_its_form(secret: str, around: str) -> None:
    masked = scrub(around.format(secret))
    assert secret.rsplit(" ", maxsplit=1)[-1] not in masked
    assert MASK in masked


NAMED = [
    "password=hunter2x",
    "password = hunter2x",
    "password: hunter2x",
    "PASSWORD : hunter2x",
    "db_password='hunter2x'",
    'password="hunter2x and more"',
    "password = '''hunter2x'''",
    "password: str = 'hunter2x'",
    'password="say \\"hunter2x\\""',
    "password='hunter2x without an end",
    '{"user": "bob", "password": "hunter2x"}',
    '{"password":"hunter2x"}',
    '{\\"password\\": \\"hunter2x\\"}',
    '{"pin": 123499, "a": 1, "x": "hunter2x"}'.replace("hunter2x", "y").replace("123499", "98hunter2x"),
    '{"api_keys": ["hunter2x", "hunter2x"]}',
    "{'password': b'hunter2x'}",
    "User(name='bob', password='hunter2x')",
    "[('authorization', 'hunter2x')]",
    "(b'cookie', b'hunter2x')",
    '["x-api-key", "hunter2x"]',
    "Authorization: Token hunter2x",
    "Authorization: Digest username=bob, response=hunter2x",
    "Cookie: a=1; session=hunter2x",
    "Set-Cookie: sid=hunter2x; Path=/",
    "X-Api-Key: hunter2x",
    "GET /orders?page=1&token=hunter2x&size=2",
    "https://example.com/a?X-Amz-Signature=hunter2x",
    "https://x.blob.core.windows.net/a?sv=2020&sig=hunter2x%3D&se=1",
    "AccountName=a;AccountKey=hunter2x==;EndpointSuffix=b",
    "Endpoint=sb://a/;SharedAccessKeyName=b;SharedAccessKey=hunter2x=",
    "postgres://bob:hunter2x@db/app",
    "postgres://bob:p@hunter2x@db/app",
    "postgres://bob:p/hunter2x@db/app",
    "redis://:hunter2x@cache:6379/0",
    "https://hooks.slack.com/services/T000/B000/hunter2x",
    "<password>hunter2x</password>",
    "login --password hunter2x --verbose",
    "login --api-key=hunter2x",
    "os.environ['DB_PASSWORD'] = 'hunter2x'",
    "password => 'hunter2x'",
    "api key: hunter2x",
    "session: 8hunter2x",
    "a" * 300 + ".password=hunter2x",
    "/login%3Ftoken%3Dhunter2x",
    "https://h/login?next=%2Fcb%3Fa%3D1%26sid%3Dhunter2x",
    "/cb%3fpassword%3dhunter2x%26page%3d2",
    "Authorization=ApiKey hunter2x user=ann",
    "Password:                       hunter2x",
]


@pytest.mark.parametrize("text", NAMED)
def test_a_secret_is_known_by_the_name_before_it(text: str) -> None:
    masked = scrub(text)
    assert "hunter2x" not in masked
    assert MASK in masked


ORDINARY = [
    "",
    "order placed",
    "GET /orders/{order_id} 200",
    "connected to host:8080",
    "https://example.com:8443/orders?page=2&size=10",
    "http://localhost:80/a@2x.png",
    "2026-01-02T03:04:05.123456Z",
    "took 12.5 ms: 3 rows",
    "order 1234567890123456 shipped",
    "at 1767225600000 and 1767225600000000000",
    "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "5f0c954e-1d58-4b7f-9a0e-2f3d3f1f0b1a",
    "0.4111111111111111",
    "a4111111111111111f",
    "4111111111111112",
    "Basic authentication required",
    "bearer token missing",
    "basic tier upgraded to premium",
    "passenger: Bob, author: Alice, compass: north",
    "tokens_used=512 max_tokens=1024 token_count: 7",
    "token=None, password='', secret: null",
    "pass: 10, fail: 2",
    "session: started, auth: failed",
    "if token == expected:",
    "def read(self, name, pwd=None):",
    "WHERE token = ? AND session_id = $1",
    "password=%s, token=%(token)s",
    "api_key=${API_KEY} password={password} pin = :pin",
    "    token = get_token(request)",
    "    secret = settings.SECRET",
    "fields: ['username', 'password', 'email']",
    "InvalidTokenError: the value is too short",
    "missing -- nothing to do",
    "a=b; c=d",
    "/search?next=%2Forders%3Fpage%3D2%26size%3D10",
    "100%3D of it",
    "SELECT id FROM users WHERE name = %s",
    "task-manager-service-with-a-very-long-name",
    "risk-adjusted-return-over-the-whole-period",
    "some_identifier_with_underscores_abcdefghij",
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
    "ssh-rsa AAAAB3NzaC1yc2E",
    "pk_live_public",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_comes_out_unchanged(text: str) -> None:
    assert scrub(text) == text


def test_a_private_key_is_masked_wherever_the_text_was_cut() -> None:
    assert scrub(f"loaded {_PEM} from disk") == f"loaded {MASK} from disk"
    assert _RUN[:20] not in scrub(_PEM[:300])
    assert _RUN[:20] not in scrub("the key is\n" + _PEM[60:])
    assert _RUN[:20] not in scrub(json.dumps({"k": _PEM}))
    assert _RUN[:20] not in scrub("x" * 20_000 + _PEM + "y" * 6_100)


_HEAD, _TAIL = TEXT_LIMIT // 4, TEXT_LIMIT - TEXT_LIMIT // 4


@pytest.mark.parametrize("gap", [0, 100, _HEAD - 20, _HEAD - 2, _HEAD, _TAIL - 60, _TAIL - 40, _TAIL - 20])
@pytest.mark.parametrize("length", [TEXT_LIMIT, TEXT_LIMIT + 5_000, 60_000])
def test_a_secret_that_the_cut_divides_is_masked_all_the_same(gap: int, length: int) -> None:
    secret = TOKENS["JWT"]
    text = "a " * (gap // 2) + secret + " b" * length
    for candidate in (text, text[::-1].replace(secret[::-1], secret)):
        masked = scrub(candidate)
        assert not any(secret[at : at + 12] in masked for at in range(0, len(secret) - 12, 4))


def test_an_aws_secret_beside_its_id_is_masked() -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
    assert secret not in scrub(f"{TOKENS['AWS id']} {secret}")


_ALPHABET = string.ascii_letters + string.digits
_SECRETS = st.text(_ALPHABET, min_size=12, max_size=40).map(lambda text: f"q{text}9Z")
_NAMES = st.sampled_from(
    ["password", "api_key", "X-Auth-Token", "clientSecret", "cookie", "cvv", "pin", "ssn", "private_key"]
)
_WORDS = st.text(string.ascii_lowercase + " .,", max_size=30)


@given(st.data(), _NAMES, _SECRETS)
def test_a_planted_secret_is_nowhere_in_what_comes_out(data: Any, name: str, secret: str) -> None:
    planted: Any = data.draw(
        st.sampled_from(
            [
                {name: secret},
                {name: {"deep": [secret]}},
                {name: [secret, 1]},
                {name: secret.encode()},
                [(name, secret)],
                [[name.encode(), secret.encode()]],
                f"{name}={secret}",
                f"{name}: {secret}",
                json.dumps({name: secret}),
                json.dumps(json.dumps({name: secret})),
                repr({name: secret}),
                repr([(name, secret)]),
                f"https://example.com/?a=1&{name}={secret}#top",
                f"Bearer {secret}",
                f"postgres://u:{secret}@db/x",
                {"note": f"sk-{secret}abcdefgh"},
            ]
        )
    )
    for _ in range(data.draw(st.integers(0, 3))):
        planted = data.draw(
            st.sampled_from([[planted], (planted, 1), {"inner": planted, "n": 1}, {"a": [planted]}])
        )
    if isinstance(planted, str):
        planted = data.draw(_WORDS) + " " + planted + " " + data.draw(_WORDS)
    assert secret not in repr(clean({"value": planted, "other": "x"}))


@given(st.text(string.ascii_letters + string.digits + " .,/()[]{}!?", max_size=200))
def test_text_without_a_name_a_scheme_or_a_form_is_never_touched(text: str) -> None:
    lower = text.lower()
    suspicious = "basic" in lower or "bearer" in lower or "eyJ" in text or "AKIA" in text
    if not suspicious and sum(character.isdigit() for character in text) < 13:
        assert scrub(text) == text


@given(st.text(max_size=300))
def test_what_was_masked_once_stays_as_it_is(text: str) -> None:
    once = scrub(text)
    assert scrub(once) == once


@pytest.mark.parametrize("text", [*NAMED, *TOKENS.values(), _PEM])
def test_masking_again_changes_nothing(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize(
    "number",
    ["4111111111111111", "4222222222222", "5555555555554444", "2223003122003222", "378282246310005",
     "6011111111111117", "30569309025904", "3530111333300000", "6240008631401148"],
)  # fmt: skip
def test_test_numbers_of_the_card_schemes_are_cards(number: str) -> None:
    assert is_card(number)
    changed = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert not is_card(changed)


def test_a_card_as_a_whole_number_is_masked_and_an_id_is_not() -> None:
    assert clean({"value": 4111111111111111, "id": 1767225600000000, "big": 4111111111111111110}) == {
        "value": MASK,
        "id": 1767225600000000,
        "big": 4111111111111111110,
    }


def test_a_card_is_found_before_its_expiry_date() -> None:
    assert scrub("4111 1111 1111 1111 12-27 123") == f"{MASK} 12-27 123"


def test_a_stack_keeps_what_is_no_secret() -> None:
    stack = (
        "Traceback (most recent call last):\n"
        '  File "/app/pay.py", line 7, in pay\n'
        '    charge(card, password="hunter2x", amount=3)\n'
        "PaymentError: declined for order 7"
    )
    assert scrub(stack, STACK_LIMIT) == stack.replace("hunter2x", MASK)
