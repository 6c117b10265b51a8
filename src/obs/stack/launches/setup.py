"""What the launches of one stack share: what was asked for, where it goes, and the engines at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from obs.stack import bundle, engines
from obs.stack.engine import Engine
from obs.stack.localise import Site, localise
from obs.stack.native_config import NativeConfig
from obs.stack.ports import Endpoint
from obs.stack.secret_files import WEB_PASSWORD, WEB_USER
from obs.stack.servers import SERVERS


@dataclass(frozen=True)
class Setup:
    """One stack about to be planned; `servers` are those that will run."""

    config: NativeConfig
    servers: tuple[str, ...]
    site: Site
    found: Mapping[str, Engine]

    def directory(self, name: str) -> Path:
        """Return the directory of a server."""
        return self.site.directory / name

    @property
    def secrets(self) -> Path:
        """The directory of secret files."""
        return self.site.directory / "secrets"

    @property
    def login(self) -> tuple[str, Path]:
        """Who may ask the servers that want a password, and the file of it."""
        return WEB_USER, self.secrets / WEB_PASSWORD

    def endpoint(self, name: str) -> Endpoint:
        """Return where a server tells that it is ready."""
        role, path = SERVERS[name].ready
        return Endpoint(name, self.site.numbers[name, role], path)

    def url(self, name: str, role: str = "") -> str:
        """Return the address of a server's role, its first one unless told otherwise."""
        return f"http://{self.site.address(name, role or SERVERS[name].ports[0].role)}"

    def ports(self, name: str) -> dict[str, int]:
        """Return every port of a server by its role."""
        return {port.role: self.site.numbers[name, port.role] for port in SERVERS[name].ports}

    def tool(self, name: str, server: Engine) -> Engine:
        """Return the tool that came with the server: another version may accept what the server refuses."""
        return engines.find(name, server.route) or self.found[name]

    def committed(self, owner: str, *parts: str) -> str:
        """Return the text of a committed configuration file, with the addresses and paths of this stack."""
        return localise(bundle.path(*parts).read_text(encoding="utf-8"), owner, self.site)
