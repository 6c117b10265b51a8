"""Alerts that a spec writes out -> alerts like any other: proven, scoped, tested, with a page and a panel."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Literal, cast

from obs.errors import ObsError, SpecError, suggest
from obs.generate.derive import promql
from obs.generate.derive.drafts import KINDS, shared_labels, shared_links
from obs.generate.derive.slo.series import recorded
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import (
    Alert,
    CustomAlert,
    CustomTest,
    Duration,
    Expectation,
    Kind,
    Place,
    RuleFile,
    RuleGroup,
    Series,
    Service,
    TestCase,
    Threshold,
)

_LABEL = re.compile(r"\$labels\.(\w+)")
_SERIES = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s*\Z", re.DOTALL)
_PAIR = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|\Z)')
#: Rules that look further back are tested in a file of their own.
_FAST_LOOK_BACK = Duration.parse("6h")
_WORDS = {
    ">": "more than", "<": "less than", ">=": "at least", "<=": "at most", "==": "exactly",
}  # fmt: skip
#: Grafana's unit -> unit of a threshold.
_UNITS = {"percentunit": "ratio", "s": "s"}
_UNTOLD = "written in the spec, whose own tests tell no such story"


def rule_files(service: Service, taken: Iterable[str]) -> list[RuleFile]:
    """Return the files of the custom alerts of `service`; `taken` are the names of built-in alerts.

    Raises `SpecError`, at the place of what is wrong, for an expression that reads what the contract does
    not declare or that loses the labels by which alerts are routed.
    """
    known = set(taken)
    names = Vocabulary.of(service, recorded(service))
    found = []
    for custom in service.custom_alerts:
        if custom.name in known:
            raise SpecError(
                f"custom_alerts.{custom.name}: obs has an alert of this name",
                str(custom.place),
                f"tune it under alerts, or give yours another name such as {service.name.title()}{custom.name}",
            )
        found.append(alert(service, custom, names))
    quick = [one for one in found if one.window <= _FAST_LOOK_BACK]
    slow = [one for one in found if one.window > _FAST_LOOK_BACK]
    files = [(f"{service.name}-custom", quick), (f"{service.name}-custom-slow", slow)]
    return [_file(service, stem, alerts) for stem, alerts in files if alerts]


def alert(service: Service, custom: CustomAlert, names: Vocabulary) -> Alert:
    """Return one custom alert as it is shipped."""
    expr = proven(custom, names)
    severity = service.severities[custom.severity]
    labels = {**shared_labels(service, severity, custom.category), **custom.labels}
    if not promql.keeps(expr, "environment"):
        if "environment" not in service.select:
            raise SpecError(
                f"custom_alerts.{custom.name}.expr: the alert would not say in which environment it fires",
                str(custom.expr_place),
                "aggregate by (service, environment), or fix it under telemetry: {select: {environment: …}}",
            )
        labels["environment"] = service.select["environment"]
    annotations = {
        "summary": custom.summary,
        "description": custom.description,
        **shared_links(service, custom.name, panel_key(custom)),
    }
    _check_templates(custom, expr, labels)
    cases = tuple(_case(custom, test, service, names) for test in custom.tests)
    told = {case.kind for case in cases}
    return Alert(
        name=custom.name,
        service=service.name,
        expr=expr,
        for_=custom.for_,
        labels=dict(sorted(labels.items())),
        annotations=dict(sorted(annotations.items())),
        severity=severity,
        category=custom.category,
        threshold=_threshold(custom, expr),
        window=promql.reach(expr),
        signals=names.signals_of(promql.metrics(expr)),
        panel=panel_key(custom),
        tests=cases,
        keep_firing_for=custom.keep_firing_for,
        omits={kind: _UNTOLD for kind in KINDS if kind not in told},
    )


def panel_key(custom: CustomAlert) -> str:
    """Return the key of the panel that shows what `custom` measures."""
    return f"custom-{custom.name}"


def measured(custom: CustomAlert, names: Vocabulary) -> str:
    """Return what a custom alert measures: its expression without the comparison with a number."""
    expr = proven(custom, names)
    compared = promql.condition(expr)
    return compared[0] if compared else expr


def proven(custom: CustomAlert, names: Vocabulary) -> str:
    """Return the expression of `custom` with the service's labels in every selector, proven."""

    def prove() -> str:
        scoped = promql.scoped(custom.expr, names.matchers)
        return promql.checked(promql.kept_with(scoped, "environment", beside="service"), names)

    return placed(prove, custom.expr_place, f"custom_alerts.{custom.name}.expr")


