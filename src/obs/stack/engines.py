"""Find and install the engines: the real Prometheus, promtool, Alertmanager and amtool.

Routes, tried in this order unless chosen: what is in the cache already, a program on PATH, the upstream
release, the distribution's Debian package, a build from source with Go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from obs.errors import ConfigError, StackError, suggest
from obs.stack import cache
from obs.stack.engine import Engine, RouteClosed, runs
from obs.stack.home import named
from obs.stack.progress import Report
from obs.stack.routes import debian, download, golang, path
from obs.stack.table import ENGINES, EngineFacts, facts_of
from obs.stack.version import Version

Fetch = Callable[[list[EngineFacts], Report | None], list[Engine]]

#: Route -> how it fetches engines; the order is the order of trying, quickest first.
ROUTES: Mapping[str, Fetch] = MappingProxyType(
    {"path": path.fetch, "download": download.fetch, "debian": debian.fetch, "go": golang.fetch}
)


def find(name: str, route: str | None = None, *, floor: Version | None = None) -> Engine | None:
    """Return the engine `name` from the cache (newest version first) or PATH, or None; never installs.

    With `route`, only an engine that came by this route counts; `floor` asks for more than the least that
    works. A program that the user names in the environment comes before the cache. One in the cache that does not run is
    passed over, so that it is installed again.

    Raises:
        ConfigError: no engine or no route has this name.
    """
    facts = facts_of(name)
    if floor is not None:
        facts = replace(facts, floor=max(floor, facts.floor))
    if route is not None:
        _check_route(route)
    is_named = facts.variable and named(facts.variable) is not None
    if route != "path" and not is_named:
        for engine in cache.cached(name, route):
            if engine.version >= facts.floor and runs(engine.path):
                return engine
    if route in (None, "path"):
        try:
            return path.locate(facts)
        except StackError:
            return None
    return None


def install(
    names: Iterable[str] = tuple(ENGINES),
    *,
    routes: Sequence[str] | None = None,
    floors: Mapping[str, Version] = MappingProxyType({}),
    report: Report | None = None,
) -> dict[str, Engine]:
    """Return every engine of `names`, installed where it is missing.

    Args:
        names: which engines; all by default.
        routes: the routes to try, in this order; an engine in the cache counts when it came by one of
            them. By default every route, and the cache whatever it came by.
        floors: least versions by engine, above those that work at all.
        report: is called with the progress of whatever takes time.

    Raises:
        ConfigError: an unknown engine or route.
        StackError: an engine could be had by no route, and the message says for each why not; or the
            cache cannot be written.
    """
    facts = {name: facts_of(name) for name in names}
    for name in facts.keys() & floors.keys():
        facts[name] = replace(facts[name], floor=max(floors[name], facts[name].floor))
    for route in routes or ():
        _check_route(route)
    found: dict[str, Engine] = {}
    for name, one in facts.items():
        for came_by in routes or (None,):
            engine = find(name, came_by, floor=one.floor)
            if engine is not None:
                # Each further look would start the program once more to ask for its version.
                found[name] = engine
                break
    reasons: list[str] = []
    for route in routes or ROUTES:
        missing = [facts[name] for name in facts if name not in found]
        reasons += [f"{route} of {one.name}: not to be had so" for one in missing if route not in one.routes]
        missing = [one for one in missing if route in one.routes]
        for engine in _take(route, missing, report, reasons):
            found[engine.name] = engine
    missing_names = [name for name in facts if name not in found]
    if missing_names:
        raise StackError(
            f"could not get {', '.join(missing_names)}; tried\n    " + "\n    ".join(reasons),
            hint="install them in your own way and put them on PATH",
        )
    return {name: found[name] for name in facts}


def _take(
    route: str, missing: list[EngineFacts], report: Report | None, reasons: list[str]
) -> Iterator[Engine]:
    """Yield what `route` brings of the missing engines; `reasons` takes why it does not bring others."""
    for group in _together(missing, route):
        try:
            yield from ROUTES[route](group, report)
        except cache.CacheClosed:  # noqa: PERF203 - one turn of this loop fetches a program
            raise
        except RouteClosed as error:
            reasons.append(f"{route}: {error}")
            return
        except StackError as error:
            reasons.append(f"{route} of {', '.join(facts.name for facts in group)}: {error}")
        except OSError as error:
            # A full disk, most likely, which each route meets at another place.
            names = ", ".join(facts.name for facts in group)
            reasons.append(f"{route} of {names}: {error.strerror} ({error.filename or cache.directory()})")


def _together(missing: list[EngineFacts], route: str) -> list[list[EngineFacts]]:
    """Group engines that one archive, package or build brings at once, so that one failure stays one."""
    groups: dict[str, list[EngineFacts]] = {}
    for facts in missing:
        key = {"path": facts.name, "go": facts.go_directory}.get(route, facts.product.name)
        groups.setdefault(key, []).append(facts)
    return list(groups.values())


def _check_route(route: str) -> None:
    if route not in ROUTES:
        raise ConfigError(
            f"no route is called {route!r}: there are {', '.join(ROUTES)}", hint=suggest(route, ROUTES)
        )
