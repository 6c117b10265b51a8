"""The engines that the native runtime knows: pinned versions, floors, and where each comes from."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from obs.errors import ConfigError, StackError, suggest
from obs.stack import release
from obs.stack.release import USUAL, Release
from obs.stack.version import Version

_NONE = Version(0, 0)


@dataclass(frozen=True)
class Product:
    """One upstream project: what its release, its Debian package and its Go module are called.

    `release` is the version that the download takes. The Go modules pin their own versions in
    `tools/*/go.mod`, because a server may lag behind there: what Alertmanager embeds since 0.32 is
    no part of its module. `debian_files` is the directory that Debian's program insists on.
    """

    name: str
    repository: str
    release: Version
    debian: str
    debian_files: str = ""
    published: Release = USUAL

    def spell(self, template: str, program: str = "") -> str:
        """Return a name of the release with what is known of it and of this machine filled in.

        Raises:
            StackError: upstream publishes nothing for this machine that we know of.
        """
        system, _, architecture = machine().partition("-")
        return template.format(
            name=self.name,
            version=self.release,
            repository=self.repository,
            os=system,
            arch=architecture,
            uname={"amd64": "x86_64", "arm64": "aarch64"}[architecture],
            program=program,
        )


@dataclass(frozen=True)
class EngineFacts:
    """One program: which product it belongs to, the least version that works, and its names elsewhere.

    `go_minutes` is the time a cold build took on two cores, to tell people what to expect; `go_variable`
    is where a build with Go is told its version; `go_build` counts what we have put together at one version,
    so that a cache with an earlier one builds again. `routes` are the ways by which it can be had at all;
    `variable` is the one of the environment in which a user may name the program.
    """

    name: str
    product: Product
    floor: Version
    programs: tuple[str, ...]
    go_directory: str = ""
    go_package: str = ""
    go_version: Version = _NONE
    go_tags: str = ""
    go_minutes: int = 3
    go_variable: str = "github.com/prometheus/common/version.Version"
    go_build: int = 1
    routes: tuple[str, ...] = ("path", "download", "debian", "go")
    variable: str = ""


PROMETHEUS = Product(
    name="prometheus",
    repository="prometheus/prometheus",
    release=Version(3, 14, 0),
    debian="prometheus",
)
ALERTMANAGER = Product(
    name="alertmanager",
    repository="prometheus/alertmanager",
    release=Version(0, 34, 0),
    debian="prometheus-alertmanager",
    debian_files="/usr/share/prometheus/alertmanager",
)

COLLECTOR = Product(
    name="otelcol-contrib",
    repository="open-telemetry/opentelemetry-collector-releases",
    release=Version(0, 159, 0),
    debian="",
    published=release.COLLECTOR,
)

LOKI = Product(
    name="loki",
    repository="grafana/loki",
    release=Version(3, 7, 6),
    debian="",
    published=release.LOKI,
)

COMPOSE = Product(
    name="docker-compose",
    repository="docker/compose",
    release=Version(2, 40, 3),
    debian="",
    published=release.COMPOSE,
)

TEMPO = Product(
    name="tempo",
    repository="grafana/tempo",
    release=Version(3, 0, 3),
    debian="",
    published=release.TEMPO,
)

GRAFANA = Product(
    name="grafana",
    repository="grafana/grafana",
    release=Version(13, 1, 2),
    debian="",
    published=release.GRAFANA,
)

#: What the small stack runs, with the tools that check it.
ENGINES: Mapping[str, EngineFacts] = MappingProxyType(
    {
        facts.name: facts
        for facts in (
            EngineFacts(
                name="prometheus",
                product=PROMETHEUS,
                floor=Version(2, 42),
                programs=("prometheus",),
                go_directory="prometheus",
                go_package="github.com/prometheus/prometheus/cmd/prometheus",
                go_version=Version(3, 14, 0),
                # Service discovery by cloud providers is most of the build; files and HTTP stay.
                go_tags="remove_all_sd",
            ),
            EngineFacts(
                name="promtool",
                product=PROMETHEUS,
                floor=Version(2, 42),
                programs=("promtool",),
                go_directory="prometheus",
                go_package="github.com/prometheus/prometheus/cmd/promtool",
                go_version=Version(3, 14, 0),
                go_tags="remove_all_sd",
            ),
            EngineFacts(
                name="alertmanager",
                product=ALERTMANAGER,
                floor=Version(0, 25),
                programs=("alertmanager", "prometheus-alertmanager"),
                go_directory="alertmanager",
                go_package="github.com/prometheus/alertmanager/cmd/alertmanager",
                go_version=Version(0, 31, 1),
            ),
            EngineFacts(
                name="amtool",
                product=ALERTMANAGER,
                floor=Version(0, 25),
                programs=("amtool",),
                go_directory="amtool",
                go_package="github.com/prometheus/alertmanager/cmd/amtool",
                go_version=Version(0, 34, 0),
            ),
        )
    }
)

#: The other engines.
BACKENDS: Mapping[str, EngineFacts] = MappingProxyType(
    {
        facts.name: facts
        for facts in (
            EngineFacts(
                name="otelcol",
                product=COLLECTOR,
                floor=Version(0, 159),
                programs=("otelcol", "otelcol-contrib"),
                go_directory="collector",
                go_package="./otelcol",
                go_version=Version(0, 159, 0),
                go_tags="remove_all_sd",
                go_minutes=10,
                go_variable="main.version",
                # 2: without the components that no configuration of ours uses. 3: a full disk costs no item of a queue.
                go_build=3,
                routes=("path", "download", "go"),
            ),
            EngineFacts(
                name="loki",
                product=LOKI,
                # The first whose own binary answers a health probe.
                floor=Version(3, 7),
                programs=("loki",),
                go_directory="loki",
                go_package="github.com/grafana/loki/v3/cmd/loki",
                go_version=Version(3, 7, 6),
                go_minutes=9,
                go_variable="github.com/grafana/loki/v3/pkg/util/build.Version",
                routes=("path", "download", "go"),
            ),
            EngineFacts(
                name="tempo",
                product=TEMPO,
                # The configuration of 2.x is another one.
                floor=Version(3, 0),
                programs=("tempo",),
                routes=("path", "download"),
                variable="OBS_TEMPO",
            ),
            EngineFacts(
                name="grafana",
                product=GRAFANA,
                floor=Version(11, 0),
                programs=("grafana",),
                routes=("path", "download"),
                variable="OBS_GRAFANA",
            ),
            EngineFacts(
                name="docker-compose",
                product=COMPOSE,
                # The first line that starts what it can and still waits for the health of everything.
                floor=Version(2, 20),
                programs=("docker-compose",),
                go_directory="compose",
                go_package="github.com/docker/compose/v2/cmd",
                go_version=Version(2, 40, 3),
                go_minutes=5,
                go_variable="github.com/docker/compose/v2/internal.Version",
                routes=("path", "download", "go"),
            ),
        )
    }
)

#: What the full stack cannot do without.
NEEDED: tuple[str, ...] = (*ENGINES, "loki", "otelcol")

#: The least versions that know every key of the committed configuration; older ones serve the small stack.
FULL_FLOORS: Mapping[str, Version] = MappingProxyType(
    {"prometheus": Version(3, 14), "promtool": Version(3, 14), "alertmanager": Version(0, 31)}
)

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def build_of(name: str, route: str) -> int:
    """Return which of our builds of the engine `name` is the present one; 1 by every route but `go`."""
    facts = {**ENGINES, **BACKENDS}.get(name)
    return facts.go_build if facts is not None and route == "go" else 1


def facts_of(name: str) -> EngineFacts:
    """Return what is known of the engine `name`.

    Raises:
        ConfigError: no engine has this name.
    """
    known = {**ENGINES, **BACKENDS}
    if name not in known:
        raise ConfigError(
            f"no engine is called {name!r}: there are {', '.join(known)}", hint=suggest(name, known)
        )
    return known[name]


def machine() -> str:
    """Return operating system and architecture as release archives spell them, such as `linux-amd64`.

    Raises:
        StackError: upstream publishes no archive for this machine that we know of.
    """
    system = platform.system().lower()
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    if system not in ("linux", "darwin") or architecture is None:
        raise StackError(f"no release archive is known for {system} on {platform.machine()}")
    return f"{system}-{architecture}"
