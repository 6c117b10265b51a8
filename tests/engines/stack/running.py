"""A running stack as tests see it: what to ask of whom, and how to wait for an answer."""

from __future__ import annotations

import base64
import json
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.engines.stack import traces

from obs.stack import native, secret_files
from obs.stack.native import NativeConfig, ServerStatus

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class RunningStack:
    """A native stack of real engines; `traces_by` names what stands in the trace store's place."""

    config: NativeConfig
    servers: Mapping[str, ServerStatus]
    traces_by: str
    environment: Mapping[str, str]

    @classmethod
    def start(
        cls, config: NativeConfig, traces_by: str = "nothing", environment: Mapping[str, str] | None = None
    ) -> RunningStack:
        """Start every server under `environment`, which is this process's own only meanwhile.

        Other stacks and other tests of this process would find what stayed in it.
        """
        environment = environment or {}
        servers = {one.name: one for one in _up(config, environment)}
        return cls(config, servers, traces_by, environment)

    def url(self, name: str) -> str:
        """Return the address of a server."""
        return str(self.servers[name].url)

    @property
    def services_log(self) -> Path:
        """The directory whose files the collector reads."""
        return self.config.directory / "log" / "services"

    @property
    def login(self) -> str:
        """The header that Prometheus and Alertmanager want to see."""
        password = secret_files.read(self.config.directory / "secrets" / secret_files.WEB_PASSWORD)
        return f"Basic {base64.b64encode(f'{secret_files.WEB_USER}:{password}'.encode()).decode()}"

    def ask(self, name: str, path: str, **parameters: Any) -> Any:
        """Return the JSON that a server answers to GET, with the login of those that want one."""
        query = f"?{urllib.parse.urlencode(parameters, doseq=True)}" if parameters else ""
        request = urllib.request.Request(f"{self.url(name)}{path}{query}")  # noqa: S310 - our own server
        if name in ("prometheus", "alertmanager"):
            request.add_header("Authorization", self.login)
        with _direct.open(request, timeout=90) as answer:
            return json.load(answer)

    def query(self, expression: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the result of an instant query of Prometheus."""
        answer = self.ask("prometheus", "/api/v1/query", query=expression, **parameters)
        result = answer["data"]["result"]
        # A scalar is one value without labels.
        return [{"metric": {}, "value": result}] if answer["data"]["resultType"] == "scalar" else result

    def value(self, expression: str) -> float | None:
        """Return the one value of an expression; None where it has none."""
        found = self.query(expression)
        assert len(found) < 2, found
        return float(found[0]["value"][1]) if found else None

    def lines(self, selector: str, *, seconds: int = 3600, limit: int = 5000) -> list[dict[str, Any]]:
        """Return lines of Loki, oldest first: `line`, `at` (nanoseconds) and their labels and metadata."""
        end = time.time_ns()
        answer = self.ask(
            "loki", "/loki/api/v1/query_range",
            query=selector, start=end - seconds * 10**9, end=end + 10**9, limit=limit, direction="forward",
        )  # fmt: skip
        found = [
            {**stream["stream"], "line": line, "at": int(at)}
            for stream in answer["data"]["result"]
            for at, line in stream["values"]
        ]
        return sorted(found, key=lambda one: int(one["at"]))

    def trace(self, trace_id: str, **window: int) -> list[traces.Span]:
        """Return the spans of a trace."""
        return traces.trace(self.url("tempo"), trace_id, **window)

    def alerts(self, **labels: str) -> list[dict[str, Any]]:
        """Return the alerts in Alertmanager that carry `labels`, silenced and inhibited ones too."""
        wanted = [f'{name}="{value}"' for name, value in labels.items()]
        found: list[dict[str, Any]] = self.ask("alertmanager", "/api/v2/alerts", filter=wanted)
        return found

    def again(self) -> None:
        """Start what does not run any more."""
        _up(self.config, self.environment)


def _up(config: NativeConfig, environment: Mapping[str, str]) -> Sequence[ServerStatus]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return native.up(config, tied=True)
