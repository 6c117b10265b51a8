"""Run every benchmark and print its table; `--write` puts the tables into the pages that have a place for them."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

from bench.table import Table

HERE = Path(__file__).parent
PAGES = tuple(HERE.parent / "docs" / "explanation" / name for name in ("performance.md", "sizing.md"))
#: What a script is left out without, unless it is asked for by name.
ENGINES = {"stack": "otelcol"}
#: Around each script's table in the page; what stands between them is replaced.
BEGIN, END = "<!-- table: {} -->", "<!-- end of table -->"
#: What users feel first; scripts that are not named follow.
ORDER = ("request", "log", "metrics", "scrape", "import", "exit", "fork", "memory", "redaction", "span")


def scripts() -> list[str]:
    """Return the names of all scripts, the most telling first."""
    found = {path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py")}
    return [name for name in ORDER if name in found] + sorted(found - set(ORDER))


def everything() -> list[str]:
    """Return the scripts that can run here; say of the others why not."""
    from obs.stack import engines

    able = []
    for name in scripts():
        engine = ENGINES.get(name)
        if engine is None or engines.find(engine):
            able.append(name)
        else:
            sys.stderr.write(f"not run: {name}, there is no {engine} here: obs stack install {engine}\n")
    return able


def run(name: str, *, quick: bool) -> Table | None:
    """Run one script in a process of its own; None when it broke, its words are on stderr then."""
    command = [sys.executable, "-m", f"bench.bench_{name}", "--json", *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=HERE.parent)
    return Table.parse(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def machine(*, quick: bool) -> str:
    """Return what the figures depend on, in general words."""
    return (
        f"Measured on {platform.python_implementation()} {platform.python_version()}, {platform.system()} on "
        f"{platform.machine()}, {os.cpu_count()} processor cores shared with other work"
        f"{', few repeats' if quick else ''}."
    )


def write(tables: dict[str, Table], *, quick: bool) -> None:
    """Replace the tables that were measured in the page of each; the others stay as they are."""
    for name, table in tables.items():
        page = place(name)
        before, found, rest = page.read_text(encoding="utf-8").partition(BEGIN.format(name))
        after = rest.partition(END)[2]
        text = f"{before}{found}\n\n{table.markdown()}\n{machine(quick=quick)}\n\n{END}{after}"
        page.write_text(text, encoding="utf-8")


def place(name: str) -> Path:
    """Return the page that has a place for the table of a script.

    Raises:
        SystemExit: none has.
    """
    for page in PAGES:
        if BEGIN.format(name) in page.read_text(encoding="utf-8"):
            return page
    raise SystemExit(f"no page has a place for the table of {name}: {BEGIN.format(name)} {END}")


def main() -> int:
    """Print every table and how many promises are kept; return 1 only when a script itself broke."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument(
        "scripts",
        nargs="*",
        metavar="SCRIPT",
        help=f"of {', '.join(scripts())}; default all that can run here",
    )
    parser.add_argument("--quick", action="store_true", help="fewer repeats: for a look, not for the docs")
    parser.add_argument("--write", action="store_true", help="put the tables into the documentation")
    chosen = parser.parse_args()
    tables: dict[str, Table] = {}
    broken = []
    for name in chosen.scripts or everything():
        table = run(name, quick=chosen.quick)
        if table is None:
            broken.append(name)
            continue
        tables[name] = table
        print(table.text(), flush=True)
    promised = [row for table in tables.values() for row in table.rows if row.met is not None]
    print(f"{sum(bool(row.met) for row in promised)} of {len(promised)} targets met", end="")
    print(f"; broken: {', '.join(broken)}" if broken else "")
    if chosen.write:
        write(tables, quick=chosen.quick)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
