"""Which hosts our headers may go to: ids and baggage are nobody's business outside of the house."""

from __future__ import annotations

import re
from functools import lru_cache

#: Suffixes that RFC 6762, RFC 6761, ICANN (`.internal`) and Kubernetes (`.svc`) keep off the public net.
_INTERNAL_SUFFIXES = (".local", ".internal", ".svc", ".cluster.local", ".test", ".localhost")
_ADDRESS = re.compile(r"[0-9.]+\Z|[0-9a-f:.]*:[0-9a-f:.]*\Z")


@lru_cache(maxsize=1024)
def allowed(host: str, patterns: tuple[str, ...]) -> bool:
    """Return whether one of `patterns` takes in `host`, which may carry a port.

    A pattern is a name, `*.domain` for the names below a domain, `internal` for what is not on the
    public net, or `*`.
    """
    if "*" in patterns:
        return True
    name = _bare(host)
    if not name:
        return False
    if "internal" in patterns and _internal(name):
        return True
    return any(
        name.endswith(pattern[1:].lower()) if pattern.startswith("*.") else name == pattern.lower()
        for pattern in patterns
    )


def _bare(host: str) -> str:
    """Return `host` in lower case, without port, brackets and the root's dot."""
    text = host.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0].partition("%")[0]
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return text.partition("%")[0].rstrip(".")


def _internal(name: str) -> bool:
    if _ADDRESS.match(name):
        # Loaded only where a host is an address.
        import ipaddress

        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return bool((mapped or address).is_private and not (mapped or address).is_unspecified)
    return "." not in name or name.endswith(_INTERNAL_SUFFIXES)
