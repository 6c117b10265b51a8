"""`python -m obs.stack.capture [ENGINE@ROUTE]...`: write what the pinned engines tell, or compare it.

Without a name every engine is asked by every route by which it is pinned, and Tempo where it is given. `--check` writes nothing and
ends with 1 when something that was captured is not there any more.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from obs.catalogue.captured.exposition import families
from obs.catalogue.captured.record import FOLDER, Capture, committed, dumps, vanished
from obs.errors import ObsError
from obs.stack import engines
from obs.stack.capture.scenes import SCENES

#: Engine and route: the oldest that we work with, and the newest.
PINNED = (
    ("prometheus", "debian"),
    ("prometheus", "go"),
    ("alertmanager", "debian"),
    ("alertmanager", "go"),
    ("loki", "go"),
    ("otelcol", "go"),
)
#: Programs that no registry serves: asked where one is given.
GIVEN = (("tempo", "path"),)


def capture(name: str, route: str) -> Capture:
    """Start the engine `name` that comes by `route`, provoke it, and return what it tells.

    Raises `StackError` when it cannot be had or does not come to tell what our rules ask.
    """
    engine = engines.install([name], routes=[route])[name]
    with tempfile.TemporaryDirectory(prefix="obs-capture-") as directory:
        text = SCENES[name](engine, Path(directory))
    return Capture(name, str(engine.version), families(text))


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m obs.stack.capture", description="Capture what engines tell."
    )
    parser.add_argument("engines", nargs="*", metavar="ENGINE@ROUTE")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; end with 1 when something is gone"
    )
    chosen = parser.parse_args(arguments)
    given = tuple(one for one in GIVEN if engines.find(*one) is not None)
    pinned = [tuple(one.split("@", 1)) for one in chosen.engines] or PINNED + given
    known = {one.file: one for one in committed()}
    lost = 0
    for name, route in pinned:
        fresh = capture(name, route)
        gone = vanished(known[fresh.file], fresh) if fresh.file in known else []
        lost += len(gone)
        for line in gone:
            print(f"{fresh.file}: {line}")  # noqa: T201 - the data of this command
        if not chosen.check:
            (FOLDER / fresh.file).write_text(dumps(fresh), encoding="utf-8")
            print(f"{fresh.file}: {len(fresh.families)} metrics", file=sys.stderr)  # noqa: T201
    return 1 if chosen.check and lost else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ObsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
