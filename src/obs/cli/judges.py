"""The judges of `obs test`: promtool, amtool, and our own reader of LogQL; each gives results of files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from obs.errors import ObsError, SpecError, StackError

if TYPE_CHECKING:
    from obs.generate.spec.document import Node

#: Told after each result: how many there are to come is known from the start.
Done = Callable[[int], None]
#: Test files that one promtool reads; starting a program costs more than a small file.
_BATCH = 8
#: A run lives for seconds: memory up to this is cheaper than collecting it, and the processors have a run each.
SHORT_LIVED = {"GOGC": "off", "GOMEMLIMIT": "256MiB", "GOMAXPROCS": "1"}
_WITHIN = 600.0
#: What an older promtool says of a key -> what to do about it.
_TOO_OLD = {
    "field query_offset not found": "  telemetry.query_offset of the spec needs Prometheus 2.53 or newer; this promtool, and any server as "
    "old, refuses the whole file\n  hint: obs stack install promtool, or take the key out of the spec",
}


@dataclass(frozen=True, slots=True)
class Result:
    """What one judge said of one file, or of one test in it."""

    path: Path
    #: ``rules``, ``tests``, ``config``, ``routes`` or ``logs``.
    check: str
    passed: bool
    output: str = ""
    #: Which test of the file; "" for all of it.
    test: str = ""


@dataclass(frozen=True, slots=True)
class Generated:
    """The files of one directory that `obs test` judges."""

    rules: tuple[Path, ...]
    tests: tuple[Path, ...]
    config: Path | None
    routes: Path | None
    logs: tuple[Path, ...]

    @classmethod
    def under(cls, alerts: Path) -> Generated:
        """Find them under ``alerts/``."""
        config, routes = alerts / "alertmanager.yml", alerts / "tests" / "routes.yml"
        return cls(
            rules=tuple(sorted((alerts / "prometheus").glob("*.yml"))),
            tests=tuple(sorted((alerts / "tests").glob("*_test.yml"))),
            config=config if config.is_file() else None,
            routes=routes if routes.is_file() else None,
            logs=tuple(sorted((alerts / "loki").rglob("*.yml"))),
        )


def rules(promtool: str, files: Sequence[Path]) -> list[Result]:
    """Lint every rule file; what lint finds is a failure."""
    return _in_batches(promtool, ("check", "rules", "--lint-fatal"), "rules", files, lambda _: None)


def tests(promtool: str, files: Sequence[Path], done: Done) -> list[Result]:
    """Run every test file, as many at a time as there are processors."""
    return _in_batches(promtool, ("test", "rules"), "tests", files, done)


def config(amtool: str, file: Path) -> Result:
    """Check the configuration of Alertmanager with its templates."""
    passed, output = _run((amtool, "check-config", str(file)))
    return Result(file, "config", passed, output)


def routes(amtool: str, file: Path) -> list[Result]:
    """Send each alert of the tests through the routes, and compare whom it reaches."""
    from obs.generate.spec import document, fields

    own = fields.mapping(document.read(file), "the tests", ("config", "tests"))
    against = file.parent / fields.text(own["config"].node, "config")
    cases = [_case(node) for node in fields.texts(own["tests"].node, "tests")]

    def judge(case: _Case) -> Result:
        labels = [f"{name}={value}" for name, value in case.labels.items()]
        expected = f"--verify.receivers={','.join(case.receivers)}"
        passed, output = _run(
            (amtool, "config", "routes", "test", f"--config.file={against}", expected, *labels)
        )
        return Result(file, "routes", passed, output, case.says)

    with _pool() as pool:
        return list(pool.map(judge, cases))


def logs(files: Sequence[Path]) -> list[Result]:
    """Parse every LogQL expression of the rules for Loki."""
    return [result for file in files for result in _log_rules(file)]


@dataclass(frozen=True, slots=True)
class _Case:
    says: str
    labels: Mapping[str, str]
    receivers: tuple[str, ...]


def _case(node: Node) -> _Case:
    from obs.generate.spec import fields

    own = fields.mapping(node, "a test", ("says", "labels", "receivers"))
    labels = fields.mapping(own["labels"].node, "labels")
    return _Case(
        fields.text(own["says"].node, "says"),
        {name: fields.text(entry.node, name) for name, entry in labels.items()},
        tuple(fields.text(item, "receivers") for item in fields.texts(own["receivers"].node, "receivers")),
    )


def _log_rules(file: Path) -> Iterator[Result]:
    from obs.generate.derive.logql import parse
    from obs.generate.spec import document, fields

    try:
        for group in fields.texts(fields.mapping(document.read(file), file.name)["groups"].node, "groups"):
            for rule in fields.texts(fields.mapping(group, "a group")["rules"].node, "rules"):
                own = fields.mapping(rule, "a rule")
                name = fields.text(own["alert" if "alert" in own else "record"].node, "the name")
                try:
                    parse(str(own["expr"].node.value))
                except ObsError as error:
                    yield Result(file, "logs", passed=False, output=str(error), test=name)
                else:
                    yield Result(file, "logs", passed=True, test=name)
    except SpecError as error:
        yield Result(file, "logs", passed=False, output=str(error))
    except KeyError as error:
        yield Result(file, "logs", passed=False, output=f"no key {error} where rules for Loki have one")


def _in_batches(
    program: str, arguments: Sequence[str], check: str, files: Sequence[Path], done: Done
) -> list[Result]:
    """Give many files to one run; where one fails, ask again of each file, so that the answer is its own."""

    def judge(batch: Sequence[Path]) -> list[Result]:
        passed, output = _run((program, *arguments, *map(str, batch)))
        if passed or len(batch) == 1:
            found = [Result(file, check, passed, "" if passed else output) for file in batch]
        else:
            found = []
            for file in batch:
                alone, said = _run((program, *arguments, str(file)))
                found.append(Result(file, check, alone, "" if alone else said))
        done(len(batch))
        return found

    size = max(1, min(_BATCH, -(-len(files) // _workers())))
    with _pool() as pool:
        return [result for found in pool.map(judge, _batches(files, size)) for result in found]


def _batches(files: Sequence[Path], size: int) -> Iterable[Sequence[Path]]:
    return [files[start : start + size] for start in range(0, len(files), size)]


def _workers() -> int:
    return os.cpu_count() or 1


def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_workers())


def _run(argv: Sequence[str]) -> tuple[bool, str]:
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # In one stream, the order in which it was said stays.
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=_WITHIN,
            env={**SHORT_LIVED, **os.environ},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"{Path(argv[0]).name} could not be run: {error}") from None
    return done.returncode == 0, _explained(done.stdout.strip())


def _explained(output: str) -> str:
    """Return what a judge said, with the reason where an older one does not know what a spec asked for."""
    told = (reason for words, reason in _TOO_OLD.items() if words in output)
    return "\n".join((output, *told))
