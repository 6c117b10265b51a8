"""What is no spec at all: no file, no text, no YAML, or YAML that says more than plain values can."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.errors import ObsError
from obs.generate import pipeline
from obs.generate.spec.document import MAX_BYTES

HEAD = "version: obs/v1\nservice: {name: shop, team: us}\ncapabilities: [http, jobs, process]\n"

#: What is wrong -> (spec, the whole message).
BROKEN: dict[str, tuple[str, str]] = {
    "an empty file": (
        "",
        "spec.yml: the file is empty\n  hint: a spec starts with `version: obs/v1`",
    ),
    "a list": (
        "- version\n",
        "spec.yml:1:1: the spec: got a list, expected a mapping",
    ),
    "a second document": (
        HEAD + "---\na: b\n",
        "spec.yml:4:1: a second document starts here: one file is one spec",
    ),
    "a duplicate key": (
        HEAD + "capabilities: [http]\n",
        "spec.yml:4:1: key 'capabilities' is given twice\n  hint: the first one is in line 3",
    ),
    "a duplicate alert": (
        HEAD + "alerts:\n  TargetDown: {for: 1m}\n  TargetDown: {for: 2m}\n",
        "spec.yml:6:3: key 'TargetDown' is given twice\n  hint: the first one is in line 5",
    ),
    "an alias": (
        HEAD + "links: &a {grafana: https://g.example}\nnotify: *a\n",
        "spec.yml:5:9: alias *a is not supported\n  hint: share values with `extends: ./defaults.yml`",
    ),
    "a tag": (
        HEAD + "notify: !!python/name:os.system {}\n",
        (
            "spec.yml:4:9: tag tag:yaml.org,2002:python/name:os.system is not supported\n"
            "  hint: write a plain value"
        ),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_no_mapping_of_plain_values_is_answered_with_its_place(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, message = BROKEN[name]
    monkeypatch.chdir(tmp_path)
    Path("spec.yml").write_text(text, encoding="utf-8")

    with pytest.raises(ObsError) as refusal:
        pipeline.plan([Path("spec.yml")])

    assert message == str(refusal.value)
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version: [obs/v1\nservice: x\n", "spec.yml:2:8"),
        ("version: obs/v1\n\tservice: x\n", "spec.yml:2:1"),
        ("version: 'obs/v1\n", "spec.yml:2:1"),
        ("a: b: c\n", "spec.yml:1:5"),
    ],
)
def test_broken_yaml_is_named_with_its_place(
    text: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spec.yml").write_text(text, encoding="utf-8")

    with pytest.raises(ObsError, match=f"^{place}: broken YAML: "):
        pipeline.plan([Path("spec.yml")])


def test_a_file_that_is_no_text_is_refused_with_its_line(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yml"
    spec.write_bytes(b"version: obs/v1\nservice: \xff\n")

    with pytest.raises(ObsError, match=r"spec\.yml:2: not UTF-8 text"):
        pipeline.plan([spec])


def test_a_file_larger_than_a_megabyte_is_refused_unread(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yml"
    spec.write_bytes(b"#" * (MAX_BYTES + 1))

    with pytest.raises(ObsError, match="larger than 1,000,000 bytes"):
        pipeline.plan([spec])


def test_deep_nesting_is_refused_before_it_exhausts_the_stack(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yml"
    spec.write_text("a: " + "[" * 5_000, encoding="utf-8")

    with pytest.raises(ObsError, match=r"spec\.yml:1:\d+: (nested deeper than 20 levels|broken YAML)"):
        pipeline.plan([spec])


@pytest.mark.parametrize("path", ["nowhere", "empty"])
def test_no_spec_is_an_error_and_not_an_empty_plan(path: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(ObsError, match=r"no such file or directory|no spec here"):
        pipeline.plan([tmp_path / path])


def test_a_loop_of_links_is_no_spec(tmp_path: Path) -> None:
    (tmp_path / "a.yml").symlink_to("b.yml")
    (tmp_path / "b.yml").symlink_to("a.yml")

    with pytest.raises(ObsError, match=r"a\.yml: cannot read the spec: Too many levels of symbolic links"):
        pipeline.plan([tmp_path])
