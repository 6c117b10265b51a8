"""Every command and every error that a person can be told by the toolchain stands in a transcript."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from obs import errors
from obs.cli.main import group

_HERE = Path(__file__).parent
_SOURCES = _HERE.parents[1] / "src" / "obs"
_ROOMS = ("catalogue", "cli", "generate", "lint", "verify/backtest", "verify/query_api.py")
_STACK = re.compile(r"cli/(?:stack|demo|audit)")
#: What makes a message: the errors of obs by name, and what becomes one of them. (Why an alert of a backtest
#: is not judged takes a server with a past: tests/verify/backtest.)
_MAKERS = {name for name in vars(errors) if name.endswith("Error") or name == "UnknownSignal"} | {
    "BrokenJson", "BrokenYaml", "OutputError", "Refused", "TooLarge", "Unanswered", "refuse",
}  # fmt: skip
_GUARD = "a guard: nothing that a person writes leads to it today"
_SERVER = "takes a server that answers so: tests/verify/test_query_api.py, tests/cli/test_backtest.py"
_PAGE = "takes a server that answers so: tests/generate/adopt"
_BYTES = "takes bytes that no transcript holds: the tests of its reader"
_SIZE = "takes more text than a person reads: the tests of its reader"
#: Beginning of a message -> why no transcript shows it.
_UNTOLD = {
    "{} could not be run: {}": "takes a program that breaks: tests/cli/test_test.py knows programs that lie",
    "no contract: not UTF-8 text": _BYTES,
    "not UTF-8 text": _BYTES,
    "broken JSON: nested too deeply": _SIZE,
    "broken YAML: nested too deeply": _SIZE,
    "larger than {} bytes": _SIZE,
    "the dashboard of {} has {} bytes": _SIZE,
    "answered with status {}": _PAGE,
    "Prometheus does not tell its {}: {}": _SERVER,
    "Prometheus answered {}": _SERVER,
    "the server gives no answer of Prometheus": _SERVER,
    "an answer is larger than {} MiB": _SERVER,
    "an answer that does not end within {} s": _SERVER,
    "no answer within {} s": _SERVER,
    "not known": _SERVER,
    "alert {} has no guide for its runbook": _GUARD,
    "two artefacts would be written to {}": _GUARD,
    "panel {}: keys {}": _GUARD,
    "no spec given": _GUARD,
    "signal {} has no label {}": _GUARD,
    "| {}: lines arrive as their message alone": _GUARD,
    "the page of {} is not installed": _GUARD,
    "not a capture: ": "the file of a developer's script: tests/catalogue/test_captured.py",
}


@functools.cache
def _told() -> frozenset[str]:
    texts = (path.read_text(encoding="utf-8") for path in _HERE.rglob("*.txt"))
    return frozenset(line for text in texts for line in text.splitlines())


@functools.cache
def _messages() -> frozenset[tuple[str, str]]:
    return frozenset(_found())


def _found() -> Iterator[tuple[str, str]]:
    """Yield (place, message) of each message that is written where it is raised; ``{}`` stands for a value."""
    for room in _ROOMS:
        there = _SOURCES / room
        for path in sorted(there.rglob("*.py")) if there.is_dir() else [there]:
            name = path.relative_to(_SOURCES).as_posix()
            if _STACK.match(name):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                text = _message(node)
                if text and re.search(r"[a-z]{3}", text):
                    yield f"{name}:{node.lineno}", text  # type: ignore[attr-defined]  # a call has a line


def _message(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called not in _MAKERS or len(node.args) <= (called == "refuse"):
        return ""
    return _text(node.args[called == "refuse"])


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


@functools.cache
def _is_told(message: str) -> bool:
    parts = message.split("{}")
    longest, pattern = max(parts, key=len), re.compile(".+".join(map(re.escape, parts)))
    return any(pattern.search(line) for line in _told() if longest in line)


def _is_left_out(message: str) -> bool:
    return any(message.startswith(beginning) for beginning in _UNTOLD)


def test_every_message_is_told() -> None:
    untold = [
        (place, message)
        for place, message in sorted(_messages())
        if not _is_left_out(message) and not _is_told(message)
    ]

    assert untold == [], "add a transcript under tests/transcripts, or a reason above"


@pytest.mark.parametrize("beginning", _UNTOLD)
def test_what_is_left_out_is_there_and_untold(beginning: str) -> None:
    found = [message for _, message in _messages() if message.startswith(beginning)]

    assert found
    assert not all(_is_told(message) for message in found)


def test_many_messages_are_found() -> None:
    assert len(_messages()) > 200


def _commands(above: click.Group, way: str) -> Iterator[str]:
    context = click.Context(above)
    for name in above.list_commands(context):
        command = above.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{way} {name}")
        else:
            yield f"{way} {name}"


def test_every_command_is_shown() -> None:
    shown = [line[2:] for line in _told() if line.startswith("$ ")]
    commands = list(_commands(group, "obs"))

    assert len(commands) > 10
    assert [one for one in commands if not any(line.startswith(one) for line in shown)] == []