def placed(prove: Callable[[], str], place: Place, what: str) -> str:
    """Return what `prove` returns; what it raises is an error of the spec at `place`."""
    try:
        return prove()
    except SpecError:
        raise
    except ObsError as error:
        raise SpecError(f"{what}: {error.message}", str(place), error.hint) from None


def _check_templates(custom: CustomAlert, expr: str, labels: Mapping[str, str]) -> None:
    for key, text in (("summary", custom.summary), ("description", custom.description)):
        for label in _LABEL.findall(text):
            if label not in labels and not promql.keeps(expr, label):
                raise SpecError(
                    f"custom_alerts.{custom.name}.{key}: the expression yields no label {label!r}",
                    str(custom.place),
                    suggest(label, labels) or "aggregate by it as well",
                )


def _threshold(custom: CustomAlert, expr: str) -> Threshold:
    compared = promql.condition(expr)
    if compared is None:
        return Threshold(value=Decimal(0), unit="1", comparison=">", words="its expression has a result")
    _, operator, line = compared
    value = line.normalize()
    return Threshold(
        value=value,
        unit=_UNITS.get(custom.unit, "1"),
        comparison=cast('Literal[">", "<", ">=", "<=", "=="]', operator),
        words=f"what it measures is {_WORDS[operator]} {value:f}",
    )


def _case(custom: CustomAlert, test: CustomTest, service: Service, names: Vocabulary) -> TestCase:
    fixed = service.select.get("environment")
    slug = "-".join(re.findall(r"[a-z0-9]+", f"{custom.name} {test.says}".lower()))
    environment = fixed if fixed is not None else slug
    target = {"instance": "one", **service.select, "environment": environment}
    return TestCase(
        says=test.says,
        kind=_kind(test),
        step=test.step,
        series=tuple(
            _series(selector, values, target, custom, test, names)
            for selector, values in sorted(test.series.items())
        ),
        expects=tuple(Expectation(at, state, count=test.count) for at, state in test.expects),
        environment="" if fixed is not None else environment,
    )


def _kind(test: CustomTest) -> Kind:
    states = {state for _, state in test.expects}
    if "firing" not in states:
        return "silent"
    return "for" if "pending" in states else "fires"


def _series(  # noqa: PLR0917 - all of one line of the spec
    selector: str,
    values: str,
    target: Mapping[str, str],
    custom: CustomAlert,
    test: CustomTest,
    names: Vocabulary,
) -> Series:
    what = f"custom_alerts.{custom.name}.tests: series {selector!r}"
    match = _SERIES.match(selector)
    own = _labels(match[2] or "") if match else None
    if match is None or own is None:
        raise SpecError(f'{what}: expected the form x_total{{label="value"}}', str(test.place))
    try:
        known = names.labels_of(match[1])
    except ObsError as error:
        raise SpecError(f"{what}: {error.message}", str(test.place), error.hint) from None
    for label in own:
        if label not in known:
            raise SpecError(
                f"{what}: {match[1]} has no label {label!r}", str(test.place), suggest(label, known)
            )
    inside = ", ".join(f'{label}="{value}"' for label, value in sorted({**target, **own}.items()))
    return Series(f"{match[1]}{{{inside}}}", values)


def _labels(text: str) -> dict[str, str] | None:
    """Return the labels inside the braces of a series; None where they are malformed."""
    found: dict[str, str] = {}
    rest = text.strip()
    while rest:
        match = _PAIR.match(rest)
        if match is None:
            return None
        found[match[1]] = match[2]
        rest = rest[match.end() :]
    return found


def _file(service: Service, stem: str, alerts: list[Alert]) -> RuleFile:
    file = RuleFile(stem, (RuleGroup(stem, tuple(alerts), service.rule_interval),))
    return file.after(service.query_offset)
