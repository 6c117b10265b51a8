"""The shop sells, measures what it sells, and fails exactly as its fault switch says."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from tests import certificates

from obs.catalogue import bundled, http, jobs
from obs.demo import signals
from obs.demo.faults import CRASH_EXIT_CODE
from obs.stack import probe
from obs.stack.certs.folder import Folder
from obs.stack.ports import free

#: A slow answer is not what is tested; the limit only ends a failed test.
get = partial(httpx.get, timeout=60.0)
post = partial(httpx.post, timeout=60.0)
delete = partial(httpx.delete, timeout=60.0)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


class Process:
    """One service of the shop in a process of its own, as `python -m obs.demo` runs it."""

    def __init__(self, directory: Path, name: str, port: int, *options: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = directory / f"{name}.log"
        own = {key: value for key, value in os.environ.items() if not key.startswith(("OBS_", "OTEL_"))}
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(
                [
                    sys.executable, "-m", "obs.demo", name,
                    "--port", str(port), "--data", str(directory / "data"), *options,
                ],
                env={**own, "OBS_ENVIRONMENT": "test"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )  # fmt: skip

    def await_ready(self) -> None:
        def ready() -> bool:
            assert self.child.poll() is None, self.log.read_text()
            try:
                return get(f"{self.url}/ready").status_code == 200
            except httpx.TransportError:
                return False

        wait_until(ready, f"{self.url}/ready")

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of the samples of that name which carry all of `labels`."""
        total = 0.0
        for line in get(f"{self.url}/metrics").text.splitlines():
            found = re.match(r"(\w+)(?:\{(.*?)\})? (\S+)", line)
            if found and found[1] == name:
                seen = dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
                if all(seen.get(key) == value for key, value in labels.items()):
                    total += float(found[3])
        return total

    def lines(self) -> list[dict[str, object]]:
        # The last one may be half there: it is being written.
        *whole, _ = self.log.read_text().split("\n")
        return [json.loads(line) for line in whole]

    def end(self) -> int:
        self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(60)
        finally:
            self.child.kill()
            self.child.wait()


class Shop:
    """Storefront, payments and worker, wired together."""

    def __init__(self, directory: Path) -> None:
        front, pay, work, control = (free() for _ in range(4))
        self.payments = Process(directory, "payments", pay)
        self.storefront = Process(directory, "storefront", front, "--payments-url", self.payments.url)
        self.worker = Process(directory, "worker", work, "--control-port", str(control), "--every", "0.1")
        self.control = f"http://127.0.0.1:{control}"

    @property
    def services(self) -> list[Process]:
        return [self.payments, self.storefront, self.worker]

    def buy(self, sku: str = "tea", quantity: int = 1) -> httpx.Response:
        return post(f"{self.storefront.url}/orders", json={"sku": sku, "quantity": quantity})


@pytest.fixture(scope="module")
def running_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("shop"))
    try:
        for service in shop.services:
            service.await_ready()
        yield shop
    finally:
        for service in shop.services:
            service.end()


@pytest.fixture
def shop(running_shop: Shop) -> Iterator[Shop]:
    yield running_shop
    for url in (running_shop.payments.url, running_shop.storefront.url, running_shop.control):
        delete(f"{url}/faults").raise_for_status()


def test_customers_see_the_products(shop: Shop) -> None:
    products = get(f"{shop.storefront.url}/products").json()
    assert [product["sku"] for product in products] == ["mug", "pot", "tea"]
    assert get(f"{shop.storefront.url}/products/mug").json()["cents"] == 900


def test_a_paid_order_is_kept_and_counted(shop: Shop) -> None:
    paid = shop.storefront.metric(signals.ORDERS.metric, result="paid")
    earned = shop.storefront.metric(signals.REVENUE.metric)

    answer = shop.buy("mug", 2)

    assert (answer.status_code, answer.json()["state"], answer.json()["cents"]) == (201, "paid", 1800)
    assert get(f"{shop.storefront.url}/orders/{answer.json()['id']}").json() == answer.json()
    assert shop.storefront.metric(signals.ORDERS.metric, result="paid") == paid + 1
    assert shop.storefront.metric(signals.REVENUE.metric) == earned + 1800


