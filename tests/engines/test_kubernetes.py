"""Objects for Kubernetes, judged by the schemas that the operator of Prometheus itself installs."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator

from obs.generate import pipeline
from obs.stack.routes.golang import _compiler

pytestmark = pytest.mark.engines

SPECS = Path(__file__).parents[2] / "specs" / "shop"
#: The operator's own module; its schemas stand among its examples.
OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
CRDS = "example/prometheus-operator-crd"


def _closed(schema: Any) -> Any:
    """Return a schema that also refuses unknown keys, which Kubernetes would drop without a word."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("pattern"), str):
        # Go takes flags anywhere, Python at the beginning only.
        closed["pattern"] = schema["pattern"].replace("^(?i)", "(?i)^")
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    if "properties" in schema and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


@pytest.fixture(scope="module")
def judges() -> dict[str, Validator]:
    """The judge of each kind of object."""
    asked = subprocess.run(
        [_compiler(), "mod", "download", "-json", OPERATOR],
        capture_output=True, text=True, check=False, timeout=600, env={**os.environ, "GOFLAGS": "-mod=mod"},
    )  # fmt: skip
    assert asked.returncode == 0, asked.stdout + asked.stderr
    found: dict[str, Validator] = {}
    for name in ("prometheusrules", "servicemonitors"):
        path = Path(json.loads(asked.stdout)["Dir"], CRDS, f"monitoring.coreos.com_{name}.yaml")
        crd = yaml.safe_load(path.read_text(encoding="utf-8"))
        (version,) = (one for one in crd["spec"]["versions"] if one["name"] == "v1")
        schema = version["schema"]["openAPIV3Schema"]
        # What every object has beside its own, Kubernetes knows itself.
        schema["properties"]["metadata"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        found[crd["spec"]["names"]["kind"]] = Draft202012Validator(_closed(schema))
    return found


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The objects of the shop, as if its specs asked for them."""
    specs = tmp_path_factory.mktemp("specs")
    for spec in SPECS.glob("*.yml"):
        text = spec.read_text(encoding="utf-8")
        if spec.name == "defaults.yml":
            text += "kubernetes: {namespace: monitoring, labels: {release: stack}, targets: [shop]}\n"
        (specs / spec.name).write_text(text, encoding="utf-8")
    plan = pipeline.plan([specs])
    return [yaml.safe_load(artefact.text) for artefact in plan if artefact.path.parts[0] == "kubernetes"]


def test_every_object_of_the_shop_fits_the_operator_s_schema(
    objects: list[dict[str, Any]], judges: dict[str, Validator]
) -> None:
    assert {one["kind"] for one in objects} == {"ConfigMap", *judges}
    for one in objects:
        if one["kind"] in judges:
            judges[one["kind"]].validate(one)
        else:
            assert set(one) == {"apiVersion", "kind", "metadata", "data"}


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "severity"), "page"),
        ("PrometheusRule", ("spec", "groups", 0, "interval"), "soon"),
        ("ServiceMonitor", ("spec", "endpoints", 0, "scrape"), "15s"),
        ("ServiceMonitor", ("spec", "endpoints", 0, "relabelings", 0, "action"), "set"),
    ],
)
def test_the_schema_refuses_what_the_operator_would(
    objects: list[dict[str, Any]], judges: dict[str, Validator], kind: str, path: tuple[Any, ...], value: str
) -> None:
    one = copy.deepcopy(next(found for found in objects if found["kind"] == kind))
    place: Any = one
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    with pytest.raises(ValidationError):
        judges[kind].validate(one)
