"""Lines of pods, as the kubelet of a node keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.engines.collector.backend import Backend
from tests.engines.collector.running import Collector, running, site
from tests.engines.waiting import await_

from obs.stack import bundle

pytestmark = pytest.mark.engines

POD = "shop_storefront-5d9c7_0191f3e4-7b1c-7d3e-a1b2-0123456789ab"
STACK = "collector_obs-collector-abc_0191f3e4-7b1c-7d3e-a1b2-0123456789ac"


def _cri(text: str, tag: str = "F") -> str:
    return f"2026-11-22T09:00:00.123456789Z stdout {tag} {text}\n"


def test_lines_of_pods_are_those_of_files_without_what_the_runtime_adds(
    tmp_path: Path, backend: Backend
) -> None:
    pods = tmp_path / "pods"
    overlay = bundle.path("collector", "kubernetes.yml").read_text(encoding="utf-8")
    overlay = overlay.replace("/var/log/pods", str(pods))
    line = json.dumps(
        {"service": "storefront", "environment": "test", "level": "error", "message": "first", "n": 7}
    )
    long = json.dumps({"service": "storefront", "level": "info", "message": "in parts " + "x" * 100})
    file = pods / POD / "app" / "0.log"
    file.parent.mkdir(parents=True)
    file.write_text(
        _cri(line) + _cri(long[:50], "P") + _cri(long[50:]) + _cri("plain words"), encoding="utf-8"
    )
    older = pods / POD / "docker" / "0.log"
    older.parent.mkdir(parents=True)
    docker = {"log": "by docker\n", "stream": "stdout", "time": "2026-11-22T09:00:00.123456789Z"}
    older.write_text(json.dumps(docker) + "\n", encoding="utf-8")
    own = pods / STACK / "collector" / "0.log"
    own.parent.mkdir(parents=True)
    own.write_text(_cri("about itself"), encoding="utf-8")
    place = site(tmp_path / "place", loki_http=backend.http_port)
    with running(Collector(place, overlays=[overlay])):
        await_(lambda: len(list(backend.received.records())) >= 4, "every line arrived")
    found = {
        record.body.string_value[:8]: (
            {item.key: item.value.string_value for item in group.resource.attributes},
            {item.key for item in record.attributes},
        )
        for request in backend.received.logs
        for group in request.resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    }
    assert set(found) == {"first", "in parts", "plain wo", "by docke"}
    resource, fields = found["first"]
    assert (resource["service"], resource["environment"]) == ("storefront", "test")
    assert resource["k8s.pod.name"] == "storefront-5d9c7"
    assert resource["k8s.namespace.name"] == "shop"
    assert {"level", "n"} <= fields
    assert found["in parts"][0]["service"] == "storefront"
    # Whoever writes no service has the name of the container.
    assert found["plain wo"][0]["service"] == "app"
    assert found["by docke"][0]["service"] == "docker"