def test_a_charge_above_the_limit_is_declined_and_earns_nothing(shop: Shop) -> None:
    earned = shop.storefront.metric(signals.REVENUE.metric)

    assert shop.buy("pot", 100).status_code == 402

    assert shop.storefront.metric(signals.REVENUE.metric) == earned
    assert shop.payments.metric(signals.CHARGES.metric, result="declined") >= 1


@pytest.mark.parametrize(("path", "status"), [("/products/none", 404), ("/orders/999999", 404)])
def test_what_does_not_exist_is_not_found(shop: Shop, path: str, status: int) -> None:
    assert get(shop.storefront.url + path).status_code == status


def test_an_order_of_nothing_is_refused(shop: Shop) -> None:
    assert shop.buy("tea", 0).status_code == 422


def test_when_payments_fails_the_customer_is_told_so_until_it_is_repaired(shop: Shop) -> None:
    labels = {"http_route": "/charges", "http_response_status_code": "500"}
    failed = shop.payments.metric(http.SERVER_REQUESTS.metric, **labels)
    post(f"{shop.payments.url}/faults", json={"errors": 1}).raise_for_status()

    assert shop.buy().status_code == 503
    assert shop.payments.metric(http.SERVER_REQUESTS.metric, **labels) == failed + 1

    assert delete(f"{shop.payments.url}/faults").status_code == 204
    assert shop.buy().status_code == 201


def test_a_share_of_errors_is_dealt_out_evenly(shop: Shop) -> None:
    post(f"{shop.storefront.url}/faults", json={"errors": 0.25}).raise_for_status()
    statuses = [get(f"{shop.storefront.url}/products").status_code for _ in range(8)]
    assert statuses == [200, 200, 200, 500] * 2


def test_latency_is_added_to_each_call(shop: Shop) -> None:
    post(f"{shop.storefront.url}/faults", json={"latency": 0.3}).raise_for_status()
    answer = get(f"{shop.storefront.url}/products")
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.3


@pytest.mark.parametrize("faults", [{"errors": 1.5}, {"latency": -1}, {"error": 1}, {"errors": "many"}])
def test_an_impossible_fault_is_refused(shop: Shop, faults: dict[str, object]) -> None:
    assert post(f"{shop.payments.url}/faults", json=faults).status_code == 422
    assert get(f"{shop.payments.url}/faults").json()["errors"] == 0


def test_nothing_of_the_shop_listens_beyond_loopback(shop: Shop) -> None:
    # A listener on every address would answer here as well: 127.0.0.2 is this machine too.
    for url in (shop.payments.url, shop.storefront.url, shop.worker.url, shop.control):
        port = httpx.URL(url).port
        with socket.socket() as probe:
            probe.settimeout(5)
            assert probe.connect_ex(("127.0.0.2", port or 0)) != 0


def test_one_trace_leads_from_the_storefront_to_payments(shop: Shop) -> None:
    order = shop.buy().json()["id"]

    def lines(service: Process) -> list[dict[str, object]]:
        return [line for line in service.lines() if line.get("order_id") == order]

    wait_until(lambda: bool(lines(shop.storefront)) and bool(lines(shop.payments)), "lines about the order")
    traces = {line["trace_id"] for line in [*lines(shop.storefront), *lines(shop.payments)]}
    assert len(traces) == 1


def test_every_line_of_every_service_is_one_json_object(shop: Shop) -> None:
    shop.buy()
    for service in shop.services:
        wait_until(lambda service=service: bool(service.lines()), "a log line")  # type: ignore[misc]
        assert all({"timestamp", "level", "service", "message"} <= set(line) for line in service.lines())


def runs(shop: Shop, result: str) -> float:
    return shop.worker.metric(jobs.RUNS.metric, job_name="settlement", result=result)


