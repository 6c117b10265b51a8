"""A counter read as if its value meant something."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.contract import Contract
from obs.lint.project import Project
from obs.lint.promql.nodes import COMPARISONS, Aggregate, Binary, Call, Node, Selector, above
from obs.lint.promql.shape import selectors

#: Functions that ignore restarts and are made for gauges.
_FOR_GAUGES = frozenset({"delta", "idelta", "deriv", "predict_linear"})
#: Calls that change numbers and leave open what they are.
_TRANSPARENT = frozenset(
    {
        "abs", "ceil", "floor", "round", "clamp", "clamp_min", "clamp_max", "sort", "sort_desc", "label_replace",
        "label_join", "histogram_quantile", "sgn", "sqrt", "ln", "log2", "log10", "exp",
    }
)  # fmt: skip
_ADDING = frozenset({"sum", "avg", "min", "max", "topk", "bottomk", "quantile", "stddev", "stdvar"})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^"})


def _run(project: Project) -> Iterator[Finding]:
    contract = project.contract
    for name, uses in project.selectors.items():
        known = _is_counter(name, contract)
        for query, selector in uses if known else ():
            # A variable lists the labels of series; what they count does not matter.
            if query.use == "variable":
                continue
            if selector.range_ms:
                parent = selector.parent
                if isinstance(parent, Call) and parent.func in _FOR_GAUGES:
                    yield Finding(
                        query.at(parent),
                        f"{parent.func} of the counter {selector.name}: a restart reads as a fall",
                        "increase or rate",
                        severity=None if known == "declared" else "warning",
                    )
            elif _value_counts(selector):
                yield Finding(
                    query.at(selector),
                    f"{selector.name} is a counter: its value is what happened since some process began",
                    "rate(…[5m]) is its speed, increase(…[1h]) what it gained",
                    # Not all that is called _total counts, and a panel of totals may be meant to be one.
                    severity=None if known == "declared" else "info" if query.use == "panel" else "warning",
                )


def _is_counter(name: str, contract: Contract | None) -> str:
    metric = contract.metrics.get(name) if contract is not None else None
    if metric is not None:
        return "declared" if metric.kind in {"counter", "bucket"} else ""
    return "named" if name.endswith(("_total", "_bucket")) and ":" not in name else ""


def _value_counts(selector: Selector) -> bool:
    """Tell whether the counter's own value reaches the result, and not only that it is there."""
    node: Node = selector
    for parent in above(selector):
        if isinstance(parent, Call):
            if parent.func not in _TRANSPARENT:
                return False
        elif isinstance(parent, Aggregate):
            if parent.op not in _ADDING:
                return False
        elif isinstance(parent, Binary):
            if parent.op == "-" and _twin(parent, node, selector.name):
                return False
            if parent.op not in _ARITHMETIC and parent.op not in COMPARISONS:
                return False
        else:
            return False
        node = parent
    return True


def _twin(difference: Binary, node: Node, name: str) -> bool:
    """Tell whether the same counter is taken from itself: an increase by hand."""
    other = difference.rhs if difference.lhs is node else difference.lhs
    return any(one.name == name for one in selectors(other))


CHECK = Check("counter-without-rate", "error", ("rules", "dashboard", "runbook"), _run)
