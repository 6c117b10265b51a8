"""The outcome of a run as a page: figures a file, survivors with the reason, what is not judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.mutations.files import APART
from tests.mutations.reasons import is_equivalent, reason
from tests.mutations.trial import Trial

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "mutations.md"
_COLUMNS = ("killed", "survived", "unread", "equivalent", "refused", "words", "same")


def score(trials: Sequence[Trial]) -> float:
    """Return the share of killed ones among those that write other rules, or stand where nothing runs."""
    counts = _counts(trials)
    judged = counts["killed"] + counts["survived"] + counts["unread"]
    return counts["killed"] / judged if judged else 1.0


def _counts(trials: Sequence[Trial]) -> Counter[str]:
    return Counter("equivalent" if is_equivalent(trial) else trial.verdict for trial in trials)


def table(trials: Sequence[Trial]) -> str:
    """Return the figures of each file as a Markdown table."""
    files: dict[str, list[Trial]] = {}
    for trial in trials:
        files.setdefault(trial.mutant.path, []).append(trial)
    head = ("file", "mutants", *_COLUMNS, "killed of judged")
    lines = [f"| {' | '.join(head)} |", "|---" + "|---:" * (len(head) - 1) + "|"]
    lines += [_row(f"`{path}`", of_file) for path, of_file in sorted(files.items())]
    return "\n".join([*lines, _row("**all**", trials)]) + "\n"


def _row(name: str, trials: Sequence[Trial]) -> str:
    counts = _counts(trials)
    figures = [str(counts[verdict]) for verdict in _COLUMNS]
    judged = counts["killed"] + counts["survived"] + counts["unread"]
    share = f"{100 * counts['killed'] / judged:.1f} %" if judged else "-"
    return f"| {name} | {len(trials)} | {' | '.join(figures)} | {share} |"


_HEAD = """\
# What notices a mistake in the generator

`make mutants` breaks `src/obs/generate/derive`, one mistake at a time: thresholds, windows, waits, factors,
floors, comparisons, arithmetic, conditions, arguments that are dropped or swapped, signals mistaken for one
another, and the operators, functions, labels and windows inside the PromQL. It writes this page.

Each mutant writes the rules of a corpus of services. The judge is the frozen table in
`tests/mutations/stories`: sample series and what an alert must do on them, as data. promtool plays the stories
of every rule that the mutant writes in another way. The tests that the mutant itself would generate are never
asked: they would follow the mistake. Nothing is compared byte by byte either: a rule that is written differently
and does the same is not noticed, as it should be.

- **killed**: a story fails, or an alert is gone.
- **survived**: other rules, and no story fails. Listed below, with the reason.
- **unread**: the statement runs for no service of the corpus. Counts as survived.
- **equivalent**: other rules that do the same on any samples; listed below, with the reason. Not counted.
- **refused**: the generator itself stops with an error, so nobody could miss it. Not counted.
- **words**: the rules are the same; a page, a panel or the stories that would be generated are not. Not counted.
- **same**: nothing that is derived for the corpus is another: equivalent here. Not counted.

"""
_LIBRARIES = """\
## Why no library

cosmic-ray 8.7 and mutmut 3.8 were tried first. They change operators and numbers of Python. Of an alert, nearly
all that matters stands in strings: `"5m"`, `"0.05"`, `f"({bad} >= {floor}) / {every} > {threshold}"`. For the
alerts of `http`, cosmic-ray finds 25 places, 10 of them one multiplication inside a story, and no window, no
wait, no ratio and no PromQL; it also edits the files in place, where other work goes on. mutmut replaces whole
functions and leaves constants of modules alone, which is where thresholds, windows and waits are written. So the
mutants are our own (`tests/mutations/sites.py`, `fragments.py`), loaded in place of one module in memory.
"""


def render(trials: Sequence[Trial], there_are: int) -> str:
    """Return the page of the mutants that were tried, of so many that there are."""
    counts = _counts(trials)
    judged = counts["killed"] + counts["survived"] + counts["unread"]
    tried = (
        f"{len(trials)} mutants"
        if len(trials) == there_are
        else f"{len(trials)} mutants, chosen by chance of {there_are}"
    )
    figures = (
        f"**{counts['killed']} of {judged} killed: {100 * score(trials):.1f} %**, of {tried}, "
        f"in {len({trial.mutant.path for trial in trials})} files.\n\n"
    )
    apart = "".join(f"| `{pattern}` | {why} |\n" for pattern, why in sorted(APART.items()))
    return (
        f"{_HEAD}{figures}{table(trials)}\n## Survivors\n\n{_survivors(trials)}\n"
        f"## Files that are not judged\n\n| files | why |\n|---|---|\n{apart}\n{_LIBRARIES}"
    )


def _survivors(trials: Sequence[Trial]) -> str:
    rows: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.verdict in {"survived", "unread"}:
            rows.setdefault(reason(trial), []).append(trial)
    parts = []
    for why, found in sorted(rows.items()):
        lines = "".join(f"| `{t.mutant.path}` | {t.mutant.line} | {_change(t)} |\n" for t in found)
        parts.append(f"{why[0].upper()}{why[1:]}:\n\n| file | line | change |\n|---|---:|---|\n{lines}")
    return "\n".join(parts) or "None.\n"


def _change(trial: Trial) -> str:
    before, after = (_short(text) for text in (trial.mutant.before, trial.mutant.after))
    return f"`` {before} `` to `` {after} ``"


def _short(text: str) -> str:
    line = " ".join(text.split()).replace("|", "\\|")
    return line if len(line) <= 80 else f"{line[:38]} … {line[-38:]}"
