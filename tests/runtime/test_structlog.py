"""structlog of the host: led through our pipeline, whenever it is imported, unless the host has configured it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import structlog

import obs
from obs.runtime.redaction import MASK

Lines = Callable[[], list[dict[str, Any]]]


def test_structlog_goes_through_the_same_pipeline(lines: Lines) -> None:
    obs.init("shop")
    structlog.get_logger("app").info("hello", order=1)
    try:
        raise KeyError("k")  # noqa: TRY301
    except KeyError:
        structlog.get_logger().exception("failed")
    first, second = lines()
    assert (first["message"], first["logger"], first["order"]) == ("hello", "app", 1)
    assert second["level"] == "error"
    assert "KeyError" in second["exception"]


def test_a_structlog_configuration_of_the_host_is_adopted_and_reported() -> None:
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    try:
        mine = structlog.get_config()["processors"]
        status = obs.init("shop")
        assert "structlog configuration" in status.adopted
        assert structlog.get_config()["processors"] is mine
        obs.shutdown()
        assert structlog.get_config()["processors"] is mine
    finally:
        structlog.reset_defaults()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_structlog_imported_after_init_is_led_through_the_pipeline(log_format: str) -> None:
    code = (
        f"import obs, sys; obs.init('shop', log_format={log_format!r})\n"
        "finders = len(sys.meta_path)\n"
        "import structlog\n"
        "structlog.get_logger('app').info('hello', order=1, password='p')\n"
        "obs.shutdown()\n"
        "assert not structlog.is_configured()\n"
        "assert len(sys.meta_path) <= finders\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    (line,) = done.stdout.splitlines()
    assert "hello" in line
    assert MASK in line
    assert log_format == "console" or json.loads(line)["logger"] == "app"


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import importlib.util; assert importlib.util.find_spec('structlog').origin.endswith('.py')",
        # A finder whose one loader serves several modules, as that of a zip file does.
        f"""
import importlib.machinery, importlib.util, sys
class Shared(importlib.machinery.SourceFileLoader):
    def __init__(self): super().__init__('structlog', {structlog.__file__!r})
    def get_filename(self, name=None): return {structlog.__file__!r}
shared = Shared()
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == 'structlog':
            return importlib.util.spec_from_loader(name, shared, is_package=True)
sys.meta_path.insert(sys.meta_path.index(importlib.machinery.PathFinder), Finder)
""",
    ],
    ids=["plain", "asked for first", "shared loader"],
)
def test_waiting_for_structlog_changes_no_loader_and_misses_no_import(before: str) -> None:
    code = (
        "import obs, sys; obs.init('shop')\n"
        f"{before}\n"
        "import structlog\n"
        "loader = structlog.__spec__.loader\n"
        "assert loader is structlog.__loader__ and 'obs' not in type(loader).__module__, loader\n"
        "assert 'exec_module' not in vars(loader)\n"
        "structlog.get_logger().info('hello')\n"
        "import importlib; importlib.reload(structlog)\n"
        "import json; json.loads('1')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["message"] == "hello"


def test_structlog_that_is_never_imported_leaves_no_trace() -> None:
    code = (
        "import sys; before = list(sys.meta_path)\n"
        "import obs; obs.init('shop'); obs.log.info('x'); obs.shutdown()\n"
        "assert sys.meta_path == before and 'structlog' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
