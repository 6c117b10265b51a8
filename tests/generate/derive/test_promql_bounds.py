"""A query of any size is refused by a sentence, and never ends the process."""

from __future__ import annotations

import pytest

from obs.errors import ObsError
from obs.generate.derive.promql import printed


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "x" + ")" * 10_000,
        " + ".join(["x"] * 2000),
        "abs(" * 300 + "x" + ")" * 300,
        " + ".join(["x"] * 400),
    ],
)
def test_a_query_that_nobody_can_read_is_refused_by_a_short_sentence(text: str) -> None:
    with pytest.raises(ObsError, match="no PromQL that can be read") as caught:
        printed(text)

    assert len(str(caught.value)) < 200


def test_many_brackets_in_a_row_are_no_depth() -> None:
    text = " or ".join(f'sum(rate(x{{a="{number}"}}[5m])) > 1' for number in range(100))

    assert printed(text)
