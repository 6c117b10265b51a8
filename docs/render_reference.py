"""Write the pages of docs/reference from what they describe; `--check` exits 1 when one is stale."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from obs.catalogue import Histogram, Signal, log
from obs.catalogue.everything import DOMAINS
from obs.cli.main import COMMANDS, group
from obs.generate.derive import rules
from obs.generate.spec import reference, schema
from obs.lint import pages
from obs.lint.check import Check
from obs.lint.register import all_checks

REFERENCE = Path(__file__).parent / "reference"
MADE = "Made by `make artefacts`; do not edit."


def cli() -> str:
    """Return the page of commands, from what `--help` prints."""
    parts = [
        (
            f"# Commands of `obs`\n\n{MADE} Exit codes: 0 clean, 1 findings or drift, 2 usage or broken spec,\n"
            "3 could not check (a server or tool is absent).\n"
        ),
        _command("obs", group),
    ]
    for name in sorted(COMMANDS):
        command: click.Command = importlib.import_module(f"obs.cli.{COMMANDS[name][0]}").command
        parts.append(_command(f"obs {name}", command))
        if isinstance(command, click.Group):
            parts.extend(
                _command(f"obs {name} {sub}", command.commands[sub]) for sub in sorted(command.commands)
            )
    return "\n".join(parts)


def _command(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100)
    context.help_option_names = ["-h", "--help"]
    return f"## {path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


def catalogue() -> str:
    """Return the page of signals and log fields, from the catalogue."""
    parts = [
        (
            f"# Signals\n\n{MADE} A signal is named by its id in specs and on the command line; its metric name\n"
            "depends on the dialect. `service`, `environment` and `instance` are added by Prometheus when it scrapes.\n"
        )
    ]
    for domain, signals in DOMAINS.items():
        rows = "\n".join(_signal(signal) for signal in signals)
        parts.append(
            f"## {domain}\n\n| id | kind | otel | classic | labels | what |\n|---|---|---|---|---|---|\n{rows}\n"
        )
    fields = "\n".join(
        f"| `{field.name}` | {'always' if field.always else 'when known'} | {field.help} |"
        for field in log.FIELDS
    )
    parts.append(f"## Fields of a log line\n\n| field | present | what |\n|---|---|---|\n{fields}\n")
    return "\n".join(parts)


def _signal(signal: Signal) -> str:
    labels = ", ".join(f"`{name}`" for name in signal.label_names()) or "none"
    buckets = (
        f" Buckets: {' '.join(f'{bound:g}' for bound in signal.buckets)}."
        if isinstance(signal, Histogram)
        else ""
    )
    names = f"`{signal.named('otel')}` | `{signal.named('classic')}`"
    return f"| `{signal.id}` | {signal.kind} | {names} | {labels} | {signal.help}{buckets} |"


def settings() -> str:
    """Return the page of settings, from the table that the runtime reads; asked in a child process."""
    environment = {"PATH": os.environ["PATH"], "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "obs", "settings", "--format", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    rows = "\n".join(
        f"| `{row['name']}` | {', '.join(f'`{name}`' for name in row['variables'])} | {_code(row['value'])} | {row['help']} |"
        for row in json.loads(done.stdout)
    )
    return (
        f"# Settings of the SDK\n\n{MADE} An argument of `obs.init` wins over the environment, the first variable named\n"
        "here over the later ones, and any of them over the default. `obs settings` prints what holds and why.\n\n"
        f"| argument | environment | default | meaning |\n|---|---|---|---|\n{rows}\n\n"
        "The way to a collector may lead through a proxy of plain HTTP, as `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and\n"
        "`NO_PROXY` (or the same in lower case) say when the first export is made; a collector on the same machine is\n"
        "always spoken to directly.\n"
    )


def _code(value: object) -> str:
    return f"`{value}`" if value != "" else "none"


#: Title of each section of the checks, by what they look at.
_KINDS: dict[tuple[str, ...], str] = {
    ("rules",): "Rules and alerts",
    ("dashboard",): "Dashboards",
    ("alertmanager",): "Alertmanager",
    ("runbook",): "Runbooks",
    ("spec",): "Specs",
}
_SEVERAL = "More than one kind of file"


def lint() -> str:
    """Return the index of the linter's checks: where they look, how bad, and the first sentence of their page."""
    sections: dict[str, list[Check]] = {title: [] for title in (_SEVERAL, *_KINDS.values())}
    for check in all_checks():
        sections[_KINDS.get(check.kinds, _SEVERAL)].append(check)
    parts = [
        (
            f"# Checks of `obs lint`\n\n{MADE} {len(all_checks())} checks, a page each; `obs lint --explain CHECK` prints the page on a terminal.\n"
            "An error does not work, or says what is not so; a warning will hurt one day; an info is good to know.\n"
        )
    ]
    for title, checks in sections.items():
        several = title == _SEVERAL
        columns = ["check", "severity", *(["looks at"] if several else []), "finds"]
        rows = "\n".join(_check(check, several=several) for check in checks)
        parts.append(f"## {title}\n\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|\n{rows}\n")
    return "\n".join(parts)


def _check(check: Check, *, several: bool) -> str:
    needs = {"": "", "contract": " Needs a contract.", "live": " Needs `--live`."}[check.needs]
    kinds = f" {', '.join(check.kinds)} |" if several else ""
    return f"| [{check.id}]({check.id}.md) | {check.severity} |{kinds} {_first_sentence(check)}{needs} |"


def _first_sentence(check: Check) -> str:
    what = pages.page(check.id).partition("## What\n\n")[2].partition("\n\n")[0]
    return re.split(r'(?<=[.])\s+(?=[A-Z`"])', " ".join(what.split()))[0].replace("|", "\\|")


def spec() -> str:
    """Return the page of the keys of a spec."""
    return reference.page(MADE)


def spec_schema(*, partial: bool) -> str:
    """Return the schema that `obs spec schema` prints."""
    return schema.dumps(schema.derive(sorted(rules.alert_names()), partial=partial))


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli,
    "catalogue.md": catalogue,
    "settings.md": settings,
    "lint/README.md": lint,
    "spec.md": spec,
    "spec.schema.json": partial(spec_schema, partial=False),
    "spec-defaults.schema.json": partial(spec_schema, partial=True),
}


def main() -> int:
    """Write or check every page."""
    stale = 0
    REFERENCE.mkdir(exist_ok=True)
    for name, render in PAGES.items():
        page, text = REFERENCE / name, render()
        if "--check" not in sys.argv:
            page.write_text(text, encoding="utf-8")
        elif not page.exists() or page.read_text(encoding="utf-8") != text:
            print(f"docs/reference/{name} is stale: run make artefacts", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
