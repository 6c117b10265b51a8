"""The `obs` group: commands are found by name and loaded only when they are called."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click

from obs._version import __version__
from obs.errors import MissingExtra, ObsError, nearest

#: Command -> (module under obs.cli, one line for the listing). The listing loads no command.
COMMANDS: dict[str, tuple[str, str]] = {
    "audit": ("audit", "Check that audit logs are whole and as they were written."),
    "backtest": ("backtest", "Tell how often each alert would have fired on a server's history."),
    "catalogue": ("catalogue", "List, show and export the signals that exist."),
    "demo": ("demo", "Break a shop, watch the alert fire, follow its runbook, repair it."),
    "generate": ("generate", "Generate dashboards, rules, tests, routes and runbooks from specs."),
    "lint": ("lint", "Judge specs, rules, dashboards, routes and runbooks, whoever wrote them."),
    "settings": ("settings", "Print every setting of the SDK with its value and source."),
    "spec": ("spec", "Start, import and check service specs; print their schema."),
    "stack": ("stack", "Install, start, inspect and stop the engines."),
    "test": ("test", "Run the generated tests with promtool."),
}

#: 128 and the number of SIGPIPE, as for a program that the signal ends.
_PIPE_CLOSED = 141

#: Third-party modules that a command may miss, and the extra that brings them.
_EXTRA_OF = {
    "yaml": ("pyyaml", "tools"),
    "grafanalib": ("grafanalib", "tools"),
    "promql_parser": ("promql-parser", "tools"),
    "httpx": ("httpx", "tools"),
    "rich": ("rich", "tools"),
    "markdown_it": ("markdown-it-py", "tools"),
    "jinja2": ("jinja2", "tools"),
    "starlette": ("starlette", "tools"),
    "uvicorn": ("uvicorn", "tools"),
    "fastapi": ("fastapi", "tools"),
    "cryptography": ("cryptography", "tools"),
    "bcrypt": ("bcrypt", "tools"),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"obs.cli.{COMMANDS[cmd_name][0]}")
        command = module.command
        assert isinstance(command, click.Command)  # noqa: S101 - a typo in COMMANDS, seen by the first test
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            match = nearest(args[0], COMMANDS)
            advice = f" Did you mean {match!r}?" if match else ""
            ctx.fail(f"No such command {args[0]!r}.{advice}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="obs")
def group() -> None:
    """Observability and alerting as code, proven before it ships.

    \b
    Exit codes: 0 clean, 1 findings or drift, 2 usage or broken spec,
    3 could not check (a server or tool is absent).
    """


def run(arguments: Sequence[str]) -> int:  # noqa: PLR0911 - one return for each way a command can end
    """Run `obs` with `arguments` and return the exit code; never a traceback for a user's mistake."""
    try:
        result = group.main(list(arguments), prog_name="obs", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        return 130
    except ObsError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except ModuleNotFoundError as error:
        package = _EXTRA_OF.get((error.name or "").partition(".")[0])
        if package is None:
            raise
        missing = MissingExtra(f"obs {arguments[0]}", *package)
        click.echo(f"error: {missing}", err=True)
        return missing.exit_code
    except SystemExit as stop:
        # 1 is Click's answer to a reader of our pipe that went away (`obs catalogue list | head`), the exit code
        # of findings. It is neither those nor a clean run: a shell with pipefail sees what it sees of cat.
        # Anything else is ours, such as the end by a signal.
        return stop.code if isinstance(stop.code, int) and stop.code != 1 else _PIPE_CLOSED
    return result if isinstance(result, int) else 0
