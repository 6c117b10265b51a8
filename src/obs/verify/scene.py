"""The stage of the drill: engines, generated rules, the shop and the runbooks, up and down again."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import final

from obs.errors import VerifyError
from obs.generate import pipeline
from obs.stack import bundle, native, process
from obs.stack.ports import Endpoint
from obs.stack.progress import Report, Step
from obs.verify import shop
from obs.verify.drill import Drill
from obs.verify.load import Load
from obs.verify.places import require_all_free
from obs.verify.prometheus import target_health
from obs.verify.webhook import Webhook

#: The environment whose overlay in specs/shop shortens every window.
ENVIRONMENT = "demo"
#: How often services are scraped and rules are evaluated.
INTERVAL = "1s"
#: The alert that the drill follows.
ALERT = "HttpErrorRatioHigh"
#: Requests a second, and the longest time the load goes on while nobody ends the demo.
RATE = 10.0
LONGEST_LOAD_S = 3600.0
_HEALTHY_WITHIN_S = 30.0
#: Calls before the fault: a ratio over nothing is no ratio.
_WARM_UP_CALLS = 20


@final
class Scene:
    """Everything the drill needs, as a context manager: up on entering, gone on leaving.

    `routes` are the ways by which engines may be had, see `obs.stack.engines.install`; `check` is
    called between two steps of going up, and what it raises ends the scene.
    Entering raises `StackError` for a taken port and for a process that does not come up.
    """

    def __init__(
        self,
        places: Mapping[str, Endpoint],
        *,
        routes: Sequence[str] | None = None,
        report: Report | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.places = places
        self._routes = routes
        self._report = report
        self._check = check
        self._undo = ExitStack()
        self._webhook = Webhook(places["notifications"].port)

    def __enter__(self) -> Scene:
        with self._undo:
            require_all_free(self.places)
            directory = Path(tempfile.mkdtemp(prefix="obs-demo-"))
            self._undo.callback(shutil.rmtree, directory, ignore_errors=True)
            self._undo.enter_context(self._webhook)
            generated = directory / "generated"
            self._generate(generated)
            for program in shop.programs(self.places, directory, generated / "runbooks", ENVIRONMENT):
                self._check()
                running = process.start(program, report=self._report)
                self._undo.callback(process.stop, running, report=self._report)
            self._check()
            self._start_engines(directory / "engines", generated)
            self._check()
            # All is up: from here on it is `__exit__` that undoes it.
            self._undo = self._undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._undo.close()

    @property
    def links(self) -> dict[str, str]:
        """What a person may open, by name."""
        return {
            "storefront": f"{self.places['storefront'].url}/docs",
            "alerts": f"{self.places['prometheus'].url}/alerts",
            "notifications": f"{self.places['alertmanager'].url}/#/alerts",
            "runbooks": f"{self.places['runbooks'].url}/",
        }

    def load(self) -> Load:
        """Return the customers, who come as long as nobody ends the demo, but not for ever."""
        calls = shop.customers(self.places["storefront"].url)
        return Load(calls, rate=RATE, duration=LONGEST_LOAD_S)

    def drill(self, seen: Callable[[str, float], None]) -> Drill:
        """Return the drill on this scene; `seen` is called with each step and its seconds."""
        return Drill(
            prometheus=self.places["prometheus"].url,
            alertmanager=self.places["alertmanager"].url,
            webhook=self._webhook,
            alert=ALERT,
            labels={"service": shop.BROKEN},
            seen=seen,
        )

    def await_healthy(self, load: Load) -> None:
        """Wait until Prometheus scrapes every service and the load has warmed up.

        Raises `VerifyError` when that does not happen within half a minute.
        """
        step = Step("waiting for the first scrapes", self._report)
        while True:
            health = target_health(self.places["prometheus"].url)
            sick = [service for service in shop.SERVICES if health.get(service) != "up"]
            if not sick and load.sent >= _WARM_UP_CALLS:
                break
            if step.seconds > _HEALTHY_WITHIN_S:
                seen = ", ".join(f"{name}: {health.get(name, 'no target')}" for name in sick)
                raise VerifyError(
                    f"the shop is not healthy after {_HEALTHY_WITHIN_S:g} s:"
                    f" {seen or f'only {load.sent} calls were answered'}"
                )
            step.tell()
            time.sleep(0.1)
        step.tell(finished=True)

    def break_it(self) -> None:
        """Turn the fault switch on: every second charge fails. Raises `VerifyError`."""
        shop.break_(self.places[shop.BROKEN].url)

    def repair_it(self) -> None:
        """Turn the fault switch off. Raises `VerifyError`."""
        shop.repair(self.places[shop.BROKEN].url)

    def _generate(self, out: Path) -> None:
        links = {
            "runbooks": f"{self.places['runbooks'].url}/runbooks",
            "prometheus": self.places["prometheus"].url,
            "alertmanager": self.places["alertmanager"].url,
            "webhook": self._webhook.url,
        }
        specs = [bundle.path("specs", "shop")]
        pipeline.write(pipeline.plan(specs, environment=ENVIRONMENT, links=links), out)

    def _start_engines(self, state: Path, generated: Path) -> None:
        config = native.NativeConfig(
            directory=state,
            ports={name: self.places[name].port for name in ("prometheus", "alertmanager")},
            rules=[generated / "alerts" / "prometheus"],
            targets=[
                native.Target(
                    self.places[service].address,
                    {"service": service, "environment": ENVIRONMENT, "instance": f"{service}-1"},
                )
                for service in shop.SERVICES
            ],
            alertmanager_config=generated / "alerts" / "alertmanager.yml",
            scrape_interval=INTERVAL,
            evaluation_interval=INTERVAL,
            routes=self._routes,
        )
        self._undo.callback(native.down, state, report=self._report)
        native.up(config, tied=True, report=self._report)
