"""Run every benchmark and print its table; `--write` puts the tables into docs/explanation/performance.md."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

from bench.table import Table

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "explanation" / "performance.md"
BEGIN, END = "<!-- tables: written by `make bench ARGS=--write` -->", "<!-- end of tables -->"
#: What users feel first; scripts that are not named follow.
ORDER = ("request", "log", "metrics", "scrape", "import", "exit", "fork", "memory", "redaction", "span")


def scripts() -> list[str]:
    """Return the names of all scripts, the most telling first."""
    found = {path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py")}
    return [name for name in ORDER if name in found] + sorted(found - set(ORDER))


def run(name: str, *, quick: bool) -> Table | None:
    """Run one script in a process of its own; None when it broke, its words are on stderr then."""
    command = [sys.executable, "-m", f"bench.bench_{name}", "--json", *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=HERE.parent)
    return Table.parse(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def machine() -> str:
    """Return what the figures depend on, in general words."""
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} on "
        f"{platform.machine()}, {os.cpu_count()} processor cores shared with other work"
    )


def write(tables: list[Table]) -> None:
    """Replace the tables of the page; those of scripts that were not run go with them."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    body = "\n".join(table.markdown() for table in tables)
    PAGE.write_text(f"{before}{BEGIN}\n\nMeasured on {machine()}.\n\n{body}\n{END}{after}", encoding="utf-8")


def main() -> int:
    """Print every table and how many promises are kept; return 1 only when a script itself broke."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument(
        "scripts", nargs="*", metavar="SCRIPT", help=f"of {', '.join(scripts())}; default all"
    )
    parser.add_argument("--quick", action="store_true", help="fewer repeats: for a look, not for the docs")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.name}")
    chosen = parser.parse_args()
    tables, broken = [], []
    for name in chosen.scripts or scripts():
        table = run(name, quick=chosen.quick)
        if table is None:
            broken.append(name)
            continue
        tables.append(table)
        print(table.text(), flush=True)
    promised = [row for table in tables for row in table.rows if row.met is not None]
    print(f"{sum(bool(row.met) for row in promised)} of {len(promised)} targets met", end="")
    print(f"; broken: {', '.join(broken)}" if broken else "")
    if chosen.write and not broken:
        write(tables)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
