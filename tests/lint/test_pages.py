"""Every check has a page, and what the page shows as bad and good is what the linter says of it.

A fence's info string is ``language file``: the blocks under Bad are written into one directory and linted
with every check there is, those under Good into another. The two differ by one fault: the checks that
complain of the bad one only are exactly the check of the page. A file ``contract.json`` serves as
``--contract``, ``obs-lint.yml`` as settings.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from obs.lint import pages, run
from obs.lint.check import Check
from obs.lint.register import all_checks

_ROOT = Path(__file__).parents[2]
_PAGES = _ROOT / "docs" / "reference" / "lint"
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FENCE_4 = re.compile(r"^````(?P<info>[^\n`]*)\n(?P<body>.*?)^````$", re.MULTILINE | re.DOTALL)
#: The day of the pages, for those that snooze.
_TODAY = dt.date(2026, 6, 1)
_CHECKS = all_checks()


def _sections(text: str) -> dict[str, str]:
    # A heading inside of a block is none: blocks are blanked out while headings are looked for.
    plain = _FENCE.sub(lambda m: "x" * len(m[0]), _FENCE_4.sub(lambda m: "x" * len(m[0]), text))
    heads = [
        (match[1], match.start(), match.end()) for match in re.finditer(r"^## (.+)$", plain, re.MULTILINE)
    ]
    ends = [start for _, start, _ in heads[1:]] + [len(text)]
    return {name: text[end:stop] for (name, _, end), stop in zip(heads, ends, strict=True)}


def _lint(section: str, directory: Path) -> set[str]:
    directory.mkdir()
    found = _FENCE_4.findall(section) or _FENCE.findall(section)
    for info, body in found:
        words = info.split()
        if len(words) == 2:
            path = directory / words[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body, encoding="utf-8")
    contract = directory / "contract.json"
    config = directory / "obs-lint.yml"
    report = run.lint(
        [directory],
        contracts=[contract] if contract.exists() else [],
        config=config if config.exists() else None,
        today=_TODAY,
    )
    return {problem.check for problem in report.problems}


def _ids(check: Check) -> str:
    return check.id


@pytest.mark.parametrize("check", _CHECKS, ids=_ids)
def test_a_page_has_its_headings_and_says_what_the_check_is(check: Check) -> None:
    text = pages.page(check.id)

    assert text.startswith(f"# {check.id}\n")
    assert tuple(_sections(text)) == pages.HEADINGS
    needs = {"": "", "contract": " Needs a contract.", "live": " Needs a server (`--live`)."}[check.needs]
    kinds = ", ".join(check.kinds)
    assert f"\nSeverity: {check.severity}. Looks at: {kinds}.{needs}\n" in text


@pytest.mark.parametrize("check", [check for check in _CHECKS if check.needs != "live"], ids=_ids)
def test_what_a_page_calls_bad_is_found_and_what_it_calls_good_is_not(check: Check, tmp_path: Path) -> None:
    sections = _sections(pages.page(check.id))

    bad = _lint(sections["Bad"], tmp_path / "bad")
    good = _lint(sections["Good"], tmp_path / "good")

    assert bad - good == {check.id}
    assert check.id not in good


def test_every_page_belongs_to_a_check() -> None:
    assert {path.stem for path in _PAGES.glob("*.md")} - {"README"} == {check.id for check in _CHECKS}
