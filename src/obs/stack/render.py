"""Complete the base configuration in `stack/` for the engines at hand; the only door to YAML in this room."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from obs.errors import StackError
from obs.stack import bundle
from obs.stack.duration import milliseconds
from obs.stack.localise import Site, localise
from obs.stack.native_config import NativeConfig, require_file
from obs.stack.ports import Endpoint
from obs.stack.servers import SERVERS
from obs.stack.version import Version

#: Since when Prometheus knows what we ask of it; older ones refuse the key, or warn of the flag.
_SCRAPE_PROTOCOLS_SINCE = Version(2, 49)
_CREATED_TIMESTAMPS_SINCE = Version(2, 50)

#: Tells whose file it is.
HEADER = "# Written by `obs stack up` from {name}; changes are lost at the next start.\n"

_HOST = re.compile(r"^https?://")

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
    name = "stack/small/prometheus.yml"
    document = load(bundle.path(*name.split("/")))
    _set_times(document["global"], config)
    settings = document["global"]
    if version >= _SCRAPE_PROTOCOLS_SINCE:
        # Text before protobuf: only OpenMetrics carries exemplars from the clients of all languages.
        settings["scrape_protocols"] = [
            "OpenMetricsText1.0.0",
            "OpenMetricsText0.0.1",
            "PrometheusText1.0.0",
            "PrometheusText0.0.4",
        ]
    document["rule_files"] = [_literal(path) for path in config.rule_files()]
    if "alertmanager" in endpoints:
        document["alerting"] = {
            "alertmanagers": [{"static_configs": [{"targets": [endpoints["alertmanager"].address]}]}]
        }
    discovery = document["scrape_configs"][0]["file_sd_configs"][0]
    discovery["files"] += [_literal(require_file(path, "target file")) for path in config.target_files]
    environment = config.external_labels.get("environment", "local")
    document["scrape_configs"] += [_own_job(endpoint, environment) for endpoint in endpoints.values()]
    return HEADER.format(name=name) + _dump(document)


def full_prometheus_config(config: NativeConfig, servers: Collection[str], site: Site) -> str:
    """Return the text of prometheus.yml of the full stack: the committed one, scraping who runs here.

    Raises:
        ConfigError: a target file is missing, or an interval is no duration.
        StackError: the committed file names something that the table of servers does not know.
    """
    name = "stack/prometheus/prometheus.yml"
    committed = load(bundle.path(*name.split("/")))
    for job in (*committed["scrape_configs"], *committed["alerting"]["alertmanagers"]):
        if "static_configs" in job:
            job["static_configs"] = _of_running(job["static_configs"], servers)
    document = yaml.safe_load(localise(_dump(committed), "prometheus", site))
    _set_times(document["global"], config)
    for job in document["scrape_configs"]:
        for discovery in job.get("file_sd_configs", ()):
            discovery["files"] += [
                _literal(require_file(path, "target file")) for path in config.target_files
            ]
    return HEADER.format(name=name) + _dump(document)


def collector_without(servers: Collection[str]) -> str:
    """Return the text of an overlay that ends what the collector would send to `servers`; empty for nothing.

    A pipeline must end somewhere: one that loses its only exporter gets `debug`, which prints a count.
    """
    name = "collector/collector.yml"
    committed = load(bundle.path(*name.split("/")))
    dead = {
        exporter
        for exporter, settings in committed["exporters"].items()
        if _HOST.sub("", str((settings or {}).get("endpoint", ""))).partition(":")[0] in servers
    }
    pipelines = {
        pipeline: {"exporters": [one for one in parts["exporters"] if one not in dead] or ["debug"]}
        for pipeline, parts in committed["service"]["pipelines"].items()
        if dead.intersection(parts["exporters"])
    }
    if not pipelines:
        return ""
    document = {"exporters": {"debug": {"verbosity": "basic"}}, "service": {"pipelines": pipelines}}
    return HEADER.format(name=name) + _dump(document)


def _of_running(groups: Sequence[Mapping[str, Any]], servers: Collection[str]) -> list[dict[str, Any]]:
    """Keep the targets that run here: one that does not would count as down."""
    kept = []
    for group in groups:
        targets = [
            target
            for target in group["targets"]
            if (name := target.partition(":")[0]) not in SERVERS or name in servers
        ]
        if targets:
            kept.append({**group, "targets": targets})
    return kept


def _set_times(settings: dict[str, Any], config: NativeConfig) -> None:
    """Put the intervals and labels that were asked for into the part `global`."""
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


def alertmanager_config() -> str:
    """Return the text of alertmanager.yml for a stack that was given none."""
    name = "stack/small/alertmanager.yml"
    base = bundle.path(*name.split("/"))
    return HEADER.format(name=name) + base.read_text(encoding="utf-8")


def shipped_links() -> dict[str, str]:
    """Return, for each server, the address that generated files about the stack lead to, without a path."""
    links = load(bundle.path("specs", "stack", "defaults.yml"))["links"]
    return {name: "/".join(str(address).split("/")[:3]) for name, address in links.items()}


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


def _dump(document: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(dict(document), sort_keys=False, width=110))


def _literal(path: Path) -> str:
    return _GLOB.sub(r"\\\1", str(path))
