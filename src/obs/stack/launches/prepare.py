"""Write what a launch needs and have it judged by the server's own tool, before anything starts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from obs.errors import ConfigError, StackError
from obs.stack.launches.launch import Launch
from obs.stack.progress import Report, Step

#: Seconds; checking a thousand rules takes well under one.
_CHECK_WITHIN = 60.0


def write(launch: Launch) -> None:
    """Write the configuration files of `launch`; what an earlier one left in its directories goes.

    Raises:
        StackError: the state directory cannot be written.
    """
    try:
        (launch.directory / "data").mkdir(parents=True, exist_ok=True)
        for part in launch.replaced:
            shutil.rmtree(launch.directory / part, ignore_errors=True)
            (launch.directory / part).mkdir(parents=True)
        for name, text in launch.files.items():
            file = _place(launch, name)
            if file.is_symlink():
                file.unlink()
            file.write_text(text, encoding="utf-8")
        for name, target in launch.links.items():
            link = _place(launch, name)
            if link.is_symlink() or link.is_file():
                link.unlink()
            link.symlink_to(target)
    except OSError as error:
        raise StackError(
            f"cannot write the configuration of {launch.name}: {error.strerror}", where=str(launch.directory)
        ) from None


def _place(launch: Launch, name: str) -> Path:
    place = launch.directory / name
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def check(launch: Launch, report: Report | None) -> None:
    """Have the configuration checked by the server's own tool.

    Raises:
        ConfigError: it is refused; the tool's words are quoted.
        StackError: the tool does not start, or does not end.
    """
    if launch.check is None:
        return
    tool = launch.check.tool
    step = Step(f"checking the configuration of {launch.name} with {tool} {launch.check.version}", report)
    try:
        done = subprocess.run(
            launch.check.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=launch.directory,
            env=dict(launch.environment) if launch.environment is not None else None,
            timeout=_CHECK_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StackError(f"{tool} did not end within {_CHECK_WITHIN:g} s") from None
    except OSError as error:
        raise StackError(f"{tool} does not start: {error.strerror}", where=launch.check.argv[0]) from None
    if done.returncode != 0:
        words = done.stdout.decode(errors="replace").strip()
        raise ConfigError(
            f"{tool} refuses the configuration of {launch.name}:\n    " + words.replace("\n", "\n    "),
            where=str(launch.config),
        )
    step.tell(finished=True)
