"""The pytest plugin in real inner runs: its fixture beside pytest's own, and exporters that stay off."""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["pytester"]

_OPTIONS = ("-p", "no:cacheprovider", "-W", "error", "--strict-markers", "--strict-config")
_SERVICE = """
import obs

obs.init("shop", log_level="info")
ORDERS = obs.counter("shop.orders")
"""
_TESTS = """
import json, logging
import anyio, pytest
import obs
from service import ORDERS

def work():
    with obs.span("pack"):
        obs.log.info("packed", order=7)
        logging.getLogger("stock").warning("low")
    ORDERS.inc()

def see(telemetry):
    telemetry.assert_logged("packed", order=7, service="shop", trace_id="0" * 31 + "1")
    telemetry.assert_logged("low", logger="stock")
    telemetry.assert_span("pack", status="unset")
    telemetry.assert_counted("shop.orders")

def test_alone(telemetry):
    work()
    see(telemetry)

def test_again_from_zero(telemetry):
    work()
    see(telemetry)

def test_beside_capfd(telemetry, capfd):
    work()
    see(telemetry)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == ["packed", "low"]

def test_beside_capsys(telemetry, capsys):
    print("mine")
    work()
    see(telemetry)
    assert capsys.readouterr().out == "mine\\n"

def test_beside_caplog(telemetry, caplog):
    work()
    see(telemetry)
    assert [record.getMessage() for record in caplog.records] == ["low"]
    logging.getLogger("stock").error("gone")
    assert caplog.record_tuples[-1] == ("stock", logging.ERROR, "gone")

@pytest.mark.anyio
async def test_asynchronous(telemetry):
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.to_thread.run_sync, work)
    see(telemetry)

@pytest.fixture
def anyio_backend():
    return "asyncio"

def test_without_the_fixture_obs_runs_as_the_service_started_it():
    status = obs.status()
    assert status.settings.service == "shop"
    assert status.skipped["otlp_endpoint"] == "under pytest"
    assert "trace export" not in status.on
"""


@pytest.fixture
def service(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A service that starts obs when it is imported, its tests, and a collector that nobody runs."""
    pytester.makepyfile(service=_SERVICE, test_service=_TESTS)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=os.pathsep)
    return pytester


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_the_fixture_works_beside_those_of_pytest(service: pytest.Pytester, workers: tuple[str, ...]) -> None:
    done = service.runpytest_subprocess(*_OPTIONS, *workers)
    done.assert_outcomes(passed=7)


@pytest.mark.parametrize("way", ["the project", "a mark"])
def test_obs_may_be_let_export(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    if way == "the project":
        pytester.makeini("[pytest]\nobs_export = true\n")
    pytester.makepyfile(
        "import obs, pytest\n"
        f"{'@pytest.mark.obs_export' if way == 'a mark' else ''}\n"
        "def test_it():\n"
        "    assert 'trace export' in obs.init('shop', log_level='error').on\n"
        "    obs.shutdown(0)\n"
    )
    pytester.runpytest_subprocess(*_OPTIONS).assert_outcomes(passed=1)


def test_the_fixture_is_listed_with_what_it_does(pytester: pytest.Pytester) -> None:
    done = pytester.runpytest_subprocess("--fixtures", "-p", "no:cacheprovider")
    done.stdout.fnmatch_lines(
        ["telemetry -- *", "    Capture logs, metrics, spans, error and audit events of the test together."]
    )
    done = pytester.runpytest_subprocess("--markers", "-p", "no:cacheprovider")
    done.stdout.fnmatch_lines(["@pytest.mark.obs_export: *"])
