"""`obs test`: the generated rules and their tests, judged by the real promtool."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from obs.errors import ConfigError, StackError


@dataclass(frozen=True, slots=True)
class _Result:
    path: Path
    passed: bool
    output: str


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path())
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(path: Path, format_: str) -> int:
    """Run the generated tests with promtool.

    PATH is the directory that `obs generate` wrote to (or its alerts/); rules are linted, then each
    test file runs.

    \b
    Exit codes: 0 all pass, 1 a test or a rule fails, 2 no rules there, 3 promtool is missing.

    \b
    Example:
      obs test .
    """
    alerts = path if (path / "prometheus").is_dir() else path / "alerts"
    rules = sorted((alerts / "prometheus").glob("*.yml"))
    tests = sorted((alerts / "tests").glob("*_test.yml"))
    if not rules or not tests:
        raise ConfigError(
            "no generated rules with tests here: expected alerts/prometheus and alerts/tests",
            str(path),
            "obs generate SPEC... --out DIR writes them",
        )
    promtool = _promtool()
    results = [_run(promtool, rule, "check", "rules", "--lint-fatal") for rule in rules]
    results += _test_each(promtool, tests, quiet=format_ == "json")
    failed = [result for result in results if not result.passed]
    if format_ == "json":
        click.echo(json.dumps([_data(result) for result in results], indent=2))
    else:
        for result in failed:
            click.echo(f"FAILED {result.path}\n{result.output}")
    click.echo(f"{len(rules)} rule files, {len(tests)} test files: {len(failed) or 'none'} failed", err=True)
    return 1 if failed else 0


def _promtool() -> str:
    from obs.stack import engines

    found = engines.find("promtool")
    if found is None:
        raise StackError("promtool is not installed", hint="obs stack install promtool")
    return str(found.path)


def _test_each(promtool: str, tests: list[Path], *, quiet: bool) -> list[_Result]:
    stderr = sys.stderr
    hidden = quiet or not stderr.isatty()
    with click.progressbar(length=len(tests), label="promtool", file=stderr, hidden=hidden) as bar:
        results: list[_Result] = []
        for test in tests:
            results.append(_run(promtool, test, "test", "rules"))
            bar.update(1)
        return results


def _run(promtool: str, file: Path, *arguments: str) -> _Result:
    try:
        done = subprocess.run(
            [promtool, *arguments, str(file)], capture_output=True, text=True, check=False, timeout=600
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"promtool could not be run: {error}", str(file)) from None
    return _Result(file, done.returncode == 0, (done.stdout + done.stderr).strip())


def _data(result: _Result) -> dict[str, object]:
    return {"path": str(result.path), "passed": result.passed, "output": result.output}
