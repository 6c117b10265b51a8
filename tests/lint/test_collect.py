"""Which files are read: each once, whatever leads to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.errors import ConfigError
from obs.lint import collect
from obs.lint.settings import Settings

RULES = "groups:\n  - name: shop\n    rules:\n      - {alert: Down, expr: up == 0}\n"
PAGE = "# Down\n\n## Meaning\n\nGone.\n\n## Diagnosis\n\n1. Look.\n\n## Mitigation\n\n1. Act.\n"


def _names(*paths: Path) -> list[str]:
    return [Path(document.file).name for document in collect.documents(paths, Settings())]


def test_a_file_and_a_link_to_it_are_one(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES, encoding="utf-8")
    (tmp_path / "shop.yml").symlink_to("rules.yml")

    assert _names(tmp_path) == ["rules.yml"]
    assert _names(tmp_path / "shop.yml", tmp_path) == ["shop.yml"]


def test_a_page_may_have_the_names_of_several_alerts(tmp_path: Path) -> None:
    runbooks = tmp_path / "runbooks"
    runbooks.mkdir()
    (runbooks / "Down.md").write_text(PAGE, encoding="utf-8")
    (runbooks / "Gone.md").symlink_to("Down.md")

    assert _names(tmp_path) == ["Down.md", "Gone.md"]


def test_links_that_lead_nowhere_or_round_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES, encoding="utf-8")
    (tmp_path / "dead.yml").symlink_to("nowhere.yml")
    (tmp_path / "self.yml").symlink_to("self.yml")
    (tmp_path / "round").symlink_to(".")

    assert _names(tmp_path) == ["rules.yml"]


@pytest.mark.parametrize("name", ["dead.yml", "self.yml"])
def test_a_link_that_leads_nowhere_is_a_mistake_where_it_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "dead.yml").symlink_to("nowhere.yml")
    (tmp_path / "self.yml").symlink_to("self.yml")

    with pytest.raises(ConfigError):
        _names(tmp_path / name)
