"""Where alerts end: as Alertmanager's dispatcher decides, and soundly where labels are unknown."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from obs.lint.read import alertmanager, yaml_tree
from obs.lint.read.alertmanager import Route
from obs.lint.read.matchers import Labels
from obs.lint.routing import arrivals
from obs.lint.source import Source


def _route(text: str) -> Route:
    source = Source("a.yml", dedent(text))
    route = alertmanager.read(source, yaml_tree.documents(source)).route
    assert route is not None
    return route


ROUTE = _route(
    """\
    route:
      receiver: root
      routes:
        - {receiver: copy, matchers: ['severity=~"page|ticket"'], continue: true}
        - receiver: shop
          matchers: [service="shop"]
          routes:
            - {receiver: pager, matchers: [severity="page"]}
        - {receiver: rest, matchers: ['service!=""']}
    receivers: [{name: root}]
    """
)


def _ends(labels: Labels) -> list[tuple[str, bool]]:
    return [(arrival.route.receiver, arrival.sure) for arrival in arrivals(ROUTE, labels)]


def test_the_first_route_that_takes_an_alert_keeps_it() -> None:
    assert _ends(Labels({"service": "shop", "severity": "none"}, open=False)) == [("shop", True)]
    assert _ends(Labels({"service": "shop", "severity": "page"}, open=False)) == [
        ("copy", True),
        ("pager", True),
    ]
    assert _ends(Labels({"service": "other"}, open=False)) == [("rest", True)]
    assert _ends(Labels({}, open=False)) == [("root", True)]


def test_a_label_that_only_the_series_know_leaves_the_choice_open() -> None:
    assert _ends(Labels({"severity": "page"})) == [("copy", True), ("pager", False), ("rest", False)]
    assert _ends(Labels({"service": "shop"})) == [("copy", False), ("pager", False), ("shop", False)]


_NAMES = st.sampled_from(["a", "b"])
_MATCHERS = st.builds(
    lambda name, operator, value: f'{name}{operator}"{value}"',
    _NAMES,
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.sampled_from(["", "1", "2", "1|2", "2.*"]),
)


def _routes(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    inner = st.lists(_routes(depth - 1), max_size=3) if depth else st.just([])
    return st.fixed_dictionaries(
        {"matchers": st.lists(_MATCHERS, max_size=2), "continue": st.booleans(), "routes": inner}
    )


_TREES = st.lists(_routes(2), max_size=3)
_LABELS = st.dictionaries(_NAMES, st.sampled_from(["1", "2", "22"]))


def _tree(routes: list[dict[str, Any]]) -> Route:
    count = iter(range(1000))

    def named(route: dict[str, Any]) -> dict[str, Any]:
        return {**route, "receiver": f"r{next(count)}", "routes": [named(one) for one in route["routes"]]}

    return _route(yaml.safe_dump({"route": named({"routes": routes}), "receivers": []}))


def _reached(route: Route, labels: Mapping[str, str]) -> set[str]:
    known = Labels(labels, open=False)
    found = arrivals(route, known)
    assert found
    assert all(arrival.sure for arrival in found)
    return {arrival.route.receiver for arrival in found}


@given(_TREES, _LABELS, st.sets(_NAMES))
def test_whatever_the_unknown_labels_are_the_alert_ends_where_it_was_said_to(
    routes: list[dict[str, Any]], labels: dict[str, str], hidden: set[str]
) -> None:
    route = _tree(routes)
    seen = {name: labels.get(name, "") for name in ("a", "b") if name not in hidden}
    foreseen = arrivals(route, Labels(seen))

    reached = _reached(route, labels)

    assert reached <= {arrival.route.receiver for arrival in foreseen}
    assert {arrival.route.receiver for arrival in foreseen if arrival.sure} <= reached
