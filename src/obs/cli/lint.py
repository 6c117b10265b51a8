"""`obs lint`: judge specs, rules, dashboards, routes and runbooks, whoever wrote them."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from obs.cli.collecting import no_collecting
from obs.errors import ConfigError

if TYPE_CHECKING:
    from obs.lint.live import Live
    from obs.lint.repair import Repaired
    from obs.lint.run import Report

_LEVELS = ("error", "warning", "info")


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--contract",
    "contracts",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="What signals exist: a contract, a spec, or `bundled` for what obs itself knows.",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings.  [default: obs-lint.yml, where there is one]",
)
@click.option("--fix", is_flag=True, help="Repair what can be repaired safely, comments and layout kept.")
@click.option("--diff", "show_diff", is_flag=True, help="Write nothing; print what --fix would change.")
@click.option(
    "--baseline", metavar="FILE", type=click.Path(path_type=Path), help="Problems in it do not count."
)
@click.option("--write-baseline", is_flag=True, help="Write every problem of now into --baseline FILE.")
@click.option("--live", metavar="URL", help="Ask this Prometheus as well what only a server can tell.")
@click.option("--bearer-file", type=click.Path(path_type=Path), help="File of a token to send to --live.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    help="File of a password to send to --live, for basic authentication.",
)
@click.option("--user", metavar="NAME", default="obs", show_default=True, help="Whose password it is.")
@click.option(
    "--ca-file", type=click.Path(path_type=Path), help="File of certificates to trust when --live is asked."
)
@click.option(
    "--fail-on",
    type=click.Choice(_LEVELS),
    default="warning",
    show_default=True,
    help="Exit 1 for a problem as bad as this or worse.",
)
@click.option(
    "--coverage",
    is_flag=True,
    help="Print in place of problems how many alerts have a test, a runbook, a panel and a route, and which links lead somewhere.",
)
@click.option(
    "--min-coverage",
    "minimums",
    metavar="[KIND=]PERCENT",
    multiple=True,
    help="Exit 1 below this coverage, of all kinds that are measured or of one: 100, tests=100.",
)
@click.option("--list", "list_", is_flag=True, help="List the checks.")
@click.option("--explain", metavar="CHECK", help="Print the page of a check.")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json", "github"]), default="text", show_default=True
)
def command(  # noqa: PLR0917 - click passes by name
    paths: tuple[Path, ...],
    contracts: tuple[Path, ...],
    config: Path | None,
    fix: bool,
    show_diff: bool,
    baseline: Path | None,
    write_baseline: bool,
    live: str | None,
    bearer_file: Path | None,
    password_file: Path | None,
    user: str,
    ca_file: Path | None,
    fail_on: str,
    coverage: bool,
    minimums: tuple[str, ...],
    list_: bool,
    explain: str | None,
    format_: str,
) -> int:
    """Judge specs, rules, dashboards, routes and runbooks.

    PATH is a file or a directory; what a file is, its content says. Files that obs did not write are as
    welcome as its own, and so are those that objects of Kubernetes carry: PrometheusRule and
    AlertmanagerConfig, dashboards in a ConfigMap, a configuration in a Secret. Whether a metric exists is judged by specs among the paths and by --contract;
    without either that is not checked, and said once.

    A check is switched off by a comment `# obs-lint: disable=CHECK reason`, or until a day by
    `# obs-lint: snooze=CHECK until=2026-12-01 reason`, or in obs-lint.yml.

    \b
    Exit codes: 0 nothing as bad as --fail-on, 1 problems, a --diff that is not empty, or too little
    coverage, 2 usage, 3 the server of --live does not answer.

    \b
    Examples:
      obs lint specs alerts dashboards runbooks
      obs lint rules.yml --contract bundled --diff
      obs lint alerts runbooks dashboards --min-coverage tests=100
      obs lint --explain rate-not-ratio
    """
    if list_:
        return _list(format_)
    if explain is not None:
        return _explain(explain)
    _check_usage(paths, baseline, write_baseline=write_baseline)
    from obs.lint import report, run
    from obs.lint.settings import FILE

    click.get_current_context().with_resource(no_collecting())

    settings = config or (Path(FILE) if Path(FILE).is_file() else None)
    server = _server(live, bearer=bearer_file, password=password_file, user=user, ca=ca_file)
    if server is not None:
        click.get_current_context().call_on_close(server.close)

    def judge(texts: Mapping[str, str] | None = None) -> Report:
        return run.lint(
            paths,
            contracts=contracts,
            config=settings,
            baseline=None if write_baseline else baseline,
            live=server,
            today=_today(),
            texts=texts,
        )

    if coverage or minimums:
        from obs.cli import lint_coverage

        return lint_coverage.tell(judge().project, minimums, format_)
    if write_baseline and baseline is not None:
        return _write_baseline(baseline, judge())
    if show_diff or fix:
        from obs.lint import repair

        repaired = repair.repair(judge)
        if show_diff:
            click.echo(repair.diff(repaired), nl=False)
            return 1 if repaired.after else 0
        repair.write(repaired)
        _tell_repaired(repaired)
        found = repaired.report
    else:
        found = judge()
    _print(found, format_)
    click.echo(report.summary(found), err=True)
    worst = _LEVELS[: _LEVELS.index(fail_on) + 1]
    return 1 if any(problem.severity in worst for problem in found.problems) else 0


def _today() -> dt.date:
    return dt.datetime.now(dt.timezone.utc).date()


def _server(
    url: str | None, *, bearer: Path | None, password: Path | None, user: str, ca: Path | None
) -> Live | None:
    if url is None:
        for option, file in (("--bearer-file", bearer), ("--password-file", password), ("--ca-file", ca)):
            if file is not None:
                raise ConfigError(f"{option} is for --live, which is not given")
        return None
    from obs.lint.live import Live
    from obs.verify.query_api import Access

    server = Live(url, Access(bearer, password, user, ca))
    # Asked even where nothing among the paths asks it anything: no silence passes for a good answer.
    server.reach()
    return server


def _print(found: Report, format_: str) -> None:
    from obs.lint import report

    if format_ == "json":
        click.echo(json.dumps(report.data(found), indent=2, ensure_ascii=False))
        return
    shown = (
        report.github(found.problems)
        if format_ == "github"
        else report.console(found.problems, found.sources, _columns())
    )
    for paragraph in shown:
        click.echo(paragraph)


def _columns() -> int:
    # Carets of a line that a terminal breaks in two point at nothing.
    return shutil.get_terminal_size(fallback=(120, 24)).columns


def _tell_repaired(repaired: Repaired) -> None:
    for file in sorted(repaired.after):
        click.echo(f"repaired {file}", err=True)


def _write_baseline(path: Path, found: Report) -> int:
    from obs.lint import baseline

    count = baseline.write(path, found.problems)
    click.echo(f"{path}: {count} problems, which count no longer", err=True)
    return 0


def _check_usage(paths: tuple[Path, ...], baseline: Path | None, *, write_baseline: bool) -> None:
    if not paths:
        raise click.UsageError("Missing argument 'PATH...'.")
    if write_baseline and baseline is None:
        raise ConfigError("--write-baseline: into which file?", hint="--baseline FILE")


def _explain(check: str) -> int:
    from obs.lint import pages

    click.echo(pages.page(check), nl=False)
    return 0


def _list(format_: str) -> int:
    from obs.lint.register import all_checks

    checks = all_checks()
    if format_ == "json":
        rows = [
            {"check": one.id, "severity": one.severity, "kinds": list(one.kinds), "needs": one.needs}
            for one in checks
        ]
        click.echo(json.dumps(rows, indent=2))
        return 0
    width = max(len(one.id) for one in checks)
    for one in checks:
        needs = f"  needs: {one.needs}" if one.needs else ""
        click.echo(f"{one.id:{width}}  {one.severity:7}  {', '.join(one.kinds)}{needs}")
    return 0
