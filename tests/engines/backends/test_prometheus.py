"""Prometheus with the committed file: who is scraped is who it says, and nothing that happened is lost."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from obs.stack import engines

if TYPE_CHECKING:
    from tests.engines.backends.running import Backends

pytestmark = pytest.mark.engines

TRACE = "5b8efff798038103d269b633813fc60c"
#: What the collector says of a job that it passes on.
JOB = {
    "service.name": "import",
    "deployment.environment.name": "local",
    "service.instance.id": "host-7",
    "service": "import",
    "environment": "local",
}


def _promtool(*arguments: object) -> str:
    """Return what promtool finds wrong; empty when all is well."""
    promtool = engines.install(["promtool"], routes=["go"])["promtool"].path
    done = subprocess.run(
        [str(promtool), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_promtool_accepts_the_configuration_with_its_rules_and_its_login(backends: Backends) -> None:
    directory = backends.directory("prometheus")

    assert _promtool("check", "config", "--lint=all", "--lint-fatal", directory / "prometheus.yml") == ""
    assert _promtool("check", "web-config", directory / "web.yml") == ""


def test_every_page_asks_for_the_password_the_probe_included(backends: Backends) -> None:
    for path in ("/-/ready", "/api/v1/query?query=1", "/metrics"):
        refused, _ = backends.ask(backends.url("prometheus") + path, login=False)
        taken, _ = backends.ask(backends.url("prometheus") + path)

        assert (refused, taken) == (401, 200), path


def test_retention_and_features_are_in_effect(backends: Backends) -> None:
    flags = backends.json("prometheus", "/api/v1/status/flags")["data"]
    config = backends.json("prometheus", "/api/v1/status/config")["data"]["yaml"]

    assert flags["storage.tsdb.retention.time"] == "45d"
    assert flags["storage.tsdb.retention.size"] == "20GiB"
    assert flags["web.enable-otlp-receiver"] == "true"
    assert set(flags["enable-feature"].split(",")) == {"exemplar-storage", "created-timestamp-zero-ingestion"}
    assert "out_of_order_time_window: 2h" in config
    assert "translation_strategy: UnderscoreEscapingWithSuffixes" in config


def test_the_first_event_of_a_newborn_counter_counts(backends: Backends) -> None:
    born = time.time()
    page = f"# TYPE replays counter\nreplays_total 1.0\nreplays_created {born}\n"
    with backends.scraped("newborn", "") as shown:
        shown.append(page)
        backends.await_result('replays_total{service="newborn"}')

        counted = backends.await_result('increase(replays_total{service="newborn"}[5m]) > 0')

    assert float(counted[0]["value"][1]) > 0.9
    assert counted[0]["metric"].items() >= {"environment": "local", "instance": "newborn-1"}.items()


def test_an_exemplar_of_a_scrape_is_kept_with_its_trace(backends: Backends) -> None:
    page = (
        "# TYPE waited histogram\n"
        f'waited_bucket{{le="1.0"}} 1 # {{trace_id="{TRACE}"}} 0.5 {time.time()}\n'
        'waited_bucket{le="+Inf"} 1\nwaited_count 1\nwaited_sum 0.5\n'
    )
    with backends.scraped("exemplary", page):
        backends.await_result('waited_count{service="exemplary"}')
        now = time.time()
        found = backends.json(
            "prometheus",
            "/api/v1/query_exemplars",
            query='waited_bucket{service="exemplary"}',
            start=str(now - 300),
            end=str(now + 60),
        )["data"]

    assert [one["labels"] for series in found for one in series["exemplars"]] == [{"trace_id": TRACE}]


def test_what_a_service_exposes_claims_no_identity_of_another(backends: Backends) -> None:
    page = '# TYPE claims gauge\nclaims{service="payments",instance="x",environment="prod"} 1\n'
    with backends.scraped("claimant", page):
        found = backends.await_result("claims")

    # Such a signal is refused by the catalogue; what another program exposes is at least told apart.
    assert found[0]["metric"].items() >= {"service": "claimant", "environment": "local"}.items()


def test_what_a_job_pushes_has_the_identity_of_a_target_and_its_first_run_counts(backends: Backends) -> None:
    now = time.time()
    status, answer = backends.push_counter(
        JOB, "pushed.runs", at=now, born=now - 5, point={"result": "success"}
    )
    assert status == 200, answer

    found = backends.await_result("pushed_runs_total")
    counted = backends.await_result("increase(pushed_runs_total[5m]) > 0")

    identity = {"service": "import", "environment": "local", "instance": "host-7", "job": "import"}
    assert found[0]["metric"] == {"__name__": "pushed_runs_total", "result": "success", **identity}
    assert float(counted[0]["value"][1]) > 0.9


def test_a_job_that_pushes_through_the_collector_cannot_claim_another_identity(backends: Backends) -> None:
    now = time.time()
    own = {"service.name": "import", "deployment.environment.name": "local", "service.instance.id": "host-7"}
    claimed = {"service": "payments", "environment": "prod", "instance": "x", "job": "y", "result": "success"}
    sent = backends.push_counter(own, "claimed.runs", at=now, born=now - 5, point=claimed, collected=True)
    assert sent[0] == 200, sent

    (series,) = backends.await_result("claimed_runs_total")

    identity = {"service": "import", "environment": "local", "instance": "host-7", "job": "import"}
    assert series["metric"] == {"__name__": "claimed_runs_total", "result": "success", **identity}


def test_a_scraped_service_and_a_short_run_of_it_are_two_instances_and_each_counts_once(
    backends: Backends,
) -> None:
    page = f"# TYPE twice_runs counter\ntwice_runs_total 1.0\ntwice_runs_created {time.time()}\n"
    with backends.scraped("import", page):
        backends.await_result('twice_runs_total{service="import"}')
        now = time.time()
        # Another run of the same service, too short for a scrape: an instance of its own.
        assert (
            backends.push_counter(JOB, "twice.runs", at=now, born=now - 5, point={}, collected=True)[0] == 200
        )
        backends.await_result('count(twice_runs_total{service="import"}) == 2')

        by_instance = backends.query('sum by (instance) (twice_runs_total{service="import"})')

    assert {one["metric"]["instance"]: one["value"][1] for one in by_instance} == {
        "import-1": "1",
        "host-7": "1",
    }


def test_no_series_carries_a_label_that_begins_with_exported(backends: Backends) -> None:
    now = time.time()
    backends.push_counter(JOB, "labelled.runs", at=now, born=now - 5, point={"instance": "x", "job": "y"})
    backends.await_result("labelled_runs_total")
    backends.await_result('count(up{job=~"stack.*"} == 1) >= 3')

    # A test of this file exposes such labels on purpose.
    labels = backends.json("prometheus", "/api/v1/labels", **{"match[]": '{job!="",service!="claimant"}'})[
        "data"
    ]
    nobody = backends.query('{job!="",service=""} or {job!="",environment=""} or {job!="",instance=""}')

    assert [label for label in labels if label.startswith("exported_")] == []
    assert nobody == []


def test_a_late_sample_inside_the_window_is_taken_and_an_older_one_refused(backends: Backends) -> None:
    now = time.time()
    for minutes, expected in ((0, 200), (100, 200), (150, 400)):
        at = now - 60 * minutes
        status, answer = backends.push_counter(
            JOB, "late.runs", at=at, born=at - 5, point={"minutes": str(minutes)}
        )
        assert status == expected, answer

    kept = backends.query('last_over_time(late_runs_total{minutes="100"}[3h])')

    assert [one["value"][1] for one in kept] == ["1"]
