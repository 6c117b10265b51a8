"""What a fresh interpreter loads: nothing heavy for a name, no web framework for telemetry.

import-linter reads source and cannot see the lazy face, so this is its twin. Modules are counted,
not milliseconds: those flake.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

_PRINT = "import json, sys; print(json.dumps(sorted(sys.modules)))"
#: Third-party packages that an environment's own start-up hooks may bring (editable installs, coverage).
_START_UP = {"_distutils_hack", "sitecustomize", "usercustomize"}
_FRAMEWORKS = {"fastapi", "starlette", "uvicorn", "httpx", "anyio", "requests", "grpc", "sentry_sdk"}
_TOOLCHAIN = {"click", "yaml", "grafanalib", "promql_parser", "rich", "jinja2"}


def loaded(code: str, *arguments: str) -> set[str]:
    """Return the modules that `code` adds to those of an empty interpreter."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("OBS_", "OTEL_"))}

    def modules(script: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True, env=kept
        )
        return set(json.loads(done.stdout.splitlines()[-1]))

    return modules(f"{code}\n{_PRINT}") - modules(_PRINT)


def third_party(modules: set[str]) -> set[str]:
    """Return the top-level packages that are neither the standard library's nor ours."""
    tops = {name.partition(".")[0] for name in modules}
    editable = {name for name in tops if name.startswith("__editable__")}
    return tops - set(sys.stdlib_module_names) - _START_UP - editable - {"obs"}


def test_the_face_loads_nothing_of_anybody() -> None:
    modules = loaded("import obs")
    assert third_party(modules) == set()
    assert {name for name in modules if name.startswith("obs")} == {"obs"}


def test_a_type_of_the_face_loads_no_back_end() -> None:
    assert third_party(loaded("import obs; obs.ObsError, obs.Settings, obs.counter, obs.log")) == set()


def test_the_catalogue_loads_the_standard_library_only() -> None:
    modules = loaded("import obs.catalogue")
    assert third_party(modules) == set()
    ours = {name for name in modules if name.startswith("obs")}
    assert {name.split(".")[1] for name in ours if "." in name} <= {"catalogue", "errors"}


def test_the_help_of_the_command_loads_click_and_no_room() -> None:
    code = (
        "import sys, io, contextlib; sys.argv = ['obs', '--help']\n"
        "from obs.__main__ import main\n"
        "with contextlib.redirect_stdout(io.StringIO()): main()"
    )
    modules = loaded(code)
    assert third_party(modules) <= {"click"}
    ours = {name for name in modules if name.startswith("obs.")}
    assert ours <= {"obs.__main__", "obs._version", "obs.errors", "obs.cli", "obs.cli.main"}


def test_init_loads_the_back_ends_and_no_web_framework_exporter_or_toolchain() -> None:
    modules = loaded("import obs; obs.init('shop', otlp_endpoint='http://127.0.0.1:9', log_level='error')")
    packages = third_party(modules)
    assert {"prometheus_client", "opentelemetry", "orjson"} <= packages
    # Configured when the host imports it.
    assert "structlog" not in packages
    assert "asyncio" not in modules
    assert not packages & (_FRAMEWORKS | _TOOLCHAIN)
    assert not [name for name in modules if name.startswith("opentelemetry.exporter")]


@pytest.mark.parametrize(
    ("setting", "package"),
    [
        ("metrics=False", "prometheus_client"),
        ("logs=False", "obs.runtime.logs"),
        ("traces=False", "opentelemetry"),
    ],
)
def test_a_pillar_that_is_off_is_not_loaded(setting: str, package: str) -> None:
    modules = loaded(f"import obs; obs.init('shop', log_level='error', {setting})")
    assert package not in modules


def test_refusing_to_instrument_loads_no_framework() -> None:
    code = "import obs\ntry: obs.instrument(object())\nexcept obs.ObsError: pass"
    assert not third_party(loaded(code)) & _FRAMEWORKS


def test_the_pytest_plugin_loads_nothing_until_a_test_asks() -> None:
    """It is part of every test run of every user, whether its tests know obs or not."""
    before = loaded("import pytest")
    modules = loaded("import pytest, obs.testing.plugin") - before
    assert {name for name in modules if not name.startswith("obs")} == set()
    assert modules == {"obs", "obs.runtime", "obs.runtime.recording", "obs.testing", "obs.testing.plugin"}


def test_the_test_kit_loads_no_pytest_and_no_framework() -> None:
    code = "from obs.testing import capture\nwith capture(log_level='error') as telemetry: telemetry.metrics"
    packages = third_party(loaded(code))
    assert not packages & ({"pytest", "_pytest"} | _FRAMEWORKS | _TOOLCHAIN)
