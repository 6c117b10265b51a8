"""The nodes of a PromQL tree; parentheses are left out, and every node knows its parent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias


class Matcher(NamedTuple):
    """``label op "value"``."""

    label: str
    #: ``=``, ``!=``, ``=~`` or ``!~``.
    op: str
    value: str


class _Node:
    __slots__ = ("parent",)

    parent: Node | None


class Selector(_Node):
    """Series by name and labels; with `range_ms` more than 0, their samples over that time."""

    __slots__ = ("matchers", "name", "offset_ms", "range_ms")

    def __init__(self, name: str, matchers: tuple[Matcher, ...], range_ms: int, offset_ms: int) -> None:
        self.name = name
        #: Without that of the name.
        self.matchers = matchers
        self.range_ms = range_ms
        self.offset_ms = offset_ms
        self.parent = None


class Call(_Node):
    """A function and its arguments."""

    __slots__ = ("args", "func")

    def __init__(self, func: str, args: tuple[Node, ...]) -> None:
        self.func = func
        self.args = args
        self.parent = None


class Aggregate(_Node):
    """``sum``, ``topk`` and the like; at most one of `by` and `without` is not None."""

    __slots__ = ("by", "expr", "op", "param", "without")

    def __init__(
        self,
        op: str,
        expr: Node,
        param: Node | None,
        by: tuple[str, ...] | None,
        without: tuple[str, ...] | None,
    ) -> None:
        self.op = op
        self.expr = expr
        self.param = param
        self.by = by
        self.without = without
        self.parent = None


class Binary(_Node):
    """Two sides and how their series are matched; `group` is ``left``, ``right`` or empty."""

    __slots__ = ("group", "ignoring", "include", "is_bool", "lhs", "on", "op", "rhs")

    def __init__(self, op: str, lhs: Node, rhs: Node) -> None:
        self.op = op
        self.lhs = lhs
        self.rhs = rhs
        self.on: tuple[str, ...] | None = None
        self.ignoring: tuple[str, ...] | None = None
        self.group = ""
        self.include: tuple[str, ...] = ()
        self.is_bool = False
        self.parent = None


class Unary(_Node):
    """Minus or plus."""

    __slots__ = ("expr",)

    def __init__(self, expr: Node) -> None:
        self.expr = expr
        self.parent = None


class Number(_Node):
    """A number."""

    __slots__ = ("value",)

    def __init__(self, value: float) -> None:
        self.value = value
        self.parent = None


class String(_Node):
    """A text, such as the arguments of `label_replace`."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value
        self.parent = None


class Subquery(_Node):
    """``expr[range:step]``; a step of 0 is the server's default."""

    __slots__ = ("expr", "offset_ms", "range_ms", "step_ms")

    def __init__(self, expr: Node, range_ms: int, step_ms: int, offset_ms: int) -> None:
        self.expr = expr
        self.range_ms = range_ms
        self.step_ms = step_ms
        self.offset_ms = offset_ms
        self.parent = None


Node: TypeAlias = Selector | Call | Aggregate | Binary | Unary | Number | String | Subquery

COMPARISONS = frozenset({">", "<", ">=", "<=", "==", "!="})
SET_OPERATORS = frozenset({"and", "or", "unless"})


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes right below, in the order in which they are written."""
    if isinstance(node, Call):
        return node.args
    if isinstance(node, Binary):
        return node.lhs, node.rhs
    if isinstance(node, Aggregate):
        return (node.expr,) if node.param is None else (node.param, node.expr)
    if isinstance(node, Unary | Subquery):
        return (node.expr,)
    return ()


def below(node: Node) -> Iterator[Node]:
    """Yield `node` and everything below it, in the order in which it is written."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(reversed(children(one)))


def above(node: Node) -> Iterator[Node]:
    """Yield the parent of `node`, its parent, and so on."""
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent
