"""What the documentation shows is what happens: every block of README, tutorial and how-to runs.

A fence's info string says what a block is:

- ``python app.py`` or ``yaml checkout.yml``: a file of that name, written into the page's folder;
- ``python``: a program, run there;
- ``sh``: commands, run there one by one (``make`` targets must exist, extras of ``pip install`` too);
- ``sh engines``: the same, but only where the real engines are;
- ``sh docker``: the same on a Docker engine, by tests/engines/compose;
- ``text`` straight after one of the last three: its output, in which ``…`` stands for anything.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
#: Where a page keeps the engines that it starts.
_STARTS = re.compile(r"^obs stack up\b.* --dir (\S+)", re.MULTILINE)
_PAGES = [
    _ROOT / "README.md",
    *sorted((_ROOT / "docs").glob("tutorial/*.md")),
    *sorted((_ROOT / "docs").glob("how-to/*.md")),
]
_IDS = [str(page.relative_to(_ROOT)) for page in _PAGES]


@dataclass(frozen=True)
class Block:
    words: list[str]
    body: str
    line: int


def _blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(match["info"].split(), match["body"], text.count("\n", 0, match.start()) + 1)
        for match in _FENCE.finditer(text)
    ]


def _pattern(expected: str) -> re.Pattern[str]:
    return re.compile(".*?".join(re.escape(part) for part in expected.strip().split("…")), re.DOTALL)


def _end(group: int) -> None:
    """End every process of a group: politely, and by force what has not gone within five seconds.

    A Celery worker whose child is told at the same moment waits for that child for ever.
    """
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGTERM)
        ends = time.monotonic() + 5
        while time.monotonic() < ends:
            os.killpg(group, 0)
            time.sleep(0.02)
        os.killpg(group, signal.SIGKILL)


def _run(command: list[str], folder: Path) -> str:
    """Run a block in a session of its own, so that what it left in the background ends with it."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NO_COLOR": "1",
    }
    with (folder / ".output").open("w+", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=300)
        finally:
            _end(process.pid)
        output.seek(0)
        text = output.read()
    assert code == 0, f"{command} ended with {code}:\n{text}"
    return text


def _check_install(line: str) -> None:
    extras = re.findall(r"\[([a-z,]+)\]", line)
    declared = (_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in ",".join(extras).split(",") if extras else []:
        assert re.search(rf"^{extra} = \[", declared, re.MULTILINE), f"no extra {extra!r}"


def _run_shell(body: str, folder: Path) -> str:
    lines = body.strip().splitlines()
    if all(line.startswith("make") for line in lines):
        return "".join(
            _run(["make", "--dry-run", "-C", str(_ROOT), *line.split()[1:]], folder) for line in lines
        )
    if any("pip install" in line for line in lines):
        for line in lines:
            _check_install(line)
        return ""
    return _run(["bash", "-ec", body], folder)


def _run_page(page: Path, folder: Path, *, engines: bool) -> int:
    try:
        return _run_blocks(page, folder, engines=engines)
    finally:
        if engines:
            _stop_engines(page, folder)


def _stop_engines(page: Path, folder: Path) -> None:
    """Stop the engines that a page starts: they are no children of its blocks, and it may have failed before its end."""
    for state in set(_STARTS.findall(page.read_text(encoding="utf-8"))):
        if (folder / state).is_dir():
            subprocess.run(
                [sys.executable, "-m", "obs", "stack", "down", "--dir", state],
                cwd=folder,
                capture_output=True,
                check=False,
                timeout=300,
            )


def _run_blocks(page: Path, folder: Path, *, engines: bool) -> int:
    ran = 0
    blocks = _blocks(page)
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        kind = block.words[0] if block.words else ""
        name = block.words[1] if len(block.words) > 1 else ""
        if name == "docker":
            continue
        if name and name != "engines":
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body, encoding="utf-8")
            continue
        if kind == "python":
            seen = _run([sys.executable, "-c", block.body], folder)
        elif kind == "sh" and (engines or name != "engines"):
            seen = _run_shell(block.body, folder)
        else:
            continue
        ran += 1
        if following is not None and following.words[:1] == ["text"] and not block.body.startswith("make"):
            assert _pattern(following.body).search(seen), (
                f"{page.name}:{following.line}: the output was\n{seen}"
            )
    return ran


def _instruments(page: Path) -> bool:
    return "```python plain.py" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "page", [page for page in _PAGES if not _instruments(page)], ids=lambda page: str(page.relative_to(_ROOT))
)
def test_every_block_runs_and_prints_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    _run_page(page, tmp_path, engines=False)


@pytest.mark.parametrize("page", [page for page in _PAGES if _instruments(page)], ids=lambda page: page.stem)
def test_a_tutorial_runs_and_sends_span_and_crash_where_the_environment_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collector: Any
) -> None:
    """What the page says at its end, to a real collector that also takes the error tracker's events."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("SENTRY_DSN", f"http://key@127.0.0.1:{collector.port}/1")
    _run_page(page, tmp_path, engines=False)

    def failed() -> set[bytes]:
        # Status code 2 is an error.
        return {span.trace_id for span in collector.spans if span.status.code == 2}

    def crashes() -> list[bytes]:
        sent = [item.body for item in collector.deliveries if item.path == "/api/1/envelope/"]
        return [body for body in sent if b"KeyError" in body]

    assert collector.wait(lambda: failed() and crashes(), timeout=20)
    assert any(trace.hex().encode() in body for trace in failed() for body in crashes())


@pytest.mark.engines
def test_engines_of_a_page_that_fails_are_stopped(tmp_path: Path) -> None:
    page, state = tmp_path / "page.md", tmp_path / "state"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    page.write_text(
        f"```sh engines\nobs stack up --dir state --only prometheus --port prometheus={port}\nfalse\n```\n",
        encoding="utf-8",
    )

    with pytest.raises(AssertionError, match="ended with 1"):
        _run_page(page, tmp_path, engines=True)

    assert state.is_dir()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


@pytest.mark.engines
@pytest.mark.parametrize("page", _PAGES, ids=_IDS)
def test_every_block_runs_with_engines(page: Path, tmp_path: Path) -> None:
    ran = _run_page(page, tmp_path, engines=True)
    assert ran > 0 or "```sh docker" in page.read_text(encoding="utf-8")


def test_the_readme_shows_a_first_success_by_line_25() -> None:
    lines = (_ROOT / "README.md").read_text(encoding="utf-8").splitlines()

    assert any("make demo" in line for line in lines[:25])


def test_under_ten_lines_take_each_framework_to_four_pillars() -> None:
    """What the tutorials add to a plain service, counted; nothing of it is taken away."""
    found = {}
    for page in sorted((_ROOT / "docs" / "tutorial").glob("*.md")):
        files = {block.words[1]: block.body for block in _blocks(page) if len(block.words) > 1}
        if "plain.py" not in files:
            continue
        instrumented = files.get("app.py") or files["tasks.py"]
        steps = list(difflib.ndiff(files["plain.py"].splitlines(), instrumented.splitlines()))
        assert not [step for step in steps if step.startswith("- ")], page.name
        found[page.stem] = sum(step.startswith("+ ") and bool(step[2:].strip()) for step in steps)
    assert found == {"celery": 6, "django": 4, "fastapi": 4, "flask": 4, "grpc": 5}
