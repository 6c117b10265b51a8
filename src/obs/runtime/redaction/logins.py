"""Passwords of logins without a scheme: `shop:hunter2@db:5432/orders`.

Much else is written as `a:b@c`: addresses after a label, versions of packages, times and places. So
a port, a path or a driver's bracket has to follow the host, or the password has to look like one.
"""

from __future__ import annotations

import re

_LOGIN = re.compile(
    r"(?!\d{1,5}[/?#])(?P<password>[^\s:\"'<>\\/@,;(){}\[\]|][^\s:\"'<>\\,;(){}\[\]|]{0,127})"
    r"@(?P<host>[A-Za-z][A-Za-z0-9.-]{0,252}|(?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-fA-F:.]{2,45}\])"
    r"(?P<after>:\d{1,5}(?![\w.])|/[A-Za-z0-9_]|\(|)"
)
_DRIVERS = frozenset({"tcp", "tcp4", "tcp6", "unix"})
#: What stands before an address, a package or an image, and is nobody's name.
_SCHEMES = frozenset({
    "mailto", "mail", "email", "e-mail", "from", "to", "cc", "bcc", "reply-to", "sender", "recipient",
    "sip", "sips", "xmpp", "jid", "acct", "im", "tel", "npm", "pkg", "jsr", "github", "gitlab", "git",
    "bitbucket", "docker", "image", "oci", "uses", "urn", "arn", "http", "https",
})  # fmt: skip
#: What may stand before an address of somebody, and may be somebody's name as well.
_LABELS = frozenset({
    "user", "username", "login", "account", "contact", "customer", "owner", "author", "name", "by",
    "admin", "actor", "member", "client", "subject", "id", "uid",
})  # fmt: skip
_DIGEST = re.compile(r"(?:sha|blake|md)[0-9]")
_PIN = 4
_STRONG = 8
_UNUSUAL = frozenset("!#$^&*?~")


def password_after(text: str, start: int, user: str) -> tuple[int, int] | None:
    """Return the span of the password between `user:`, which ends at `start`, and `@host`."""
    # What begins with a digit is a time, a ratio or an address.
    if not user[:1].isalpha() or user.lower() in _SCHEMES:
        return None
    found = _LOGIN.match(text, start)
    if found is None or _DIGEST.match(found["host"]) is not None:
        return None
    return found.span("password") if _is_one(found, user.lower()) else None


def _is_one(found: re.Match[str], user: str) -> bool:
    password, host, after = found["password"], found["host"], found["after"]
    if after.startswith(":"):
        return not password.isdigit() or len(password) >= _PIN
    if after == "(":
        return host in _DRIVERS
    if "/" in password or password.isdigit():
        return False
    # An address of e-mail has a dot on its right side, and a password needs to look unlike the left one.
    address = "." in host and host.rpartition(".")[2].isalpha()
    if after:
        return not address or not password.replace(".", "").replace("-", "").islower()
    return _looks_strong(password) and not (address and user in _LABELS)


def _looks_strong(password: str) -> bool:
    if not _UNUSUAL.isdisjoint(password):
        return len(password) > _PIN
    kinds = (str.islower, str.isupper, str.isdigit)
    return len(password) >= _STRONG and all(any(map(kind, password)) for kind in kinds)
