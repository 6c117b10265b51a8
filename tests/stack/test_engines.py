"""Engines are found before they are installed, and a failure names every route with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.programs import write_program

from obs.errors import ConfigError, StackError
from obs.stack import cache, engines
from obs.stack.progress import Progress
from obs.stack.table import ENGINES
from obs.stack.version import Version

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No release host, no apt, no Go: the routes fail at once, for their own reasons."""
    monkeypatch.setenv("OBS_RELEASE_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("obs.stack.routes.golang._USUAL_PLACES", ())


def _program(directory: Path, name: str, version: str) -> Path:
    program = directory / name
    program.write_text(f"#!/bin/sh\necho '{name}, version {version} (branch: x)'\n")
    program.chmod(0o755)
    return program


def _cached(name: str, version: str, route: str) -> None:
    with cache.workspace(route) as work:
        cache.adopt(ENGINES[name], _program(work, name, version), route)


def test_nothing_is_found_on_an_empty_machine(programs: Path) -> None:
    assert engines.find("prometheus") is None


def test_a_program_on_path_is_found(programs: Path) -> None:
    path = _program(programs, "promtool", "2.53.1")
    found = engines.find("promtool")
    assert found is not None
    assert (found.path, found.version, found.route) == (path, Version(2, 53, 1), "path")


def test_debians_name_of_the_alertmanager_counts(programs: Path) -> None:
    path = _program(programs, "prometheus-alertmanager", "0.25.0")
    found = engines.find("alertmanager")
    assert found is not None
    assert found.path == path


def test_a_program_below_the_floor_is_passed_over(programs: Path) -> None:
    _program(programs, "promtool", "2.41.0")
    assert engines.find("promtool") is None


def test_the_cache_comes_before_path(programs: Path) -> None:
    _program(programs, "promtool", "3.99.0")
    _cached("promtool", "2.42.0", "debian")
    found = engines.find("promtool")
    assert found is not None
    assert found.route == "debian"
    on_path = engines.find("promtool", "path")
    assert on_path is not None
    assert on_path.version == Version(3, 99)


def test_install_returns_what_is_there(programs: Path) -> None:
    _cached("promtool", "2.42.0", "debian")
    _program(programs, "amtool", "0.27.0")
    found = engines.install(["promtool", "amtool"])
    assert {name: engine.route for name, engine in found.items()} == {"promtool": "debian", "amtool": "path"}


def test_what_does_not_run_in_the_cache_is_passed_over(programs: Path) -> None:
    _cached("promtool", "2.42.0", "debian")
    _cached("promtool", "3.14.0", "go")
    cache.cached("promtool", "go")[0].path.write_text("")
    found = engines.find("promtool")
    assert found is not None
    assert found.route == "debian"
    assert engines.find("promtool", "go") is None


def test_a_cache_that_cannot_be_written_is_said_once(
    programs: Path, nowhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("OBS_HOME", str(tmp_path / "file"))
    with pytest.raises(StackError, match="cannot write the engines cache") as caught:
        engines.install()
    assert str(caught.value).count("hint:") == 1
    assert "set OBS_HOME" in str(caught.value)


def test_with_a_chosen_route_the_cache_counts_only_for_it(programs: Path, nowhere: None) -> None:
    _cached("promtool", "2.42.0", "debian")
    assert engines.install(["promtool"], routes=["go", "debian"])["promtool"].route == "debian"
    with pytest.raises(StackError, match="go: no go on PATH"):
        engines.install(["promtool"], routes=["go"])


def test_a_failure_names_every_route_and_why(programs: Path, nowhere: None) -> None:
    _program(programs, "promtool", "2.41.0")
    with pytest.raises(StackError) as caught:
        engines.install(["promtool"])
    message = str(caught.value)
    assert "could not get promtool" in message
    assert "path of promtool: " in message
    assert "is 2.41.0, expected at least 2.42.0" in message
    assert "download: http://127.0.0.1:1/" in message
    assert "debian: no apt-get on this machine" in message
    assert "go: no go on PATH, nor in its usual places" in message


def test_engines_of_one_package_are_fetched_together(programs: Path) -> None:
    for name in ("apt-get", "dpkg"):
        script = programs / name
        script.write_text("#!/bin/sh\n")
        script.chmod(0o755)
    with pytest.raises(StackError) as caught:
        engines.install(routes=["debian"])
    reasons = [line.strip() for line in str(caught.value).splitlines() if "left no package" in line]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "debian of prometheus, promtool",
        "debian of alertmanager, amtool",
    ]


def test_a_closed_route_is_asked_once(programs: Path, nowhere: None) -> None:
    with pytest.raises(StackError) as caught:
        engines.install()
    lines = [line.strip() for line in str(caught.value).splitlines()]
    assert [line.partition(":")[0] for line in lines if not line.startswith("path")][1:-1] == [
        "download",
        "debian",
        "go",
    ]


@pytest.mark.parametrize("call", [engines.find, lambda name: engines.install([name])])
def test_a_misspelt_engine_gets_the_nearest_name(call: Callable[[str], object]) -> None:
    with pytest.raises(ConfigError, match="did you mean 'promtool'"):
        call("promtol")


@pytest.mark.parametrize(
    "call", [lambda: engines.find("amtool", "debain"), lambda: engines.install(routes=["debain"])]
)
def test_a_misspelt_route_gets_the_nearest_name(call: Callable[[], object]) -> None:
    with pytest.raises(ConfigError, match="did you mean 'debian'"):
        call()


def test_a_failing_package_download_quotes_apt(programs: Path) -> None:
    for name in ("apt-get", "dpkg"):
        script = programs / name
        script.write_text("#!/bin/sh\necho 'E: Unable to locate package prometheus'\nexit 100\n")
        script.chmod(0o755)
    with pytest.raises(StackError, match="apt-get ended with 100: E: Unable to locate package prometheus"):
        engines.install(["prometheus"], routes=["debian"])


def test_a_package_that_is_in_no_list_is_told_with_why_the_lists_are_not_whole(programs: Path) -> None:
    write_program(
        programs / "apt-get",
        """
import pathlib, sys
state = [word.partition("=")[2] for word in sys.argv if word.startswith("Dir::State::lists=")]
if "update" in sys.argv:
    (pathlib.Path(state[0]) / "some_Packages").touch()
print("E: No space left on device" if "update" in sys.argv else "E: Unable to locate package prometheus")
raise SystemExit(100)
""",
    )
    (programs / "dpkg").touch(mode=0o755)
    with pytest.raises(
        StackError, match=r"(?s)Unable to locate package.*of the package lists: .*No space left"
    ):
        engines.install(["prometheus"], routes=["debian"])


def test_a_failing_build_quotes_go(programs: Path) -> None:
    script = programs / "go"
    script.write_text("#!/bin/sh\necho 'go: go.mod requires go >= 1.26.0 (running go 1.19.8)'\nexit 1\n")
    script.chmod(0o755)
    with pytest.raises(StackError, match=r"go of amtool: go ended with 1: .*requires go >= 1\.26\.0"):
        engines.install(["amtool"], routes=["go"])


def test_the_go_modules_pin_the_versions_of_the_table() -> None:
    from obs.stack import bundle

    for facts in ENGINES.values():
        text = bundle.path("tools", facts.go_directory, "go.mod").read_text()
        major, minor, patch = facts.go_version
        # Prometheus 3.14.0 is 0.314.0 as a Go module.
        tag = f"v0.{major}{minor:02}.{patch}" if major else f"v{facts.go_version}"
        repository = "/".join(facts.go_package.split("/")[:3])
        assert f"{repository} {tag}" in text
        assert facts.go_package in text
        assert "replace" not in text


def test_an_engine_is_not_asked_of_a_route_that_cannot_bring_it(programs: Path) -> None:
    with pytest.raises(StackError, match="debian of otelcol: not to be had so"):
        engines.install(["otelcol"], routes=["debian"])


def test_every_engine_that_go_can_build_is_pinned_with_checksums() -> None:
    from obs.stack import bundle
    from obs.stack.table import BACKENDS

    for facts in (*ENGINES.values(), *BACKENDS.values()):
        if "go" not in facts.routes:
            # Tempo and Grafana are not to be had from the Go proxy.
            assert (facts.name, facts.go_directory) in (("tempo", ""), ("grafana", ""))
            assert facts.routes == ("path", "download")
            continue
        module = bundle.path("tools", facts.go_directory)
        assert (module / "go.mod").is_file()
        assert len((module / "go.sum").read_text().splitlines()) > 10


def test_loki_is_built_at_the_version_of_the_table() -> None:
    from obs.stack import bundle
    from obs.stack.table import facts_of

    facts = facts_of("loki")
    text = bundle.path("tools", facts.go_directory, "go.mod").read_text()
    assert f"github.com/grafana/loki/v3 v{facts.go_version} " in text
    assert f"tool {facts.go_package}" in text


def test_make_brings_every_engine_that_the_stack_cannot_do_without() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    (recipe,) = re.findall(r"^engines: .*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    commands = re.findall(r"\$\(BIN\)/obs (stack install[ \w-]*)", recipe)
    # Without a name: all of them.
    assert [command.strip() for command in commands] == ["stack install", "stack install docker-compose"]


def test_the_collector_is_built_from_modules_of_one_release() -> None:
    from obs.stack import bundle
    from obs.stack.table import facts_of

    facts = facts_of("otelcol")
    text = bundle.path("tools", facts.go_directory, "go.mod").read_text()
    direct = [
        line.split()
        for line in text.splitlines()
        if "opentelemetry-collector-contrib" in line and "indirect" not in line
    ]
    assert len(direct) >= 9
    assert {version for _, version in direct} == {f"v{facts.go_version}"}
    assert "replace" not in text
    assert bundle.path("tools", facts.go_directory, "otelcol", "main.go").is_file()


def test_compose_is_built_at_the_version_of_the_table() -> None:
    from obs.stack import bundle
    from obs.stack.table import facts_of

    facts = facts_of("docker-compose")
    text = bundle.path("tools", facts.go_directory, "go.mod").read_text()
    assert f"github.com/docker/compose/v2 v{facts.go_version} " in text
    assert f"tool {facts.go_package}" in text
    assert "replace" not in text


def test_of_two_installs_at_once_one_builds(programs: Path, tmp_path: Path, until: Until) -> None:
    builds, go_on = tmp_path / "builds", tmp_path / "go_on"
    builds.mkdir()
    write_program(
        programs / "go",
        f"""
import pathlib, sys, tempfile, time
tempfile.mkstemp(dir={str(builds)!r})
while not pathlib.Path({str(go_on)!r}).exists():
    time.sleep(0.05)
program = pathlib.Path(sys.argv[sys.argv.index("-o") + 1], "amtool")
program.write_text("#!/bin/sh\\necho amtool, version 0.34.0")
""",
    )
    waiting: list[Progress] = []
    with ThreadPoolExecutor() as pool:
        first = pool.submit(engines.install, ["amtool"], routes=["go"])
        until(lambda: len(list(builds.iterdir())) == 1)
        second = pool.submit(engines.install, ["amtool"], routes=["go"], report=waiting.append)
        until(lambda: any("waiting for another install by go" in one.step for one in waiting))
        go_on.touch()
        assert first.result() == second.result()
    assert len(list(builds.iterdir())) == 1


def test_a_program_that_go_names_otherwise_gets_its_own_name(programs: Path) -> None:
    script = programs / "go"
    script.write_text(
        """#!/bin/sh
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho Docker Compose version 2.40.3\\n' > "$2cmd"
"""
    )
    script.chmod(0o755)
    found = engines.install(["docker-compose"], routes=["go"])["docker-compose"]
    assert found.path.name == "docker-compose"
    assert str(found.version) == "2.40.3"
