"""`python -m obs` and the `obs` command: one sentence when the toolchain is not installed."""

from __future__ import annotations

import gc
import io
import sys

from obs.errors import MissingExtra, ObsError


def main() -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A file's name or a dashboard's title may hold what no encoding writes; in JSON this is an escape.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        from obs.cli.main import run
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        missing = MissingExtra("the obs command", "click", "tools")
        print(f"error: {missing}", file=sys.stderr)  # noqa: T201
        return ObsError.exit_code
    code = run(sys.argv[1:])
    # The process ends, and its memory with it: no last search through all of it for garbage.
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(main())
