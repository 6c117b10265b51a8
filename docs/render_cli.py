"""Write docs/reference/cli.md from what `obs … --help` prints; `--check` exits 1 when it is stale."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import click

os.environ["COLUMNS"] = "100"
PAGE = Path(__file__).parent / "reference" / "cli.md"
HEAD = """# Commands of `obs`

Made from `--help` by `make artefacts`; do not edit. Exit codes: 0 clean, 1 findings or drift,
2 usage or broken spec, 3 could not check (a server or tool is absent).
"""


def render() -> str:
    """Return the whole page."""
    from obs.cli.main import COMMANDS, group

    parts = [HEAD, _section("obs", group)]
    for name in sorted(COMMANDS):
        command: click.Command = importlib.import_module(f"obs.cli.{COMMANDS[name][0]}").command
        parts.append(_section(f"obs {name}", command))
        if isinstance(command, click.Group):
            parts.extend(
                _section(f"obs {name} {sub}", command.commands[sub]) for sub in sorted(command.commands)
            )
    return "\n".join(parts)


def _section(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100)
    context.help_option_names = ["-h", "--help"]
    return f"## {path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


def main() -> int:
    """Write or check the page."""
    text = render()
    if "--check" in sys.argv:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
            print(f"{PAGE.name} is stale: run make artefacts", file=sys.stderr)
            return 1
        return 0
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
