"""What each check of runbooks and their links complains of, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from obs.lint import run
from obs.lint.problem import Problem

PAGE = """\
    # Down

    ## Meaning

    It is down.

    ## Impact

    Nobody can buy.

    ## Diagnosis

    1. Ask.

       ```promql
       up == 0
       ```

    ## Mitigation

    1. Start it.

    ## Escalation

    - Call the team.

    ## Verification

    - It is up.
    """
URL = "https://runbooks.example.com/shop/Down"


def _rule(url: str, name: str = "Down") -> str:
    return f"groups: [{{name: shop, rules: [{{alert: {name}, expr: up == 0, labels: {{service: shop}}, annotations: {{runbook_url: '{url}'}}}}]}}]"


def _problems(folder: Path, check: str, **files: str) -> list[Problem]:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_md", ".md").replace("_yml", ".yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    settings = folder / "obs-lint.yml"
    report = run.lint([folder], config=settings if settings.exists() else None)
    return [one for one in report.problems if one.check == check]


@pytest.mark.parametrize(
    ("url", "count"),
    [
        (URL, 0),
        (f"{URL}.md", 0),
        (f"{URL}/", 0),
        ("https://runbooks.example.com/SHOP/down", 0),
        ("https://example.com/deep/er/shop/Down?x=1#meaning", 0),
        (f"{URL}#nothing", 1),
        ("https://runbooks.example.com/other/Down", 1),
        ("https://runbooks.example.com/Down", 1),
        ("https://runbooks.example.com/{{ $labels.service }}/Down", 0),
        ("https://runbooks.example.com/{{ $labels.instance }}/Down", 0),
        ("", 0),
    ],
)
def test_an_address_must_lead_to_a_page(tmp_path: Path, url: str, count: int) -> None:
    assert (
        len(_problems(tmp_path, "runbook-missing", rules_yml=_rule(url), runbooks__shop__Down_md=PAGE))
        == count
    )


def test_without_pages_no_page_is_missed(tmp_path: Path) -> None:
    assert _problems(tmp_path, "runbook-missing", rules_yml=_rule(URL)) == []


def test_addresses_elsewhere_are_left_alone_where_it_is_known_where_ours_are(tmp_path: Path) -> None:
    files = {
        "rules_yml": _rule("https://other.example/Gone"),
        "runbooks__shop__Down_md": PAGE,
        "obs-lint_yml": "runbooks: https://runbooks.example.com\n",
    }

    assert _problems(tmp_path, "runbook-missing", **files) == []
    (found,) = _problems(tmp_path, "runbook-url", **files)
    assert "not below https://runbooks.example.com" in found.message


@pytest.mark.parametrize(
    ("url", "severities"),
    [
        (URL, []),
        ("shop/Down.md", ["error"]),
        ("/shop/Down", ["error"]),
        ("//runbooks.example.com/shop", ["error"]),
        ("{{ $externalURL }}/shop", []),
        ("http://[x/shop", ["error"]),
    ],
)
def test_an_address_is_absolute(tmp_path: Path, url: str, severities: list[str]) -> None:
    assert [one.severity for one in _problems(tmp_path, "runbook-url", rules_yml=_rule(url))] == severities


def test_lists_and_pages_of_alerts_are_no_orphans(tmp_path: Path) -> None:
    files = {"rules_yml": _rule(URL), "runbooks__README_md": "# All\n", "runbooks__shop__Down_md": PAGE}

    assert _problems(tmp_path, "runbook-orphaned", **files) == []
    (found,) = _problems(tmp_path, "runbook-orphaned", **files, runbooks__shop__Gone_md=PAGE)
    assert found.message == "no alert leads to the page Gone"


def test_a_page_with_everything_has_no_problem(tmp_path: Path) -> None:
    _problems(tmp_path, "", runbooks__shop__Down_md=PAGE)

    assert [one for one in run.lint([tmp_path]).problems if one.check != "not-checked"] == []


@pytest.mark.parametrize(
    ("check", "old", "new", "severities"),
    [
        ("runbook-headings", "## Impact", "## Effects", ["warning"]),
        ("runbook-headings", "## Verification", "## Afterwards", ["info"]),
        ("runbook-headings", "## Impact", "## IMPACT:", []),
        ("runbook-headings", "Nobody can buy.", "<!-- to come -->", ["warning"]),
        ("runbook-placeholder", "It is down.", "It is TBD.", ["warning"]),
        ("runbook-placeholder", "It is down.", "`TODO` is a tag.", []),
        ("runbook-placeholder", "It is down.", "What there is to do.", []),
        ("runbook-placeholder", "It is down.", "Coming soon.", ["warning"]),
        ("runbook-query", "promql", "bash", ["warning"]),
        ("runbook-query", "up == 0", "up ==", ["warning"]),
        ("runbook-query", "up == 0", "1", ["warning"]),
        ("runbook-query", "promql", "", []),
        ("runbook-query", "promql", "logql", []),
        ("runbook-title", "# Down", "# It is Down", ["warning"]),
        ("runbook-title", "# Down\n", "---\ntitle: Down\n---\n", []),
        ("runbook-title", "# Down\n", "", ["warning"]),
        ("runbook-mitigation", "1. Start it.", "Start it.", ["warning"]),
        ("runbook-mitigation", "1. Start it.", "```bash\nstart\n```", []),
        ("runbook-link-dead", "It is down.", "[a](#Mitigation) [b](https://x.example/#y) [c](/d) <a@b.example>", []),
        ("runbook-link-dead", "It is down.", "[a](#mitigate)", ["error"]),
        ("runbook-link-dead", "It is down.", "[a](../nowhere/) [b](Down.md#impact) [c](Down.md#nothing)", ["error"] * 2),
    ],
)  # fmt: skip
def test_one_change_of_a_good_page(
    tmp_path: Path, check: str, old: str, new: str, severities: list[str]
) -> None:
    page = dedent(PAGE)
    assert old in page

    found = _problems(tmp_path, check, runbooks__shop__Down_md=page.replace(old, new, 1))

    assert [one.severity for one in found] == severities
