"""The reference page of the spec, from the table of keys that its readers use."""

from __future__ import annotations

from collections.abc import Iterator

from obs.generate.spec.shape import (
    SPEC,
    Choice,
    Either,
    Items,
    Key,
    Kind,
    Line,
    Number,
    Reason,
    Section,
    Span,
    Table,
    Text,
    Whole,
)

#: So many options can be read in one breath.
_FEW = 5
_HEAD = """\
# Keys of a spec

{made} `obs spec schema` prints the same as a JSON Schema for editors; the
[schema of a spec](spec.schema.json) and that of
[files which others extend](spec-defaults.schema.json) stand beside this page. The first line of a spec names it:

```yaml
# yaml-language-server: $schema=../docs/reference/spec.schema.json
```

A key in capitals is a name of your choice. What is required may also stand in a file that the spec extends.
In an environment nothing is required: what it says is laid upon the spec, mapping by mapping.
Durations are written `30s`, `5m`, `1h30m`. Signals and labels are those of the [catalogue](catalogue.md).
"""


def page(made: str) -> str:
    """Return the page; `made` says how it comes about."""
    parts = [_HEAD.format(made=made)]
    shown: dict[int, str] = {}
    for path, section in _sections("", SPEC):
        same = shown.setdefault(id(section), path)
        if same != path:
            continue
        parts.append(f"## {f'`{path}`' if path else 'The spec'}\n\n{_rules(section)}{_table(section, path)}")
    return "\n".join(parts)


def _sections(path: str, section: Section) -> Iterator[tuple[str, Section]]:
    yield path, section
    for key in section.keys:
        yield from _inner(f"{path}.{key.name}" if path else key.name, key.of)


def _inner(path: str, kind: Kind) -> Iterator[tuple[str, Section]]:
    if isinstance(kind, Section):
        yield from _sections(path, kind)
    elif isinstance(kind, Table):
        yield from _inner(f"{path}.{kind.name}", kind.of)
    elif isinstance(kind, Items):
        yield from _inner(f"{path}[]", kind.of)
    elif isinstance(kind, Either):
        for one in kind.of:
            yield from _inner(path, one)


def _rules(section: Section) -> str:
    said = [f"Exactly one of {_names(names)}." for names in section.one_of]
    said += [f"At least one of {_names(section.any_of)}."] if section.any_of else []
    said += [f"`{key}` needs `{other}`." for key, other in section.needs]
    return " ".join(said) + "\n\n" if said else ""


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(section: Section, path: str) -> str:
    rows = "\n".join(_row(key, path) for key in section.keys)
    return f"| key | type | default | example | meaning |\n|---|---|---|---|---|\n{rows}\n"


def _row(key: Key, path: str) -> str:
    default = "required" if key.required else f"`{key.default}`" if key.default else "none"
    example = f"`{key.name}: {key.example}`" if key.example else _below(key, path)
    cells = (f"`{key.name}`", _type(key.of), default, example, key.help)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _below(key: Key, path: str) -> str:
    """Say where the keys of a section are told."""
    inner = next(_inner(f"{path}.{key.name}" if path else key.name, key.of), None)
    return f"see `{inner[0]}`" if inner else ""


def _type(kind: Kind) -> str:
    if isinstance(kind, Table):
        return f"mapping of {kind.name} to {_type(kind.of)}"
    if isinstance(kind, Items):
        return f"{_type(kind.of)}, or a list of them" if kind.alone else f"list of {_type(kind.of)}"
    if isinstance(kind, Either):
        return " or ".join(_type(one) for one in kind.of)
    return _plain(kind)


def _plain(kind: Line | Text | Reason | Span | Number | Whole | Choice | Section) -> str:
    if isinstance(kind, Choice):
        few = len(kind.options) <= _FEW
        listed = (" or " if few else ", ").join(f"`{option}`" for option in kind.options)
        return listed if few else f"one of {listed}"
    if isinstance(kind, Whole):
        return f"whole number from {kind.low:,} to {kind.high:,}"
    if isinstance(kind, Number):
        return (
            "number"
            + (f" above {kind.low}" if kind.low is not None else "")
            + (f", at most {kind.high}" if kind.high is not None else "")
        )
    if isinstance(kind, Line | Text):
        return kind.words
    words = {Reason: "words", Span: "duration", Section: "section"}
    return words[type(kind)]
