"""Make committed configuration fit this machine: every address and path of containers, token by token.

What containers mount is read as text, so that comments, order and quoting stay. Three kinds of tokens are
replaced, all from the table of servers: addresses (`loki:3100`, and `0.0.0.0:4317`, whose owner is the
server that reads the file), numbers under keys that end in `port`, and paths.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from obs.errors import ConfigError, StackError
from obs.stack.ports import LOOPBACK
from obs.stack.servers import SERVERS, SHARED_PATHS, SHOP

#: What an address among containers looks like: a name without dots, or the machine itself, and a port.
_ADDRESS = (
    r"(?<![\w.@-])(?P<host>0\.0\.0\.0|127\.0\.0\.1|\[::1?\]|[a-z][a-z0-9-]*)?:(?P<number>\d{2,5})(?![\w:.-])"
)
_BARE_WILDCARD = r"(?<![\w.])(?P<wildcard>0\.0\.0\.0)(?![\w.:])"
_PORT_KEY = r"(?P<key>\b(?:\w*_)?port[\"']?\s*[:=]\s*[\"']?)(?P<port>\d{2,5})\b"
#: An address of a server without its port would silently mean another one.
_BARE_HOST = r"(?<=://)(?P<bare>[a-z][a-z0-9-]*)(?![\w.:-])"
_PATH = r"(?<![\w./})*$-])(?P<path>/(?:[\w.*@-]+/)*[\w.*@-]+)"
_TOKEN = re.compile(f"{_ADDRESS}|{_BARE_WILDCARD}|{_PORT_KEY}|{_BARE_HOST}|{_PATH}")

#: First parts of paths that mean a file; any other path (`/metrics`, `/otlp`) is one of an address.
_FILES = frozenset(
    [
        "bin",
        "data",
        "dev",
        "etc",
        "home",
        "lib",
        "mnt",
        "opt",
        "proc",
        "root",
        "run",
        "srv",
        "sys",
        "tmp",
        "usr",
    ]
    + ["var"]
    + [path.split("/")[1] for server in SERVERS.values() for path in server.paths]
)
_MACHINE = ("0.0.0.0", "127.0.0.1", "localhost", "[::]", "[::1]", None)  # noqa: S104 - to be replaced

#: Characters that need no quotes anywhere in YAML, INI and JSON, and are no pattern for file names.
_PLAIN = re.compile(r"/[\w./+@~-]*(?: [\w./+@~-]+)*")
_COMMENT = re.compile(r"\s*[#;]")


@dataclass(frozen=True)
class Site:
    """Where the servers of one stack are: their loopback ports, and the directory with all that is theirs."""

    directory: Path
    numbers: Mapping[tuple[str, str], int]

    def address(self, name: str, role: str) -> str:
        """Return host and port of a server's role."""
        return f"{LOOPBACK}:{self.numbers[name, role]}"


def require_plain(directory: Path) -> None:
    """Make sure that the directory can stand in the configuration of every server as it is.

    Raises:
        ConfigError: it holds a character with a meaning in YAML, INI or patterns of files.
    """
    if not _PLAIN.fullmatch(str(directory)):
        raise ConfigError(
            "the state directory stands in the configuration of every server, so its path may hold only"
            " letters, digits, single spaces and . _ - + @ ~",
            where=str(directory),
            hint="choose another with --dir",
        )


def localise(text: str, owner: str, site: Site) -> str:
    """Return `text`, a configuration file of the server `owner`, with addresses and paths of `site`.

    Raises:
        StackError: it holds an address or path of containers that the table of servers does not know.
    """

    def fail(problem: str) -> str:
        raise StackError(f"the configuration of {owner} {problem}, which the table of servers does not know")

    return "".join(_line(line, owner, site, fail) for line in text.splitlines(keepends=True))


def localise_known(text: str, owner: str, site: Site) -> str:
    """Return `text` with what the table knows replaced and everything else as it was: a user's own file."""
    return "".join(_line(line, owner, site, lambda _: None) for line in text.splitlines(keepends=True))


def unknown(text: str, owner: str) -> Iterator[str]:
    """Yield what `localise` would refuse, as the end of a sentence about the file."""
    found: list[str] = []
    anywhere = Site(
        Path("/nowhere"),
        {
            (server.name, port.role): 1
            for server in (*SERVERS.values(), *SHOP.values())
            for port in server.ports
        },
    )
    for line in text.splitlines(keepends=True):
        _line(line, owner, anywhere, found.append)
    yield from found


def _line(line: str, owner: str, site: Site, fail: Callable[[str], str | None]) -> str:
    if _COMMENT.match(line):
        return line

    def replace(token: re.Match[str]) -> str:
        found, text = token.groupdict(), token.group()
        if found["path"] is not None:
            return _path(text, owner, site, fail)
        if found["wildcard"] is not None:
            return LOOPBACK
        if found["bare"] is not None:
            if text in SERVERS or text in SHOP:
                fail(f"names {text} without a port")
            return text
        before, name, number = f"{LOOPBACK}:", owner, found["number"]
        if found["port"] is not None:
            before, number = found["key"], found["port"]
        elif found["host"] not in _MACHINE:
            name = found["host"]
        here = _number(name, int(number), site)
        if here is None:
            fail(f"holds {text!r}")
        return text if here is None else f"{before}{here}"

    return _TOKEN.sub(replace, line)


def _number(name: str, inside: int, site: Site) -> int | None:
    server = SERVERS.get(name) or SHOP.get(name)
    for port in server.ports if server is not None else ():
        if port.inside == inside:
            return site.numbers[name, port.role]
    return None


def _path(text: str, owner: str, site: Site, fail: Callable[[str], str | None]) -> str:
    known = {**SHARED_PATHS, **SERVERS[owner].paths}
    for prefix in sorted(known, key=len, reverse=True):
        if text == prefix or text.startswith(prefix + "/"):
            return f"{site.directory / known[prefix]}{text.removeprefix(prefix)}"
    if text.split("/")[1] in _FILES:
        fail(f"holds the path {text}")
    return text
