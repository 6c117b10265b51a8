from __future__ import annotations

import os
from pathlib import Path

import pytest

from obs.console import library as module
from obs.console.library import Entry, Library
from obs.errors import ConfigError, StackError


def _write(root: Path, name: str, text: str = "# X\n") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _page(severity: str, meaning: str = "It is `down`. More words.") -> str:
    return f"# X\n\n| | |\n|---|---|\n| Severity | {severity} |\n\n## Meaning\n\n{meaning}\n\n## Impact\n"


def test_a_missing_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder of runbooks"):
        Library(tmp_path / "absent")


def test_entries_come_by_service_and_the_most_urgent_first(tmp_path: Path) -> None:
    for name, severity in [("b/One", "ticket"), ("b/Two", "page"), ("a/Three", "none"), ("a/Four", "ticket")]:
        _write(tmp_path, f"{name}.md", _page(severity))
    _write(tmp_path, "README.md")

    found = Library(tmp_path).entries()

    assert [(e.service, e.alert, e.severity) for e in found] == [
        ("a", "Four", "ticket"),
        ("a", "Three", "none"),
        ("b", "Two", "page"),
        ("b", "One", "ticket"),
    ]
    assert found[0].path == "/runbooks/a/Four"


def test_the_summary_is_the_first_sentence_of_the_meaning(tmp_path: Path) -> None:
    _write(tmp_path, "a/One.md", _page("page", "The service\nis **gone**. Rest."))

    assert Library(tmp_path).entries() == [Entry("a", "One", "page", "The service is gone.")]


def test_a_page_written_by_hand_is_listed_without_severity(tmp_path: Path) -> None:
    _write(tmp_path, "a/One.md", "just words")

    assert Library(tmp_path).entries() == [Entry("a", "One", "", "")]


def test_a_page_written_later_is_found(tmp_path: Path) -> None:
    library = Library(tmp_path)
    assert library.read("a", "One") is None

    _write(tmp_path, "a/One.md", "# One\n")

    assert library.read("a", "One") == "# One\n"


@pytest.mark.parametrize(
    ("service", "alert"),
    [
        ("..", "secret"), ("a", "../secret"), ("a", "..%2fsecret"), ("", "secret"), (".", "secret"),
        ("a", "One.md"), ("a", "One\0"), ("a/../..", "secret"), ("a", ""), ("a", "x" * 300),
    ],
)  # fmt: skip
def test_names_that_are_no_names_find_nothing(tmp_path: Path, service: str, alert: str) -> None:
    _write(tmp_path, "secret.md", "secret")
    _write(tmp_path, "books/a/One.md")

    assert Library(tmp_path / "books").read(service, alert) is None


def test_a_link_that_leads_out_does_not_exist(tmp_path: Path) -> None:
    secret = _write(tmp_path, "secret.md", "secret")
    books = tmp_path / "books"
    _write(books, "a/One.md")
    (books / "a" / "Two.md").symlink_to(secret)
    (books / "b").symlink_to(tmp_path)
    library = Library(books)

    assert library.read("a", "Two") is None
    assert library.read("b", "secret") is None
    assert [entry.alert for entry in library.entries()] == ["One"]


def test_a_loop_of_links_and_a_pipe_do_not_exist(tmp_path: Path) -> None:
    _write(tmp_path, "a/One.md")
    (tmp_path / "a" / "Loop.md").symlink_to(tmp_path / "a" / "Loop.md")
    os.mkfifo(tmp_path / "a" / "Pipe.md")
    library = Library(tmp_path)

    assert library.read("a", "Loop") is None
    assert library.read("a", "Pipe") is None
    assert library.count() == 1


def test_a_page_above_the_bound_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, "a/Full.md", "x" * module.MAX_BYTES)
    _write(tmp_path, "a/Over.md", "x" * (module.MAX_BYTES + 1))
    library = Library(tmp_path)

    assert library.read("a", "Full") == "x" * module.MAX_BYTES
    with pytest.raises(StackError, match="larger than"):
        library.read("a", "Over")


def test_bytes_that_are_no_text_are_replaced(tmp_path: Path) -> None:
    _write(tmp_path, "a/One.md").write_bytes(b"a\xffb")

    assert Library(tmp_path).read("a", "One") == "a\N{REPLACEMENT CHARACTER}b"


def test_the_nearest_page_is_found_for_a_wrong_name_and_for_a_wrong_service(tmp_path: Path) -> None:
    _write(tmp_path, "payments/TargetDown.md")
    _write(tmp_path, "worker/JobNotRunning.md")
    library = Library(tmp_path)

    assert library.nearest("payments", "TargetDwn") == "payments/TargetDown"
    assert library.nearest("x", "JobNotRunning") == "worker/JobNotRunning"
    assert library.nearest("zzz", "qqq") is None
