"""Which keys a spec has, what stands behind each, and what each means: the one table of them.

The readers take the names of their keys from here, `spec.schema` makes the JSON Schema for editors of
it, and `spec.reference` the reference page. What needs the contract (which signals there are,
which labels each has, what a bound may be) is for the readers alone.
"""

from obs.generate.spec.shape.kinds import (
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
from obs.generate.spec.shape.root import ENVIRONMENT, SPEC
from obs.generate.spec.shape.signals import SIGNALS

__all__ = [
    "ENVIRONMENT", "SIGNALS", "SPEC", "Choice", "Either", "Items", "Key", "Kind", "Line", "Number", "Reason", "Section",
    "Span", "Table", "Text", "Whole",
]  # fmt: skip
