"""What the page about sizing says to change is taken by the engines themselves."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.engines.collector.running import GATE, program, site

from obs.stack import bundle
from obs.stack.localise import localise

pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "sizing.md").read_text(encoding="utf-8")
FRAGMENTS = dict(re.findall(r"```yaml (\S+)\n(.*?)```", PAGE, re.DOTALL))
#: File -> the engine that reads it, and how it is asked whether it would.
READERS = {
    "stack/prometheus/prometheus.yml": ("promtool", ("check", "config", "--syntax-only", "{}")),
    "collector/collector.yml": ("otelcol", ("validate", GATE, "--config={}")),
    "stack/loki/loki.yml": ("loki", ("-verify-config", "-config.file={}")),
}


def _merged(base: Any, change: Any) -> Any:
    """Return `base` with `change` laid over it: mappings key by key, None takes a key away, the rest replaces."""
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return change
    kept = {key: value for key, value in base.items() if key not in change}
    return kept | {key: _merged(base.get(key), value) for key, value in change.items() if value is not None}


def test_every_block_has_an_engine_that_reads_it() -> None:
    assert FRAGMENTS.keys() == READERS.keys()


@pytest.mark.parametrize("name", READERS)
def test_the_engine_takes_what_the_page_says(name: str, tmp_path: Path) -> None:
    engine, arguments = READERS[name]
    owner = Path(name).stem
    place = site(tmp_path)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "web_authorization").write_text("b2JzOnRlc3Q=", encoding="ascii")
    # What is not there is no reason to refuse it: the page speaks of machines that only its reader has.
    (tmp_path / "collector" / "data").mkdir(parents=True)
    text = localise(bundle.path(*name.split("/")).read_text(encoding="utf-8"), owner, place)
    merged = _merged(yaml.safe_load(text), yaml.safe_load(FRAGMENTS[name]))
    file = tmp_path / Path(name).name
    file.write_text(yaml.safe_dump(merged, sort_keys=False), encoding="utf-8")

    done = subprocess.run(
        [program(engine), *(argument.format(file) for argument in arguments)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", READERS)
def test_the_page_changes_keys_that_are_there(name: str) -> None:
    """A key that was renamed in the file would be changed in vain."""
    base = yaml.safe_load(bundle.path(*name.split("/")).read_text(encoding="utf-8"))
    taken_away = [path for path, value in _leaves(yaml.safe_load(FRAGMENTS[name])) if value is None]

    for path in taken_away:
        found = base
        for key in path:
            assert key in found, f"{name} has no {'.'.join(path)}"
            found = found[key]


def _leaves(of: Any, above: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if not isinstance(of, dict):
        return [(above, of)]
    return [leaf for key, value in of.items() for leaf in _leaves(value, (*above, key))]
