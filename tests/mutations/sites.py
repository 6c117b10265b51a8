"""Mutants of one Python file: every place where a mistake is likely, with what the mistake would be.

Libraries for mutation testing change operators and whole strings. What matters here stands elsewhere:
in constants of modules (thresholds, windows, waits) and inside the strings that become PromQL. So a
string is read as what it is: a duration, a number, a value of a label, or a piece of PromQL.

Left out by construction: what people read (summaries, descriptions), what tells stories (the authors'
tests are another question), and guards that only refuse a wrong spec.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.mutations.fragments import near, variants_of_text

#: Keyword arguments whose values are for people, or stories.
_UNJUDGED_KEYWORDS = frozenset(
    {"cases", "description", "fail", "omits", "panel", "says", "shows", "signals", "summary", "tests", "what"}
)
#: Calls that make stories, or words for people.
_UNJUDGED_CALLS = re.compile(
    r"Case|Fact|Sample|Phase|SpecError|Threshold|words|\w+_cases|\w*Error|single|near"
)
#: Functions that write stories, or only refuse.
_UNJUDGED_FUNCTIONS = re.compile(
    r"write|_writer|_shows|_lifetime|_check\w*|_lacks|group_text|promise|_story\w*"
)
#: Calls that make do with fewer arguments; any other would only stop.
_OF_ANY_NUMBER = frozenset({"events", "minute_of", "selector", "total"})
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake in one file; `number` finds it again in the same text."""

    path: str
    number: int
    line: int
    operator: str
    before: str
    after: str
    #: Lines of the statement that it stands in; one that never runs cannot be judged.
    lines: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.operator}: {self.before} -> {self.after}"


@dataclass(frozen=True, slots=True)
class _Site:
    """A node that may be replaced in place, by each of `others`."""

    node: ast.AST
    operator: str
    others: tuple[ast.AST, ...]
    put: Callable[[ast.AST], None]
    lines: tuple[int, int]


def mutants(path: str, text: str) -> list[Mutant]:
    """Return every mutant of the file `path` that holds `text`, in the order of the text."""
    found: list[Mutant] = []
    for site, other in _choices(ast.parse(text)):
        before, after = ast.unparse(site.node), ast.unparse(other)
        line = getattr(site.node, "lineno", 0)
        found.append(Mutant(path, len(found), line, site.operator, before, after, site.lines))
    return found


def mutated(text: str, number: int) -> ast.Module:
    """Return the module `text` with the mistake of that number in it."""
    tree = ast.parse(text)
    for index, (site, other) in enumerate(_choices(tree)):
        if index == number:
            site.put(other)
            return ast.fix_missing_locations(tree)
    raise ValueError(f"there is no mutant {number}")


def _choices(tree: ast.Module) -> Iterator[tuple[_Site, ast.AST]]:
    signals = _imported_constants(tree)
    for site in list(_walk(tree, signals, (0, 0))):
        for other in site.others:
            yield site, ast.copy_location(other, site.node)


def _imported_constants(tree: ast.Module) -> dict[str, str]:
    """Return, for each constant of the catalogue that the module imports, another of the same file."""
    nearest: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("obs.catalogue"):
            names = [alias.name for alias in node.names if alias.name.isupper() and alias.asname is None]
            if len(names) > 1:
                nearest |= dict(zip(names, [*names[1:], names[0]], strict=True))
    return nearest


def _walk(node: ast.AST, signals: dict[str, str], lines: tuple[int, int]) -> Iterator[_Site]:
    for field, value in ast.iter_fields(node):
        if _unjudged_field(node, field):
            continue
        children = value if isinstance(value, list) else [value]
        for index, child in enumerate(children):
            if not isinstance(child, ast.AST) or _unjudged(child):
                continue
            place = index if isinstance(value, list) else None
            around = _lines(child, lines)
            put = _putter(node, field, place)
            for operator, others in _others(child, signals):
                if others:
                    yield _Site(child, operator, tuple(others), put, around)
            yield from _walk(child, signals, around)


def _lines(node: ast.AST, around: tuple[int, int]) -> tuple[int, int]:
    """Return the lines of a statement; of one that holds others, those of each part by itself."""
    if isinstance(node, ast.stmt) and not hasattr(node, "body"):
        return node.lineno, node.end_lineno or node.lineno
    if isinstance(node, ast.expr) and around == (0, 0):
        return node.lineno, node.end_lineno or node.lineno
    return (0, 0) if isinstance(node, ast.stmt) else around


