"""Objects for Kubernetes: the same rules and dashboards as in the files, under names that it takes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from obs.errors import SpecError
from obs.generate import pipeline
from obs.generate.model import Artefact, Kubernetes
from obs.generate.render import kubernetes
from obs.generate.spec.load import load

SPECS = Path(__file__).parents[2] / "specs" / "shop"
SETTING = Kubernetes("monitoring", {"release": "stack"})


def _spec(folder: Path, extra: str = "") -> Path:
    spec = folder / "a.yml"
    spec.write_text(
        "version: obs/v1\nservice: {name: My_svc, team: one}\n"
        f"kubernetes: {{namespace: monitoring, labels: {{release: stack}}{extra}}}\n",
        encoding="utf-8",
    )
    return spec


def _objects(spec: Path) -> dict[PurePosixPath, dict[str, Any]]:
    return {
        artefact.path: yaml.safe_load(artefact.text)
        for artefact in pipeline.plan([spec])
        if artefact.path.parts[0] == "kubernetes"
    }


def test_a_spec_that_does_not_ask_gets_no_objects() -> None:
    assert [a for a in pipeline.plan([SPECS]) if a.path.parts[0] == "kubernetes"] == []


def test_every_object_has_a_name_that_kubernetes_takes_and_the_labels_that_were_asked_for(
    tmp_path: Path,
) -> None:
    objects = list(_objects(_spec(tmp_path)).values())

    assert {one["kind"] for one in objects} == {"PrometheusRule", "ServiceMonitor", "ConfigMap"}
    for one in objects:
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", one["metadata"]["name"])
        assert one["metadata"]["namespace"] == "monitoring"
        assert one["metadata"]["labels"]["release"] == "stack"
    names = [(one["kind"], one["metadata"]["name"]) for one in objects]
    assert len(names) == len(set(names))


def test_two_services_whose_names_look_alike_to_kubernetes_keep_apart() -> None:
    service = load([SPECS])[0]
    names = {
        yaml.safe_load(kubernetes.monitor(replace(service, name=name), SETTING).text)["metadata"]["name"]
        for name in ("a-b", "a_b", "A-b", "a-b-")
    }

    assert len(names) == 4
    assert "obs-a-b-monitor" in names


def test_rules_are_those_of_the_files(tmp_path: Path) -> None:
    artefacts = pipeline.plan([_spec(tmp_path)])
    files = [
        a for a in artefacts if a.path.parts[:2] == ("alerts", "prometheus") and "fleet" not in a.path.name
    ]
    objects = {a.path.name: yaml.safe_load(a.text) for a in artefacts if a.path.parts[0] == "kubernetes"}

    assert files
    for file in files:
        assert objects[f"{file.path.stem}-rules.yml"]["spec"] == yaml.safe_load(file.text)


def test_the_dashboard_is_the_one_of_the_file_and_the_sidecar_finds_it(tmp_path: Path) -> None:
    artefacts = {a.path: a for a in pipeline.plan([_spec(tmp_path)])}
    written = yaml.safe_load(artefacts[PurePosixPath("kubernetes/My_svc-dashboard.yml")].text)

    assert json.loads(written["data"]["My_svc.json"]) == json.loads(
        artefacts[PurePosixPath("dashboards/one/My_svc.json")].text
    )
    assert written["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert written["metadata"]["annotations"] == {"grafana_folder": "one"}


def test_the_labels_of_the_sidecar_are_the_spec_s_choice(tmp_path: Path) -> None:
    objects = _objects(_spec(tmp_path, ", dashboards: {my-dashboards: 'yes'}"))
    labels = objects[PurePosixPath("kubernetes/My_svc-dashboard.yml")]["metadata"]["labels"]

    assert labels["my-dashboards"] == "yes"
    assert "grafana_dashboard" not in labels


def test_who_is_scraped_gets_the_identity_that_rules_ask_for(tmp_path: Path) -> None:
    extra = ", selector: {app: x}, targets: [shop, shop-two], port: http, path: /m"
    spec = _objects(_spec(tmp_path, extra))[PurePosixPath("kubernetes/My_svc-monitor.yml")]["spec"]
    (endpoint,) = spec["endpoints"]

    assert spec["selector"] == {"matchLabels": {"app": "x"}}
    assert spec["namespaceSelector"] == {"matchNames": ["shop", "shop-two"]}
    assert (endpoint["port"], endpoint["path"], endpoint["interval"]) == ("http", "/m", "15s")
    assert endpoint["relabelings"] == [
        {
            "action": "replace",
            "sourceLabels": ["__meta_kubernetes_namespace"],
            "targetLabel": "environment",
        },
        {"action": "replace", "targetLabel": "service", "replacement": "My_svc"},
    ]


def test_an_environment_that_the_spec_names_wins_over_the_namespace() -> None:
    service = replace(load([SPECS])[0], select={"environment": "demo", "service": "payments"})
    (endpoint,) = yaml.safe_load(kubernetes.monitor(service, SETTING).text)["spec"]["endpoints"]

    assert [rule.get("replacement") for rule in endpoint["relabelings"]] == ["demo", "payments"]


def test_a_dashboard_that_no_config_map_holds_is_an_error() -> None:
    service = load([SPECS])[0]

    def page(size: int) -> Artefact:
        return Artefact(PurePosixPath("dashboards/a.json"), json.dumps(["x" * (size - 4)]))

    kubernetes.dashboard(service, SETTING, page(kubernetes.MOST_BYTES))
    with pytest.raises(SpecError, match=r"1,048,577 bytes, and a ConfigMap holds 1,048,576"):
        kubernetes.dashboard(service, SETTING, page(kubernetes.MOST_BYTES + 1))
