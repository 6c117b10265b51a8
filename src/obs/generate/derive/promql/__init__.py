"""The one door to the PromQL parser: parse, resolve every name against the contract, rewrite, print."""

from obs.generate.derive.promql.meaning import condition, keeps, reach
from obs.generate.derive.promql.proof import checked, metrics, printed
from obs.generate.derive.promql.rewriting import kept_with, scoped, ungrouped

__all__ = [
    "checked", "condition", "keeps", "kept_with", "metrics", "printed", "reach", "scoped", "ungrouped",
]  # fmt: skip
