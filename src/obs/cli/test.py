"""`obs test`: everything that was generated and its tests, judged by the real promtool and amtool."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from obs.errors import ConfigError, StackError

if TYPE_CHECKING:
    from obs.cli.judges import Generated, Result

#: Check -> what one of its results is called, in the order in which they run.
_COUNTED = {
    "rules": "rule file",
    "tests": "test file",
    "config": "configuration",
    "routes": "route",
    "logs": "log rule",
}


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path())
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(path: Path, format_: str) -> int:
    """Run every generated test.

    PATH is the directory that `obs generate` wrote to (or its alerts/). promtool lints the rules and
    runs their tests; amtool checks the configuration of Alertmanager and whom an alert of each team,
    tier and severity reaches; the rules for Loki are parsed.

    \b
    Exit codes: 0 all pass, 1 a test or a rule fails, 2 no rules there, 3 promtool or amtool is missing.

    \b
    Example:
      obs test .
    """
    from obs.cli.judges import Generated

    alerts = path if (path / "prometheus").is_dir() else path / "alerts"
    generated = Generated.under(alerts)
    if not generated.rules or not generated.tests:
        raise ConfigError(
            "no generated rules with tests here: expected alerts/prometheus and alerts/tests",
            str(path),
            "obs generate SPEC... --out DIR writes them",
        )
    promtool = _tool("promtool")
    if promtool is None:
        raise StackError("promtool is not installed", hint="obs stack install promtool")
    amtool = _tool("amtool")
    unchecked = [str(file) for file in (generated.config, generated.routes) if file and amtool is None]
    results = list(_judged(generated, promtool, amtool, quiet=format_ == "json"))
    failed = [result for result in results if not result.passed]
    if format_ == "json":
        data = {"results": [_data(result) for result in results], "unchecked": unchecked}
        click.echo(json.dumps(data, indent=2))
    else:
        for result in failed:
            click.echo(f"FAILED {_place(result)}\n{result.output}")
    click.echo(_summary(results, failed), err=True)
    if unchecked:
        click.echo(f"not checked, because amtool is not installed: {', '.join(unchecked)}", err=True)
        click.echo("  hint: obs stack install amtool", err=True)
    return 1 if failed else 3 if unchecked else 0


def _judged(generated: Generated, promtool: str, amtool: str | None, *, quiet: bool) -> Iterator[Result]:
    from obs.cli import judges

    yield from judges.rules(promtool, generated.rules)
    hidden = quiet or not sys.stderr.isatty()
    with click.progressbar(
        length=len(generated.tests), label="promtool", file=sys.stderr, hidden=hidden
    ) as bar:
        found = judges.tests(promtool, generated.tests, bar.update)
    yield from found
    if amtool is not None and generated.config is not None:
        yield judges.config(amtool, generated.config)
        if generated.routes is not None:
            yield from judges.routes(amtool, generated.routes)
    yield from judges.logs(generated.logs)


def _tool(name: str) -> str | None:
    from obs.stack import engines

    found = engines.find(name)
    return str(found.path) if found else None


def _summary(results: list[Result], failed: list[Result]) -> str:
    counts = {check: sum(result.check == check for result in results) for check in _COUNTED}
    told = ", ".join(
        f"{count} {_COUNTED[check]}{'' if count == 1 else 's'}" for check, count in counts.items() if count
    )
    return f"{told}: {len(failed) or 'none'} failed"


def _place(result: Result) -> str:
    return f"{result.path} ({result.test})" if result.test else str(result.path)


def _data(result: Result) -> dict[str, object]:
    return {
        "check": result.check,
        "path": str(result.path),
        "test": result.test,
        "passed": result.passed,
        "output": result.output,
    }