def test_the_worker_settles_what_was_charged(shop: Shop) -> None:
    settled = shop.worker.metric(signals.SETTLED.metric)
    shop.buy("mug")
    wait_until(lambda: shop.worker.metric(signals.SETTLED.metric) >= settled + 900, "settled")


def test_a_failing_worker_counts_failures_and_goes_on(shop: Shop) -> None:
    post(f"{shop.control}/faults", json={"errors": 1}).raise_for_status()
    failures = runs(shop, "failure")
    wait_until(lambda: runs(shop, "failure") >= failures + 2, "failed runs")
    delete(f"{shop.control}/faults").raise_for_status()
    successes = runs(shop, "success")
    wait_until(lambda: runs(shop, "success") > successes, "a success again")


def test_a_stalled_worker_stays_up_and_does_nothing(shop: Shop) -> None:
    post(f"{shop.control}/faults", json={"stalled": True}).raise_for_status()

    def is_still() -> bool:
        before = runs(shop, "success")
        time.sleep(0.5)
        return runs(shop, "success") == before

    # A run may be in progress; afterwards there is none, though one came every tenth of a second.
    wait_until(is_still, "the worker stands still")
    assert is_still()
    assert get(f"{shop.worker.url}/live").status_code == 200


def test_a_crash_ends_the_process_at_once(tmp_path: Path) -> None:
    port = free()
    payments = Process(tmp_path, "payments", port)
    try:
        payments.await_ready()
        assert post(f"{payments.url}/faults", json={"crash": True}).status_code == 200
        assert payments.child.wait(60) == CRASH_EXIT_CODE
    finally:
        payments.end()


@pytest.mark.parametrize("service", ["payments", "worker"])
def test_sigterm_ends_a_service_without_a_stack(tmp_path: Path, service: str) -> None:
    port, control = free(), free()
    options = ("--control-port", str(control)) if service == "worker" else ()
    process = Process(tmp_path, service, port, *options)
    try:
        process.await_ready()
    finally:
        code = process.end()
    assert code in (0, -signal.SIGTERM)
    assert "Traceback" not in process.log.read_text()


@pytest.mark.parametrize(
    ("service", "offered"), [("payments", signals.CHARGES.metric), ("worker", signals.SETTLED.metric)]
)
def test_under_tls_a_service_speaks_https_alone_and_ends_in_time(
    tmp_path: Path, service: str, offered: str
) -> None:
    place = Folder.of(tmp_path)
    certificates.make(place, services=[service])
    port, control = free(), free()
    options = ("--control-port", str(control)) if service == "worker" else ()
    pair = ("--certificate", str(place.certificate_path(service)), "--key", str(place.key_path(service)))
    process = Process(tmp_path, service, port, *options, *pair)
    secured = process.url.replace("http", "https")
    trust = str(place.authority_certificate_path)
    # Its idle connection says nothing when the service says goodbye.
    with httpx.Client(verify=ssl.create_default_context(cafile=trust)) as client:
        try:
            wait_until(lambda: probe.main([f"{secured}/ready", trust]) == 0, "ready")
            assert offered in client.get(f"{secured}/metrics").text
            with pytest.raises(httpx.TransportError):
                get(f"{process.url}/metrics")
        finally:
            code = process.end()
    assert code in (0, -signal.SIGTERM)
    assert "Traceback" not in process.log.read_text()


def test_the_shops_signals_join_the_bundled_catalogue() -> None:
    registry = bundled()
    for own in signals.SIGNALS:
        registry.add(own)
    assert registry.find("shop.orders") is signals.ORDERS


def test_a_service_offers_its_own_metrics_only(shop: Shop) -> None:
    offered = get(f"{shop.payments.url}/metrics").text
    assert signals.CHARGES.metric in offered
    assert not [s.metric for s in (signals.ORDERS, signals.SETTLED, jobs.RUNS) if s.metric in offered]
