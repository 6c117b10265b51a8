"""`kubernetes:` of a spec: where the objects go, and how the operator finds them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from obs.generate.model import Kubernetes
from obs.generate.spec import fields
from obs.generate.spec.document import Entry, Node
from obs.generate.spec.shape.routing import KUBERNETES, OBJECT_KEY, OBJECT_NAME, OBJECT_VALUE, URL_PATH


def read(node: Node) -> Kubernetes:
    """Return the section; raise `SpecError` for a name or label that Kubernetes would refuse."""
    own = fields.mapping(node, "kubernetes", KUBERNETES.names)
    standard = Kubernetes("")
    return Kubernetes(
        namespace=_matching(
            fields.required(own, "namespace", node, "kubernetes"),
            "kubernetes.namespace",
            OBJECT_NAME,
            "a namespace",
        ),
        labels=_labels(own, "labels"),
        selector=_labels(own, "selector"),
        targets=tuple(
            _matching(item, "kubernetes.targets", OBJECT_NAME, "a namespace")
            for item in (fields.texts(own["targets"].node, "kubernetes.targets") if "targets" in own else ())
        ),
        port=(
            _matching(own["port"].node, "kubernetes.port", OBJECT_NAME, "the name of a port")
            if "port" in own
            else standard.port
        ),
        path=(
            _matching(own["path"].node, "kubernetes.path", URL_PATH, "a path such as /metrics")
            if "path" in own
            else standard.path
        ),
        dashboards=_labels(own, "dashboards") or standard.dashboards,
    )


def _labels(own: Mapping[str, Entry], key: str) -> dict[str, str]:
    if key not in own:
        return {}
    what = f"kubernetes.{key}"
    found = {}
    for name, entry in sorted(fields.mapping(own[key].node, what).items()):
        _matching(Node(entry.key, name), what, OBJECT_KEY, "the name of a label of Kubernetes")
        found[name] = _matching(
            entry.node, f"{what}.{name}", OBJECT_VALUE, "the value of a label of Kubernetes"
        )
    return found


def _matching(node: Node, what: str, pattern: re.Pattern[str], expected: str) -> str:
    value = fields.text(node, what)
    if not pattern.match(value):
        raise fields.refuse(node, f"{what}: got {value!r}, expected {expected}")
    return value