def _putter(parent: ast.AST, field: str, index: int | None) -> Callable[[ast.AST], None]:
    def put(other: ast.AST) -> None:
        if index is None:
            setattr(parent, field, other)
        else:
            getattr(parent, field)[index] = other

    return put


def _unjudged_field(node: ast.AST, field: str) -> bool:
    if field in {"annotation", "returns", "decorator_list", "type_comment", "keywords_of_class"}:
        return True
    return isinstance(node, ast.FormattedValue) and field == "format_spec"


def _unjudged(node: ast.AST) -> bool:
    if isinstance(node, ast.Raise | ast.Import | ast.ImportFrom | ast.Assert):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If):
        return isinstance(node.body[-1], ast.Raise)
    return _unjudged_by_name(node)


def _unjudged_by_name(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef):
        return bool(_UNJUDGED_FUNCTIONS.fullmatch(node.name))
    if isinstance(node, ast.keyword):
        return node.arg in _UNJUDGED_KEYWORDS
    if isinstance(node, ast.Call):
        return bool(_UNJUDGED_CALLS.fullmatch(_name(node.func)))
    if isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        return names == ["__all__"] or any(name.startswith("_STORY") for name in names)
    return False


def _name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _others(node: ast.AST, signals: dict[str, str]) -> Iterator[tuple[str, list[ast.AST]]]:
    """Yield the kinds of mistakes with what each would put in the place of `node`."""
    yield "comparison", _comparisons(node)
    yield "arithmetic", _arithmetic(node)
    yield "boolean", _booleans(node)
    yield "number", _numbers(node)
    yield "text", _texts(node)
    yield "signal", _signals(node, signals)
    yield "argument", _arguments(node)


def _comparisons(node: ast.AST) -> list[ast.AST]:
    if not isinstance(node, ast.Compare):
        return []
    found: list[ast.AST] = []
    for index, operator in enumerate(node.ops):
        for other in _COMPARISONS.get(type(operator), ()):
            changed = copy.deepcopy(node)
            changed.ops[index] = other()
            found.append(changed)
    return found


def _arithmetic(node: ast.AST) -> list[ast.AST]:
    if not isinstance(node, ast.BinOp) or type(node.op) not in _ARITHMETIC:
        return []
    changed = copy.deepcopy(node)
    changed.op = _ARITHMETIC[type(node.op)]()
    return [changed]


def _booleans(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.BoolOp):
        changed = copy.deepcopy(node)
        changed.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        return [changed]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return [copy.deepcopy(node.operand)]
    if isinstance(node, ast.IfExp):
        return [copy.deepcopy(node.body), copy.deepcopy(node.orelse)]
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return [ast.Constant(not node.value)]
    return []


def _numbers(node: ast.AST) -> list[ast.AST]:
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
        return []
    if isinstance(node.value, int):
        return [ast.Constant(number) for number in near(node.value)]
    return [ast.Constant(node.value * 1.25)] if isinstance(node.value, float) else []


def _texts(node: ast.AST) -> list[ast.AST]:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return []
    return [ast.Constant(text) for text in variants_of_text(node.value)]


def _signals(node: ast.AST, signals: dict[str, str]) -> list[ast.AST]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in signals:
        return [ast.Name(signals[node.id], ast.Load())]
    return []


def _arguments(node: ast.AST) -> list[ast.AST]:
    """Drop the last of any number of arguments, each keyword argument; swap the first two."""
    if not isinstance(node, ast.Call):
        return []
    found: list[ast.AST] = []
    # A draft without one of its parts cannot be made at all.
    if _name(node.func) == "Draft":
        return found
    last = node.args[-1] if len(node.args) > 1 else None
    if last is not None and (isinstance(last, ast.Starred) or _name(node.func) in _OF_ANY_NUMBER):
        fewer = copy.deepcopy(node)
        fewer.args.pop()
        found.append(fewer)
    if len(node.args) > 1 and all(
        isinstance(one, ast.Name | ast.Attribute | ast.Call) for one in node.args[:2]
    ):
        swapped = copy.deepcopy(node)
        swapped.args[0], swapped.args[1] = swapped.args[1], swapped.args[0]
        found.append(swapped)
    for index, keyword in enumerate(node.keywords):
        if keyword.arg not in _UNJUDGED_KEYWORDS:
            without = copy.deepcopy(node)
            del without.keywords[index]
            found.append(without)
    return found
