"""The stack as containers, seen from outside: the command line, the published ports, and Docker's own view."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.engines.compose.engine import Docker

Found = TypeVar("Found")

#: The engine is nobody else's, so the name that the compose file gives is free.
PROJECT = "obs"
PUBLISHED = (
    *("prometheus", "alertmanager", "loki", "tempo", "collector", "collector.otlp_grpc"),
    *("grafana", "runbooks", "storefront"),
)
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Containers:
    """A running stack: its engine, where it keeps its secrets, the port of each server, what it watched at each start."""

    docker: Docker
    directory: Path
    ports: Mapping[str, int]
    contents: Mapping[str, str]
    seen: list[set[str]]

    def watched(self) -> set[str]:
        """Return the services that rules of Prometheus name, or that it scrapes."""
        rules = self.ask(self.url("prometheus", "/api/v1/rules"), login=True)["data"]["groups"]
        targets = self.ask(self.url("prometheus", "/api/v1/targets"), login=True)["data"]["activeTargets"]
        found = {one["labels"]["service"] for one in targets}
        return found | {
            rule["labels"]["service"]
            for group in rules
            for rule in group["rules"]
            if "service" in rule["labels"]
        }

    @property
    def password(self) -> str:
        """What Prometheus and Alertmanager ask for."""
        return (self.directory / "secrets" / "web_password").read_text()

    def url(self, server: str, path: str = "") -> str:
        """Return the address of a published server."""
        return f"http://127.0.0.1:{self.ports[server]}{path}"

    def obs(self, command: str, *arguments: str, within: float = 300.0) -> subprocess.CompletedProcess[str]:
        """Run `obs stack COMMAND --runtime compose` on this stack."""
        return subprocess.run(
            [
                *(sys.executable, "-m", "obs", "stack", command),
                *("--runtime", "compose", "--dir", str(self.directory)),
                *arguments,
            ],
            env=dict(self.docker.environment),
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def inspect(self) -> dict[str, dict[str, Any]]:
        """Return what `docker inspect` tells of each container, by the name of its service."""
        names = self.docker.run("ps", "--all", "--quiet").split()
        found = json.loads(self.docker.run("inspect", *names))
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def printed(self, service: str) -> str:
        """Return everything that a service has printed, to both streams."""
        return self.docker.printed(f"{PROJECT}-{service}-1")

    def ask(self, url: str, *, login: bool = False, **query: str) -> Any:
        """Return the JSON at `url`."""
        request = urllib.request.Request(f"{url}?{urllib.parse.urlencode(query)}" if query else url)  # noqa: S310
        if login:
            request.add_header("Authorization", f"Basic {self.authorization}")
        with _direct.open(request, timeout=60) as answer:
            return json.load(answer)

    @property
    def authorization(self) -> str:
        """The same as a header wants it."""
        return (self.directory / "secrets" / "web_authorization").read_text()

    def status(self, url: str, authorization: str = "") -> int:
        """Return the status that GET `url` answers."""
        request = urllib.request.Request(url)  # noqa: S310
        if authorization:
            request.add_header("Authorization", f"Basic {authorization}")
        try:
            with _direct.open(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the result of a PromQL expression."""
        url = self.url("prometheus", "/api/v1/query")
        found: list[dict[str, Any]] = self.ask(url, login=True, query=expression)["data"]["result"]
        return found

    def lines(self, query: str) -> list[str]:
        """Return the lines that a LogQL query finds in the last hour."""
        url = self.url("loki", "/loki/api/v1/query_range")
        start = str(int((time.time() - 3600) * 1e9))
        found = self.ask(url, query=query, limit="5000", start=start)["data"]["result"]
        return [line for stream in found for _, line in stream["values"]]

    def buy(self, trace: str = "", quantity: int = 2) -> dict[str, Any]:
        """Order tea at the storefront, as part of `trace` if one is given."""
        request = urllib.request.Request(  # noqa: S310
            self.url("storefront", "/orders"),
            data=json.dumps({"sku": "tea", "quantity": quantity}).encode(),
            headers={"Content-Type": "application/json"},
        )
        if trace:
            request.add_header("traceparent", f"00-{trace}-00f067aa0ba902b7-01")
        with _direct.open(request, timeout=60) as answer:
            order: dict[str, Any] = json.load(answer)
            return order


def await_found(look: Callable[[], Found], what: str, within: float = 90.0) -> Found:
    """Return the first result of `look` that is not empty; the limit only ends a failed test."""
    deadline = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < deadline, f"not found within {within:g} s: {what}"
        time.sleep(0.3)
    return found
