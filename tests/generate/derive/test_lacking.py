"""An alert on each of something, where the metrics of a service do not tell them apart."""

from __future__ import annotations

from decimal import Decimal

from obs.generate.derive.drafts import Case, Draft, Fact, Sample
from obs.generate.derive.gaps import gap
from obs.generate.derive.lacking import without_lacking
from obs.generate.model import Duration, Threshold

POOL = gap("db_connections has no label for pool")


def _draft(*cases: Case, label: str = POOL) -> Draft:
    return Draft(
        name="PoolFull",
        expr=f"max by (service, {label}) (db_connections) > 5",
        signals=("db.connections.used",),
        threshold=Threshold(Decimal(5), "1", ">", "more than 5"),
        summary=f"pool {{{{ $labels.{label} }}}} of {{{{ $labels.service }}}}",
        description=f"{{{{ $labels.{label} | urlquery }}}}",
        cases=cases,
        window=Duration(0),
    )


ONE = Case(
    "fires",
    "one is full",
    (Sample("db_connections", {POOL: "a"}, "6x5"),),
    (Fact(3, "firing", (({POOL: "a", "instance": "one"}, 6.0),)),),
)
TWO = Case(
    "silent",
    "two are half full",
    (Sample("db_connections", {POOL: "a"}, "3x5"), Sample("db_connections", {POOL: "b"}, "3x5")),
    (Fact(3, "silent"),),
)


def test_a_draft_that_lacks_nothing_stays_the_same() -> None:
    draft = _draft(ONE, label="pool")

    assert without_lacking(draft) is draft


def test_the_alert_is_on_all_of_them_and_says_so() -> None:
    draft = without_lacking(_draft(ONE))

    assert " ".join(draft.expr.split()) == "max by (service) (db_connections) > 5"
    assert draft.summary == "pool (all) of {{ $labels.service }}"
    assert draft.description == "(all)"


def test_what_fires_shows_the_labels_that_exist() -> None:
    (case,) = without_lacking(_draft(ONE)).cases

    assert case.facts[0].shows == (({"instance": "one"}, 6.0),)


def test_a_story_that_needs_to_tell_them_apart_is_left_out_with_the_reason() -> None:
    draft = without_lacking(_draft(ONE, TWO))

    assert draft.cases == without_lacking(_draft(ONE)).cases
    assert draft.omits == {"silent": "the service's metrics do not tell apart what the story needs"}
