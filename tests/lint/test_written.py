"""A character of a value is found in the text that it was written as, whatever the style."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from obs.lint.read import yaml_tree
from obs.lint.read.yaml_tree import BrokenYaml
from obs.lint.source import Source, Text
from obs.lint.written import offset

_BACKSLASH = "\\"


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1))
@settings(max_examples=150, deadline=None)
def test_each_character_of_a_json_string_is_found(value: str) -> None:
    raw = json.dumps(value)

    for at, letter in enumerate(value):
        found = offset(raw, value, "json", at)
        assert raw[found] == letter or raw[found] == _BACKSLASH


@pytest.mark.parametrize(
    "written",
    [
        "key: sum by (job) (up)",
        "key: 'it''s {{ $labels.x }}'",
        'key: "a \\"quoted\\" {{ $labels.x }} \\u00e9 word"',
        "key: |\n  first line\n    second {{ x }}\n\n  third",
        "key: |-\n    deep\n    lines",
        "key: >\n  folded\n  text here\n\n  and more",
        "key: plain text\n  on two lines",
        'key: "quoted\n  on two lines"',
        "key: |\r\n  with\r\n  returns",
    ],
)
def test_each_word_of_a_scalar_is_found(written: str) -> None:
    source = Source("file.yml", written)
    node = yaml_tree.documents(source)[0].get("key")
    assert node is not None
    text = node.text
    assert text is not None
    assert text.value == yaml.safe_load(written)["key"]

    for word in text.value.split():
        if word.isascii() and '"' not in word and "'" not in word:
            span = text.at(text.value.index(word), len(word))
            assert source.text[span.start : span.end] == word


def test_what_cannot_be_aligned_is_still_a_place() -> None:
    text = Text("something else", Source("file", "key: value"), 5, 10, "")

    assert text.at(9).place.line == 1


@pytest.mark.parametrize(
    "deep",
    [
        "[" * 200_000,
        "{a: " * 50_000,
        "- " * 100_000,
        "? " * 100_000,
        "".join(f"{' ' * n}a:\n" for n in range(400)),
    ],
    ids=["lists", "mappings", "dashes", "keys", "indentation"],
)
def test_what_is_nested_too_deeply_is_refused_and_ends_no_process(deep: str) -> None:
    with pytest.raises(BrokenYaml):
        yaml_tree.documents(Source("deep.yml", deep))


def test_many_brackets_that_are_not_nested_are_read() -> None:
    text = "groups:\n" + "".join(f'  - "{{{{ $labels.x{number} }}}} [{number}]"\n' for number in range(500))

    assert len(yaml_tree.documents(Source("flat.yml", text))[0].keys["groups"].node.items) == 500
