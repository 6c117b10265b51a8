"""Complete the base configuration in `stack/` for the engines at hand; the only door to YAML in this room."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from obs.errors import StackError
from obs.stack import bundle
from obs.stack.duration import milliseconds
from obs.stack.native_config import NativeConfig, require_file
from obs.stack.ports import Endpoint
from obs.stack.version import Version

#: Since when Prometheus knows what we ask of it; older ones refuse the key, or warn of the flag.
_SCRAPE_PROTOCOLS_SINCE = Version(2, 49)
_CREATED_TIMESTAMPS_SINCE = Version(2, 50)

_HEADER = "# Written by `obs stack up` from stack/{name}; changes are lost at the next start.\n"

#: Prometheus expands these in `rule_files` and in the paths of file_sd.
_GLOB = re.compile(r"([*?\[\]\\])")


def prometheus_features(version: Version) -> list[str]:
    """Return the feature flags for a Prometheus of this version.

    Exemplars lead from a panel to a trace. Created timestamps let a counter's first event count, which
    `rate` cannot see otherwise.
    """
    features = ["exemplar-storage"]
    if version >= _CREATED_TIMESTAMPS_SINCE:
        features.append("created-timestamp-zero-ingestion")
    return features


def prometheus_config(config: NativeConfig, endpoints: Mapping[str, Endpoint], version: Version) -> str:
    """Return the text of prometheus.yml.

    Raises:
        ConfigError: a rule file or target file is missing, or an interval is no duration.
    """
    name = "small/prometheus.yml"
    document = load(bundle.path("stack", *name.split("/")))
    settings = document["global"]
    if config.scrape_interval is not None:
        length = milliseconds(config.scrape_interval, "scrape interval")
        settings["scrape_interval"] = config.scrape_interval
        if length < milliseconds(settings["scrape_timeout"], "scrape timeout"):
            settings["scrape_timeout"] = config.scrape_interval
    if config.evaluation_interval is not None:
        milliseconds(config.evaluation_interval, "evaluation interval")
        settings["evaluation_interval"] = config.evaluation_interval
    if config.external_labels:
        settings["external_labels"] = dict(config.external_labels)
    if version >= _SCRAPE_PROTOCOLS_SINCE:
        # Text before protobuf: only OpenMetrics carries exemplars from the clients of all languages.
        settings["scrape_protocols"] = [
            "OpenMetricsText1.0.0",
            "OpenMetricsText0.0.1",
            "PrometheusText1.0.0",
            "PrometheusText0.0.4",
        ]
    document["rule_files"] = [_literal(path) for path in config.rule_files()]
    document["alerting"] = {
        "alertmanagers": [{"static_configs": [{"targets": [endpoints["alertmanager"].address]}]}]
    }
    discovery = document["scrape_configs"][0]["file_sd_configs"][0]
    discovery["files"] += [_literal(require_file(path, "target file")) for path in config.target_files]
    environment = config.external_labels.get("environment", "local")
    document["scrape_configs"] += [_own_job(endpoint, environment) for endpoint in endpoints.values()]
    return _HEADER.format(name=name) + str(yaml.safe_dump(document, sort_keys=False, width=110))


def alertmanager_config() -> str:
    """Return the text of alertmanager.yml for a stack that was given none."""
    name = "small/alertmanager.yml"
    base = bundle.path("stack", *name.split("/"))
    return _HEADER.format(name=name) + base.read_text(encoding="utf-8")


def targets(config: NativeConfig) -> str:
    """Return the text of targets.json, in Prometheus' file_sd format."""
    groups = [{"targets": [target.address], "labels": dict(target.labels)} for target in config.targets]
    return json.dumps(groups, indent=2) + "\n"


def load(path: Path) -> dict[str, Any]:
    """Return a bundled YAML file as a mapping.

    Raises:
        StackError: it holds no mapping.
    """
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise StackError("a bundled configuration file is damaged", where=str(path))
    return document


def _own_job(endpoint: Endpoint, environment: str) -> dict[str, Any]:
    labels = {"service": endpoint.name, "environment": environment, "instance": endpoint.name}
    return {
        "job_name": endpoint.name,
        "static_configs": [{"targets": [endpoint.address], "labels": labels}],
    }


def _literal(path: Path) -> str:
    return _GLOB.sub(r"\\\1", str(path))
