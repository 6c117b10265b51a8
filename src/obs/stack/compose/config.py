"""What the compose runtime is asked to run: which files, where its state is, what differs from the defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from obs.errors import ConfigError, suggest
from obs.stack import bundle
from obs.stack.home import home
from obs.stack.servers import SERVERS, SHOP

#: Group of the certificates' keys where root makes them: the one that most users of the containers are in anyway.
GROUP_OF_ROOT = 10001

#: Services that run only when they are asked for.
PROFILES = ("demo",)

#: Server and role -> the variable of docker-compose.yml that says on which loopback port it is published.
PORT_VARIABLES: Mapping[tuple[str, str], str] = {
    **{(name, server.ports[0].role): f"OBS_{name.upper()}_PORT" for name, server in SERVERS.items()},
    ("collector", "otlp_grpc"): "OBS_COLLECTOR_GRPC_PORT",
    ("storefront", "http"): "OBS_STOREFRONT_PORT",
}


def default_directory() -> Path:
    """Return where secrets and the environment file are kept: `.obs` of a checkout, else below the cache.

    The compose file of a checkout looks there by itself, so that `docker compose` alone works as well.
    """
    root = bundle.root()
    return home() / "compose" if root.name == "_bundle" else root / ".obs"


@dataclass(frozen=True)
class ComposeConfig:
    """Everything `up` needs; each value left out keeps what docker-compose.yml says.

    Attributes:
        directory: where the secrets, the certificates and the environment file are.
        project: the name that containers, volumes and networks begin with.
        profiles: what runs beside the stack, such as ``("demo",)``.
        ports: server to loopback port, such as ``{"prometheus": 19090}``, or server and role, such as
            ``{"collector.otlp_grpc": 24317}``.
        tls: merge docker-compose.tls.yml in.
        within: seconds that everything may take to become healthy.
    """

    directory: Path = field(default_factory=default_directory)
    project: str = "obs"
    profiles: Sequence[str] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    tls: bool = False
    within: float = 300.0

    @property
    def secrets(self) -> Path:
        """Directory of the secrets."""
        return self.directory.absolute() / "secrets"

    @property
    def certificates(self) -> Path:
        """Directory of the certificates."""
        return self.directory.absolute() / "certs"

    @property
    def places_file(self) -> Path:
        """File of the variables that say where things are; a user's `.env` goes before it."""
        return self.directory.absolute() / "places.env"

    @property
    def environment_file(self) -> Path:
        """File of the variables that were chosen at the start; later commands read it again."""
        return self.directory.absolute() / "compose.env"

    def files(self) -> list[Path]:
        """Return the compose files, the base first.

        Raises:
            StackError: the installation is incomplete.
        """
        names = ["docker-compose.yml", *(["docker-compose.tls.yml"] if self.tls else [])]
        return [bundle.path(name) for name in names]

    def places(self) -> dict[str, str]:
        """Return the variables of the compose files that say where things of this state directory are."""
        state = self.directory.absolute()
        return {
            "OBS_SECRETS_DIR": str(self.secrets),
            "OBS_CERTS_DIR": str(self.certificates),
            "OBS_CERTS_GROUP": _group(),
            "OBS_TLS_DIR": str(state / "tls"),
            "OBS_RULES_DIR": str(state / "rules" / "prometheus"),
            "OBS_LOG_RULES_DIR": str(state / "rules" / "loki"),
            "OBS_TARGETS_DIR": str(state / "targets"),
        }

    def variables(self) -> dict[str, str]:
        """Return the variables of docker-compose.yml that this configuration sets.

        Raises:
            ConfigError: an unknown server, role or profile, or a port outside 1 to 65535.
        """
        for profile in self.profiles:
            if profile not in PROFILES:
                raise ConfigError(
                    f"no profile is called {profile!r}: there is {', '.join(PROFILES)}",
                    hint=suggest(profile, PROFILES),
                )
        return {
            "OBS_PACKAGE_DIR": str(Path(__file__).resolve().parents[2]),
            **dict(_port(key, number) for key, number in self.ports.items()),
            **({"OBS_CERTS_GROUP": _group(), "OBS_SCHEME": "https"} if self.tls else {}),
        }


def _group() -> str:
    return str(os.getgid() or GROUP_OF_ROOT)


def _port(key: str, number: int) -> tuple[str, str]:
    name, _, role = key.partition(".")
    known = {**SERVERS, **SHOP}
    if name not in known:
        raise ConfigError(f"no server of the stack is called {name!r}", hint=suggest(name, known))
    variable = PORT_VARIABLES.get((name, role or known[name].ports[0].role))
    if variable is None:
        published = [
            place if known[place].ports[0].role == r else f"{place}.{r}" for place, r in PORT_VARIABLES
        ]
        raise ConfigError(
            f"{key} is not published, so it has no port to choose", hint=suggest(key, published)
        )
    if not 1 <= number <= 65535:
        raise ConfigError(f"port of {key}: got {number}, expected 1 to 65535")
    return variable, str(number)
