"""The rule files that ship, with links that lead to the servers at hand, and whom each is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from obs.stack import bundle, render


def shipped_rules(engine: str, addresses: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield name and text of every rule file of `engine`, links into `addresses` (``{"grafana": "http://..."}``).

    Raises:
        StackError: the installation is incomplete.
    """
    links = {
        shipped: addresses[name] for name, shipped in render.shipped_links().items() if name in addresses
    }
    for file in sorted(bundle.path("alerts", engine).glob("*.yml")):
        text = file.read_text(encoding="utf-8")
        for shipped, address in links.items():
            text = text.replace(shipped, address)
        yield file.name, text


def is_about(file: str, services: Iterable[str]) -> bool:
    """Tell whether a rule file is about one of `services`, which has several: loki.yml, loki-slow-targets.yml."""
    stem = file.rpartition(".")[0]
    return any(stem == name or stem.startswith(f"{name}-") for name in services)
