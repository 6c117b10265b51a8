"""Break the generator of alerts, one mistake at a time, and count what the frozen table notices.

    python -m tests.mutations.run [--write] [--freeze] [--sample N] [--seed S] [--minutes M] [--least PERCENT]
        [FILE ...]

Each mutant of a file under src/obs/generate/derive writes the rules of a small corpus; the table in
tests/mutations/stories, which no mutant can touch, is played on every rule that is another now.
Exit: 0 when at least 90 % (or --least) are killed, 1 when fewer, 2 when the sound rules do not pass the table.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from pathlib import Path

from tests.mutations import frozen, page
from tests.mutations.corpus import Scope, rules
from tests.mutations.files import judged
from tests.mutations.judge import Judge
from tests.mutations.loading import FOLDER, sound
from tests.mutations.sites import Mutant, mutants
from tests.mutations.trial import Court, Trial

from obs.stack import engines

#: Of the mutants that write other rules, so many of a hundred must be noticed.
LEAST = 90


def promtool() -> Path:
    """Return the newest promtool that is promised, installed where it is not."""
    return engines.install(["promtool"], routes=["go"])["promtool"].path


def every_mutant(names: Sequence[str] = ()) -> list[Mutant]:
    """Return the mutants of the judged files; of those whose path holds one of `names`, if any."""
    paths = [path for path in judged() if not names or any(name in path for name in names)]
    return [mutant for path in paths for mutant in mutants(path, (FOLDER / path).read_text(encoding="utf-8"))]


def sample(every: Sequence[Mutant], number: int, seed: int) -> list[Mutant]:
    """Return `number` of the mutants, the same ones for the same files and seed."""
    return random.Random(seed).sample(list(every), min(number, len(every)))


def flaws(program: Path, workers: int) -> list[str]:
    """Return what the table finds wrong with the sound rules: it must be nothing."""
    found = rules(sound(), Scope())
    table = frozen.load()
    lost = [f"{key} has stories, but is not generated any more" for key in sorted(set(table) - set(found))]
    lost += [f"{key} has no stories" for key in sorted(set(found) - set(table))]
    for scope in {Scope.of(path) for path in judged()}:
        cut = rules(sound(), scope)
        lost += [
            f"{key} is another within {scope}"
            for key in cut
            if cut[key].shape_of_alert != found[key].shape_of_alert
        ]
    parts = [list(found.values())[start::workers] for start in range(workers)]
    # The work is promtool's, which is a process of its own.
    with ThreadPoolExecutor(max_workers=workers) as pool:
        wrong = list(pool.map(Judge(program, table).verdict, parts))
    return lost + [one for one in wrong if one]


def trials(chosen: Sequence[Mutant], program: Path, workers: int, seconds: float) -> Iterator[Trial]:
    """Try each mutant in the order given, `workers` at once; take up no more after so many seconds."""
    end = time.monotonic() + seconds
    with ProcessPoolExecutor(max_workers=workers) as pool:
        for trial in pool.map(_try, [str(program)] * len(chosen), chosen):
            yield trial
            if time.monotonic() > end:
                pool.shutdown(cancel_futures=True)
                return


@cache
def _court(program: str) -> Court:
    return Court(Path(program))


def _try(program: str, mutant: Mutant) -> Trial:
    return _court(program).trial(mutant)


def main() -> int:
    """Run what the arguments ask for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations.run")
    parser.add_argument("files", nargs="*", metavar="FILE", help="parts of paths under derive/; default all")
    parser.add_argument("--write", action="store_true", help=f"write {page.PAGE.name}")
    parser.add_argument(
        "--freeze", action="store_true", help="write the table anew: what alerts mean has changed"
    )
    parser.add_argument("--sample", type=int, default=0, help="only so many, chosen by the seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=math.inf, help="take up no more after so long")
    parser.add_argument("--least", type=int, default=LEAST, metavar="PERCENT")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if options.freeze:
        frozen.freeze(rules(sound(), Scope()).values())
    program = promtool()
    wrong = flaws(program, options.jobs)
    if wrong:
        sys.stderr.write("\n".join(wrong) + "\nthe sound rules fail the table: mend them, or --freeze\n")
        return 2
    every = every_mutant(options.files)
    # In an order of chance, so that whatever is done in time is a fair sample.
    chosen = sample(every, options.sample or len(every), options.seed)
    done = []
    for number, trial in enumerate(trials(chosen, program, options.jobs, options.minutes * 60), 1):
        done.append(trial)
        if trial.verdict in {"survived", "unread"}:
            sys.stderr.write(f"[{number}/{len(chosen)}] {trial.verdict}: {trial.mutant} ({trial.seen})\n")
    sys.stdout.write(page.table(done))
    if options.write:
        page.PAGE.write_text(page.render(done, len(every)), encoding="utf-8")
    return 0 if page.score(done) * 100 >= options.least else 1


if __name__ == "__main__":
    raise SystemExit(main())
