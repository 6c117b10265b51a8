"""Which runtime `obs stack` takes, by what is asked for and what the machine has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from obs.cli import stack_runtime
from obs.errors import StackError
from obs.stack import native, state
from obs.stack.compose import driver, program
from obs.stack.native import ServerStatus

RUNNING = [ServerStatus("loki", "ready", 7)]


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """A machine of the test's own: no Docker, nothing running."""
    found: dict[str, Any] = {"docker": False, "native": [], "containers": []}

    def ask(answer: Any) -> Any:
        if not found["docker"]:
            raise StackError("no Docker engine answers: gone")
        return answer

    monkeypatch.setenv("OBS_HOME", str(tmp_path))
    monkeypatch.setattr(program, "find", lambda: ask(None))
    monkeypatch.setattr(native, "status", lambda _: found["native"])
    monkeypatch.setattr(driver, "status", lambda _: ask(found["containers"]))
    return found


def test_containers_where_a_docker_engine_answers(
    machine: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    machine["docker"] = True
    assert stack_runtime.to_start("auto", None, []) == "compose"
    assert capsys.readouterr().err == "running as containers; --runtime native runs plain processes\n"


def test_processes_where_none_answers_and_the_reason_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert stack_runtime.to_start("auto", None, []) == "native"
    assert capsys.readouterr().err == "running as plain processes: no Docker engine answers: gone\n"


def test_an_option_that_only_processes_have_decides(
    machine: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine["docker"] = True
    assert stack_runtime.to_start("auto", tmp_path, ["--rules"]) == "native"
    assert capsys.readouterr().err == "running as plain processes, for --rules is given\n"
    assert stack_runtime.to_start("auto", tmp_path, []) == "native"
    assert capsys.readouterr().err == "running as plain processes, for --dir is given\n"
    with pytest.raises(click.UsageError, match="--rules is for --runtime native"):
        stack_runtime.to_start("compose", None, ["--rules"])


def test_what_runs_already_decides(
    machine: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine["docker"] = True
    machine["native"] = RUNNING
    assert stack_runtime.to_start("auto", None, []) == "native"
    assert capsys.readouterr().err == "running as plain processes, for they run already\n"
    assert stack_runtime.at_work("auto", None) == "native"
    machine["native"], machine["containers"] = [], ["loki"]
    assert stack_runtime.at_work("auto", None) == "compose"
    assert stack_runtime.at_work("auto", tmp_path) == "native"
    machine["containers"] = []
    assert stack_runtime.at_work("auto", None) == "native"


def test_data_of_containers_are_found_after_the_containers_are_gone(
    machine: dict[str, Any], tmp_path: Path
) -> None:
    assert stack_runtime.with_data("auto", None) == "native"
    machine["docker"] = True
    assert stack_runtime.at_work("auto", None) == "native"
    assert stack_runtime.with_data("auto", None) == "compose"
    assert stack_runtime.with_data("auto", tmp_path / "mine") == "native"
    with state.locked(tmp_path / "stack"):
        assert stack_runtime.with_data("auto", None) == "native"


@pytest.mark.parametrize("asked", ["compose", "native"])
def test_the_user_has_the_last_word(asked: str) -> None:
    assert stack_runtime.to_start(asked, None, []) == asked
    assert stack_runtime.at_work(asked, None) == asked
    assert stack_runtime.with_data(asked, None) == asked
