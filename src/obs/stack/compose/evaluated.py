"""What Prometheus and Loki of the containers evaluate and scrape: the rules about who runs, and the shop where it does.

Rules and targets of a shop that nobody started would tell of an outage that is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from obs.errors import StackError
from obs.stack import bundle
from obs.stack.servers import SHOP
from obs.stack.shipped_rules import is_about, shipped_rules
from obs.stack.whole import write_whole

#: The engines that have rules, and the file of the shop's targets.
_ENGINES, _SHOP_TARGETS = ("prometheus", "loki"), "shop.json"


def prepare(directory: Path, addresses: Mapping[str, str], *, shop: bool, tls: bool = False) -> bool:
    """Write `rules/` and `targets/` below `directory`; return whether Prometheus has to read its rules again.

    Links in what ships lead to `addresses`, such as ``{"grafana": "http://127.0.0.1:3000"}``. Under `tls` the shop is
    scraped with it. Files that somebody else has put there stay.

    Raises:
        StackError: the directory cannot be written, or the installation is incomplete.
    """
    try:
        changed = [
            _fill(directory / "rules" / engine, dict(shipped_rules(engine, addresses)), shop=shop)
            for engine in _ENGINES
        ]
        _fill(directory / "targets", {_SHOP_TARGETS: _targets(tls=tls)}, shop=shop)
    except OSError as error:
        raise StackError(
            f"cannot write what is evaluated: {error.strerror}", where=str(error.filename or directory)
        ) from None
    return changed[0]


def addresses(project: Mapping[str, Any]) -> dict[str, str]:
    """Return where people open each server of the resolved `project`."""
    return {name: address.rstrip("/") for name, address in project.get("x-addresses", {}).items()}


def _targets(*, tls: bool) -> str:
    text = bundle.path("stack", "prometheus", "targets", _SHOP_TARGETS).read_text(encoding="utf-8")
    if not tls:
        return text
    groups = json.loads(text)
    for group in groups:
        group["labels"]["__scheme__"] = "https"
    return json.dumps(groups, indent=2) + "\n"


def _fill(folder: Path, files: Mapping[str, str], *, shop: bool) -> bool:
    """Bring the files of ours in `folder` into order; return whether anything was different."""
    folder.mkdir(parents=True, exist_ok=True)
    # Read by the users of the containers, whatever the mask of this one.
    folder.chmod(0o755)
    changed = False
    for name, text in files.items():
        file = folder / name
        wanted = shop or not (name == _SHOP_TARGETS or is_about(name, SHOP))
        if not wanted and file.exists():
            file.unlink()
            changed = True
        elif wanted and not (file.is_file() and file.read_text(encoding="utf-8") == text):
            # Whole or not at all: a server that runs may read it at any moment, as any user.
            write_whole(file, text, mode=0o644)
            changed = True
    return changed
