"""Redaction of hostile text takes linear time: what is quadratic would outlast the test by hours."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from obs.runtime.redaction import (
    beside,
    cards,
    commands,
    database_errors,
    digest,
    keyed,
    logins,
    tags,
    text,
    tokens,
    values,
)  # fmt: skip

_SIZE = 200_000
#: What makes a careless pattern try everything from everywhere.
_UNITS = [
    "a", "1", "1 ", "1-", "4111 ", "4111111111111111 ", "eyJ", "eyJa.", "Bearer ", "basic basic", "password",
    "password=", "password='", 'password="\\', "password=[", "password: (", "token=", "=", ":", "= ", "api key ",
    "://", "://a:", "://a:b@", "a@", "@", "a.", "a-", "_", "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----", "-----BEGIN " + "A " * 20, "QUJD" * 12 + "\n", "AKIA", "sk-", "ghp_", "--a ",
    "--password ", "<pin>", "('cookie', '", "\\", "\\'", '"', "',", " ", "\n", "SG.a.", "hooks.slack.com/",
    "cookie: ", "x" * 127 + "=", "pin:", "=://sid:?", "pwd=(\n", '"pwd":{\n',
    "Digest ", "Digest a=", 'Digest a="', "Digest a=b, ", "Digest response=", "<", "<a:", "<password", "<password ",
    "<password><", "<password><a></password", "<password><![CDATA[", "&lt;pin&gt;", "&lt;pin ", "<a></password>",
    'name="pin"', 'name="pin" ', 'name="pin">', "name: pin\n", 'name="pin" value=', 'form-data; name="pin"\n\n',
    'form-data; name="pin"\n\n\n--', 'form-data; name="pin"\na:', "a:b@", "a:b@c", "a:b@c:", "ab:c@d/e ", "ab:" + "@" * 99,
    "ab:" + "c" * 99, "[parameters: ", "[parameters: (", "[parameters: (]\n", "[parameters: ()]\n(Background on this error at:",
    "[parameters: (\n[SQL: ", "]\n(Background on this error at:", "]\\n(Background on this error at:", "Failing row contains (",
    "Failing row contains ()", "(token)=(", "--pin '", "--pin ' ", "curl -u a", "curl -b a=b; ", "mysql ", "mysql -p", " -a",
    "redis-cli x", "password 'a", "identified with ", "set password for a", "password: |\n ", "password: |\n\n", "pin%3A%22",
    "pin=a('", "%22pin%22%3A",
]  # fmt: skip
_SCRIPT = """
import json, sys
from obs.runtime import redaction
from obs.runtime.redaction import text
text.use(email=True)
size, units = json.load(sys.stdin)
for unit in units:
    print(repr(unit), flush=True)
    hostile = "AKIAIOSFODNN7EXAMPLE " + unit * (size // len(unit)) + "@=!"
    text.mask(hostile)
    redaction.scrub(hostile, 32_768)
print("done")
"""


@pytest.mark.parametrize("half", [0, 1])
def test_a_hostile_text_is_masked_in_linear_time(half: int) -> None:
    # Two hundred thousand characters each: squared, they are hours; in linear time, seconds for all.
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        input=json.dumps((_SIZE, _UNITS[half::2])), capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.stdout.endswith("done\n"), done.stdout[-200:] + done.stderr


def _patterns() -> list[re.Pattern[str]]:
    rooms = (beside, cards, commands, database_errors, digest, keyed, logins, tags, text, tokens, values)
    return [item for room in rooms for item in vars(room).values() if isinstance(item, re.Pattern)]


@pytest.mark.parametrize("pattern", _patterns(), ids=lambda pattern: pattern.pattern[:30])
def test_no_pattern_repeats_what_repeats_the_same(pattern: re.Pattern[str]) -> None:
    # An inner repetition is allowed only where something fixed separates one round from the next.
    nested = re.findall(r"\(\?:((?:[^()\\]|\\.)*[+*}](?:[^()\\]|\\.)*)\)[+*]", pattern.pattern)
    for inner in nested:
        assert re.match(r"\\?\.|@|\[ -\]\??\[0-9\]|\[ -\]\[0-9\]", inner), inner
