"""A secret planted in any form that is known, in whatever stands around it, is not in what comes out."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.runtime.redaction import MASK, scrub

#: What stands in the place of the secret.
PLACE = "§"
DIGESTS = [
    'Digest username="bob", realm="a", nonce="n", uri="/x", response="§", cnonce="§", qop=auth',
    "Digest username=bob, cnonce=§, nc=00000001, response=§",
    'Authorization: Digest username="bob", realm="a", response="§", opaque="§"',
    'curl -H \'Authorization: Digest username="bob", response="§"\' https://shop.example',
    'digest  username = "bob" , response = "§"',
    'sent "Digest username=\\"bob\\", response=\\"§\\"" to it',
    'Proxy-Authorization: Digest username="bob",\n  response="§"',
]
ELEMENTS = [
    '<user password="§" name="bob"/>',
    "<user name='bob' password='§'>",
    "<password>§</password>",
    "<ns:password>§</ns:password>",
    '<wsse:Password Type="https://docs.example/#PasswordText">§</wsse:Password>',
    '<password type="text" >§</password>',
    "<password >\n  §\n</password>",
    "<password><![CDATA[§]]></password>",
    "<password>\n<![CDATA[<a>§]]></password>",
    "<credentials>\n<id>7</id><key>§</key></credentials>",
    '<add key="db_password" value="§"/>',
    '<property name="db.password" type="text" value="§"/>',
    "<property name='db.password'>§</property>",
    '<entry key="password">§</entry>',
    '<input type="hidden" name="csrf_token" value="§">',
    '<secret id="7" value="§"/>',
    "&lt;password&gt;§&lt;/password&gt;",
    '&lt;ns:password type="text"&gt;§&lt;/ns:password&gt;',
]
FIELDS = [
    'Content-Disposition: form-data; name="password"\r\n\r\n§\r\n--boundary',
    'Content-Disposition: form-data; name="password"\n\n§\n--boundary--',
    "content-disposition: form-data; name=password\r\n\r\n§\r\n--boundary",
    'Content-Disposition: form-data; name="password"; filename="a"\r\nContent-Type: text/plain\r\n\r\na\n§\r\n--b',
    '--b\\r\\nContent-Disposition: form-data; name="password"\\r\\n\\r\\n§\\r\\n--b--\\r\\n',
    'Content-Disposition: form-data; name="user[password]"\r\n\r\n§',
    '{"name": "DB_PASSWORD", "value": "§"}',
    '{\\"name\\":\\"DB_PASSWORD\\",\\"value\\":\\"§\\"}',
    "- name: DB_PASSWORD\n  value: §\n- name: LEVEL\n  value: debug",
]
LOGINS = [
    "bob:§@db:5432/orders",
    "cannot reach bob:§@db.example.com:5432",
    "dial 'bob:§@10.0.0.1:3306'",
    "bob:§@tcp(db:3306)/orders",
    "bob:§@unix(/run/db.sock)/orders",
    "bob:§@[::1]:5432/orders",
    "bob:p@§@db:5432/orders",
    "bob:a/§@db:5432",
    "bob:§@db/orders",
    "bob:§@db",
    "bob:§@db.example.com.",
]
PARAMETERS = [
    "[SQL: INSERT INTO u VALUES (?)]\n[parameters: ('§', 7)]\n(Background on this error at: https://x/e/20/gkpj)",
    "[parameters: {'name': 'a]b', 'card': '§'}]\n(Background on this error at: https://x/e/20/gkpj)",
    "[parameters: ('x]\\n(Background on this error at: y', '§')]\n(Background on this error at: https://x/e/20/gkpj)",
    "[parameters: (array([1,\n 2]), '§')]\n(Background on this error at: https://x/e/20/gkpj)",
    "[parameters: [('§',), ('§',)  ... displaying 10 of 30 total bound parameter sets ...  ('§',)]]\nend",
    "[SQL: SELECT 1]\\n[parameters: ('§', 'b')]\\n(Background on this error at: https://x/e/20/gkpj)",
    "[parameters: ('a', ['x'], '§",
    "failed: [parameters: ('§',)] for order 7",
    "DETAIL:  Failing row contains (1, bob, §, null).",
    "DETAIL:  Key (user_id, token)=(7, §) already exists.",
]
COMMANDS = [
    "login --password '§' --verbose",
    'login --api-key "a §"',
    "['psql', '--password', '§', 'db']",
    '["psql","--password","§"]',
    "curl -u bob:§ https://shop.example",
    "curl -s --user 'bob:§' https://shop.example",
    "curl -b 'sid=§; theme=§' https://shop.example",
    "curl --cookie 'sid=§' https://shop.example",
    "mysql -h db -u root -p§ orders",
    "sshpass -p § ssh db",
    "redis-cli -h cache -a § ping",
    "ALTER ROLE bob WITH PASSWORD '§'",
    "CREATE USER bob IDENTIFIED BY '§'",
    "SET PASSWORD FOR bob = '§'",
]
WRITTEN = [
    "Login(user='bob', password=SecretStr('§'))",
    "{'password': Secret('§'), 'user': 'bob'}",
    "db:\n  password: |\n    §\n    §\n  user: bob",
    "password: >-\n  §",
    "password%3A§",
    "%7B%22user%22%3A%22bob%22%2C%22password%22%3A%22§%22%7D",
    "Set-Cookie: sid=§; Path=/; HttpOnly",
    "Cookie: sid=§; theme=§",
]
FORMS = [*DIGESTS, *ELEMENTS, *FIELDS, *LOGINS, *PARAMETERS, *COMMANDS, *WRITTEN]

_ALPHABET = string.ascii_letters + string.digits
_SECRETS = st.text(_ALPHABET, min_size=8, max_size=40).map(lambda text: f"q{text}9Z")
_AROUND = st.text(string.ascii_letters + string.digits + " .,:;=@/()[]{}!?-\n", max_size=40)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_in_a_known_form_is_masked(form: str) -> None:
    masked = scrub(form.replace(PLACE, "hunTer2x"))
    assert "hunTer2x" not in masked
    assert MASK in masked
    assert scrub(masked) == masked


@given(st.sampled_from(FORMS), _SECRETS, _AROUND, _AROUND)
def test_a_planted_secret_is_nowhere_whatever_stands_around_it(
    form: str, secret: str, before: str, after: str
) -> None:
    text = f"{before} \n{form.replace(PLACE, secret)}\n{after}"
    assert secret not in scrub(text)


@given(st.sampled_from([form for form in FORMS if "\\" not in form]), _SECRETS)
def test_a_planted_secret_is_nowhere_in_json_and_in_what_is_quoted(form: str, secret: str) -> None:
    text = form.replace(PLACE, secret)
    assert secret not in scrub(json.dumps({"message": text}))
    assert secret not in scrub(repr({"message": text}))


#: What looks nearly like one of the forms above and is none; each comes out byte for byte.
ORDINARY = [
    'Digest realm="shop", nonce="7ypf/xlj9XXwfDPEoM4URrv", algorithm=SHA-256, qop="auth"',
    "digest auth failed: response=timeout",
    "Digest: sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBw==",
    "the weekly digest: 3 mails",
    "12:30@home",
    "meet at 12:30@home:4",
    "ratio 3:4@2x",
    "mail bob@example.com, cc: ann@example.com",
    "user:bob@example.com logged in",
    "from:ann.b42@example.com to:bob@example.com",
    "mailto:bob.Smith42@example.com",
    "sip:bob@example.com:5060",
    "user:JohnSmith1980@example.com",
    "git@example.com:shop/orders.git",
    "npm:react@18.2.0",
    "pkg:npm/left-pad@1.3.0",
    "image nginx:1.25@sha256:4bf92f3577b34da6a3ce929d0e0e4736",
    "docker:shop/api@sha256:12345",
    "uses:actions/checkout@v4",
    "node:rabbit@host1",
    "queue:orders@worker7",
    "http://localhost:8080/users/bob@example.com",
    "localhost:8080/users/bob@example.com",
    "http://example.com:80/@scope/pkg@2/x",
    "file.py:12@main",
    "10.0.0.1:8080@zone-a",
    "libc::memcpy@GLIBC_2.2",
    "@shop:example.org and bob@example.org/phone",
    "@app.get: handler",
    "<user name='bob' role='admin'/>",
    "<users><user id='7'>bob</user></users>",
    "<tokens>12</tokens><passenger>Bob</passenger>",
    '<property name="db.host" value="db"/>',
    '<property name="password"/>',
    "<password/><user>bob</user>",
    "usage: login <user> <password>",
    "expected <token> or <password>, got <eof>",
    "Authorization: <token>",
    "in <module>, <lambda> and <Order object at 0x7f>",
    "&lt;user&gt;bob&lt;/user&gt; &amp; co",
    'Content-Disposition: form-data; name="user"\r\n\r\nbob\r\n--b--',
    'Content-Disposition: attachment; filename="password.txt"\r\n\r\n',
    '{"name": "DB_HOST", "value": "db"}',
    '{"name": "password", "type": "string", "required": true}',
    "- name: DB_PASSWORD\n  valueFrom: vault\n- name: LEVEL\n  value: debug",
    "[parameters: 3 given, 2 expected]",
    "[SQL: SELECT * FROM orders WHERE id = ?]\n(Background on this error at: https://x/e/20/e3q8)",
    "[SQL parameters hidden due to hide_parameters=True]",
    "parameters: ('a', 'b')",
    "Key (user_id)=(7) already exists.",
    "len(password)=5, count(session) = 3",
    "docker run -u 1000:1000 -p 8080:80 shop",
    "docker run mysql -p 3306:3306",
    "mysql -u root -p orders",
    "cp -a here there; ls -p; mkdir -p x",
    "curl -sS https://shop.example -b cookies.txt",
    "parser.add_argument('--password', help='asked for when left out')",
    "redirect?next=https%3A%2F%2Fshop.example%2Forders",
    "%7B%22user%22%3A%22bob%22%7D",
    "db:\n  user: |\n    bob\n  level: debug",
    "password: |",
    "Order(id=7, customer=Customer('bob'))",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_what_only_looks_similar_comes_out_byte_for_byte(text: str) -> None:
    assert scrub(text) == text


@given(st.lists(st.sampled_from(ORDINARY), min_size=1, max_size=4), st.sampled_from([" ", "\n", " | ", "; "]))
def test_ordinary_text_beside_ordinary_text_stays_ordinary(texts: list[str], between: str) -> None:
    joined = between.join(texts)
    assert scrub(joined) == joined
