"""Which names name a secret: words of a key, not letters of it, so that `passenger` stays."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from itertools import pairwise

from obs.catalogue.registry import DOMAINS

#: What is to be done with a value by its key: search it, mask it whole, leave it as it is.
SCAN, HIDE, KEEP = 0, 1, 2

#: Found anywhere in a key whose words are put together: ``api-key`` is ``apikey``.
_PARTS = (
    "password", "passwd", "passphrase", "passcode", "secret", "credential", "authorization",
    "apikey", "accesskey", "privatekey", "accountkey", "sharedkey", "signingkey", "encryptionkey",
    "masterkey", "subscriptionkey", "storagekey", "authkey", "sshkey", "hmackey", "deploykey",
    "cardnumber", "creditcard", "debitcard", "securitycode", "connectionstring", "sessionid",
    "sessid", "seedphrase", "recoverycode", "backupcode", "clientassertion",
)  # fmt: skip
#: A word of a key that makes it a secret wherever it stands.
_WORDS = frozenset({
    "token", "cookie", "cookies", "pwd", "jwt", "dsn", "cvv", "cvc", "csc", "otp", "totp", "ssn",
    "csrf", "xsrf", "iban", "creds", "bearer", "mnemonic", "pgpkey", "rsakey",
})  # fmt: skip
#: A word that makes a key a secret only where it ends it: `db_pass` is one, `pass_rate` is not.
_LAST = frozenset({"auth", "pass", "pin", "pan", "session", "sig", "signature", "sid"})
_ENDINGS = ("token", "pwd", "cookie", "sessid", "password")
#: Two words that make a key a secret where they follow one another.
_PAIRS = frozenset({
    ("session", "id"), ("session", "key"), ("session", "data"), ("card", "no"), ("card", "num"),
    ("card", "nr"), ("cc", "no"), ("cc", "num"), ("cc", "number"), ("pan", "number"), ("pin", "code"),
    ("pin", "number"), ("auth", "code"), ("auth", "header"), ("auth", "data"), ("auth", "string"),
    ("access", "tokens"), ("refresh", "tokens"), ("auth", "tokens"), ("api", "tokens"),
    ("security", "answer"), ("social", "security"),
})  # fmt: skip
#: A last word that tells something about a secret instead of being it: `token_count`, `TokenError`.
_ABOUT = frozenset({
    "count", "type", "limit", "length", "size", "ttl", "policy", "usage", "used", "url", "uri",
    "endpoint", "error", "exception", "warning", "failed", "expired", "invalid", "missing",
    "required", "expiry", "expiration", "expires", "bucket", "enabled", "name",
})  # fmt: skip
_ABOUT_PAIRS = frozenset({("expires", "in"), ("expires", "at"), ("expired", "at"), ("changed", "at")})
_FIRST_ABOUT = frozenset({"invalid", "expired", "missing"})
#: Words that contain a part above and mean something else.
_INNOCENT = re.compile(r"secretar(?:y|ies|iat|ial)")
#: A key's words: ``X-Api-Key``, ``userPassword``, ``APIToken``, ``token2``.
_SPLIT = re.compile(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
#: Of a longer key both ends are judged.
_KEY_LIMIT = 128
_MOST_KNOWN = 4_096


def is_secret(key: str) -> bool:
    """Tell whether a value under `key` is a secret by its name (``userPassword``, ``api-key``)."""
    known = _secret.get(key)
    return known if known is not None else _judge(key)


def _judge(key: str) -> bool:
    if len(key) > _KEY_LIMIT:
        return _by_words(key[:_KEY_LIMIT]) or _by_words(key[-_KEY_LIMIT:])
    if len(_secret) >= _MOST_KNOWN:
        _secret.clear()
    found = _secret[key] = _by_words(key)
    return found


def _by_words(key: str) -> bool:
    words = [word.lower() for word in _SPLIT.split(key) if word]
    if not words:
        return False
    pairs = list(pairwise(words))
    if words[-1] in _ABOUT or words[0] in _FIRST_ABOUT or (pairs and pairs[-1] in _ABOUT_PAIRS):
        return False
    joined = _INNOCENT.sub("", "".join(words))
    return (
        any(part in joined for part in _PARTS)
        or not _WORDS.isdisjoint(words)
        or words[-1] in _LAST
        or any(word.endswith(_ENDINGS) for word in words)
        or not _PAIRS.isdisjoint(pairs)
    )


def _bounded_labels() -> frozenset[str]:
    """Return the label names whose values the catalogue bounds, and which no host would use otherwise."""
    return frozenset(
        label.name
        for signals in DOMAINS.values()
        for signal in signals
        for label in signal.labels
        if label.bounded and "." in label.name
    )


_BOUNDED = _bounded_labels()
_secret: dict[str, bool] = {}
#: Name -> verdict under the policy in force, of names that may be written as they are. The walk, which
#: has no call to spare, reads it directly, and alone writes it.
verdicts: dict[str, int] = {}
#: The same for whatever was asked about, names in text included: any number of names, and any name.
_judged: dict[str, int] = {}
_hidden: re.Pattern[str] | None = None
_kept: re.Pattern[str] | None = None
_active = True


def use(*, active: bool = True, hide: Iterable[str] = (), keep: Iterable[str] = ()) -> None:
    """Judge keys by these patterns (``*_pin``) beside the built-in words; `keep` wins over all."""
    global _active, _hidden, _kept
    _active, _hidden, _kept = active, _pattern(hide), _pattern(keep)
    verdicts.clear()
    _judged.clear()


def active() -> bool:
    """Tell whether anything is masked at all."""
    return _active


def verdict(key: str) -> int:
    """Return what to do with a value under `key`: `SCAN`, `HIDE` or `KEEP`."""
    if len(key) > _KEY_LIMIT:
        return _decide(key)
    found = _judged.get(key)
    if found is None:
        if len(_judged) >= _MOST_KNOWN:
            _judged.clear()
        found = _judged[key] = _decide(key)
    return found


def remember(name: str, found: int) -> None:
    """Put a name that holds no secret itself into the table of `verdicts`."""
    if len(verdicts) >= _MOST_KNOWN:
        verdicts.clear()
    verdicts[name] = found


def _decide(key: str) -> int:
    if not _active:
        return SCAN
    name = key[:_KEY_LIMIT].lower()
    if _kept is not None and _kept.match(name):
        return KEEP
    if (_hidden is not None and _hidden.match(name)) or is_secret(key):
        return HIDE
    return KEEP if key in _BOUNDED else SCAN


def _pattern(patterns: Iterable[str]) -> re.Pattern[str] | None:
    # fnmatch writes its wildcards so that matching stays linear, however many there are.
    parts = [fnmatch.translate(pattern.lower()) for pattern in patterns]
    return re.compile("|".join(parts)) if parts else None
