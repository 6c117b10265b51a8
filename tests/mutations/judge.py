"""Judges rules by the frozen table: promtool plays each story and says whether the alert does what it must."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import chain, repeat
from pathlib import Path

from tests.mutations.corpus import Rule
from tests.mutations.frozen import Story, steps_of, tests

from obs.generate.render.yaml_writer import dump

#: Alerts that the first promtools judge, and each one after them. Nearly every mistake is found by the alert
#: whose stories are the shortest; what survives that is played in fewer processes.
_AT_ONCE = (1, 3, 8)
_TIMEOUT = 120
#: As `obs test` asks: one processor each, as several run at once, and fewer collections, as none lives long.
_SHORT_LIVED = {"GOGC": "400", "GOMAXPROCS": "1"}


class Judge:
    """Plays the stories of the table on rules, with one promtool."""

    def __init__(self, promtool: Path, table: dict[str, list[Story]]) -> None:
        self._promtool = promtool
        self._table = table

    def verdict(self, rules: Sequence[Rule]) -> str:
        """Return what promtool finds wrong with the first of `rules` that is; empty when none is."""
        told = sorted(
            (rule for rule in rules if rule.key in self._table),
            key=lambda rule: sum(map(steps_of, self._table[rule.key])),
        )
        for size in chain(_AT_ONCE, repeat(_AT_ONCE[-1])):
            if not told:
                return ""
            now, told = told[:size], told[size:]
            if wrong := self._play(now):
                return wrong
        return ""

    def _play(self, rules: Sequence[Rule]) -> str:
        with tempfile.TemporaryDirectory() as folder:
            files = [str(file) for n, rule in enumerate(rules) for file in self._write(rule, Path(folder), n)]
            try:
                done = subprocess.run(
                    [str(self._promtool), "test", "rules", *files],
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=_TIMEOUT,
                    env={**os.environ, **_SHORT_LIVED},
                )
            except subprocess.TimeoutExpired:
                return "promtool did not come to an end"
        return (done.stdout + done.stderr).strip() if done.returncode else ""

    def _write(self, rule: Rule, folder: Path, number: int) -> list[Path]:
        name = f"{number}.yml"
        (folder / name).write_text(rule.text, encoding="utf-8")
        written = []
        for index, document in enumerate(
            tests(self._table[rule.key], name, [g.name for g in rule.file.groups])
        ):
            path = folder / f"{number}-{index}_test.yml"
            path.write_text(dump(document), encoding="utf-8")
            written.append(path)
        return written
