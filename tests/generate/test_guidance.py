"""The words and queries of the runbooks, on the specs of the shop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import promql_parser
import pytest

from obs.catalogue import Registry, bundled
from obs.errors import SpecError
from obs.generate.derive.capabilities import registry
from obs.generate.derive.guidance.book import GUIDES, derive_heartbeat, derive_runbooks
from obs.generate.derive.guidance.references import ROLL_BACK, located
from obs.generate.derive.promql import checked
from obs.generate.derive.rules import fleet_file, rule_files
from obs.generate.derive.slo.files import ALERTS
from obs.generate.derive.slo.series import recorded
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import Alert, Runbook, Service
from obs.generate.spec.load import load

SPECS = Path(__file__).parents[2] / "specs" / "shop"
#: A service that can do everything, so that every guide of a service's own alerts is read here.
COMPLETE = Path(__file__).parents[1] / "golden" / "complete"
#: Words of that form that are no alerts.
NO_ALERTS = {"LimitNOFILE", "PostgreSQL"}
FILLER = re.compile(
    r"\b(todo|tbd|fixme|xxx|lorem|placeholder|check the logs|foo|bar|example\.com)\b", re.IGNORECASE
)
ENVIRONMENTS = [None, "demo"]
#: Asked of all services on purpose: whether a whole fleet is gone tells what to look at.
OF_ALL = {"count by (service) (up == 0)"}


@cache
def _services(environment: str | None) -> dict[str, Service]:
    found = load([SPECS], environment=environment)
    if environment is None:
        found += load([COMPLETE])
    return {service.name: service for service in found}


def _alerts(service: Service) -> list[Alert]:
    return [alert for file in rule_files(service) for alert in file.alerts]


@cache
def _books(environment: str | None) -> tuple[tuple[Service, Runbook], ...]:
    return tuple(
        (service, book)
        for service in _services(environment).values()
        for book in derive_runbooks(service, _alerts(service))
    )


def _heartbeat() -> Runbook:
    services = list(_services(None).values())
    return derive_heartbeat(fleet_file(services).alerts, services[0].links)


def _texts(book: Runbook) -> Iterator[str]:
    yield book.meaning
    yield book.impact
    yield from book.escalation
    for step in (*book.diagnosis, *book.verification):
        yield step.text
        yield from (text for outcome in step.outcomes for text in outcome)
    for action in book.mitigation:
        yield from (action.text, action.effect, action.takes)


def _queries(book: Runbook) -> Iterator[str]:
    return (query for step in (*book.diagnosis, *book.verification) for query in step.queries)


def test_the_guides_are_those_of_the_registry_and_of_objectives() -> None:
    assert set(GUIDES) >= {*registry.entries(), *ALERTS}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_alert_of_the_shop_has_one_runbook(environment: str | None) -> None:
    for service in _services(environment).values():
        alerts = _alerts(service)
        books = derive_runbooks(service, alerts)

        assert [book.alerts[0].name for book in books] == sorted({alert.name for alert in alerts})
        assert sum(len(book.alerts) for book in books) == len(alerts)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_query_resolves_against_the_contract(environment: str | None) -> None:
    for service, book in _books(environment):
        names = Vocabulary.of(service, recorded(service))
        for query in _queries(book):
            assert checked(query, names) == query
            promql_parser.parse(query)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_query_asks_about_its_own_service_only(environment: str | None) -> None:
    for service, book in _books(environment):
        for query in _queries(book):
            selectors = re.findall(r"[A-Za-z_:0-9]+\{([^}]*)\}", query)
            assert selectors or query in OF_ALL, query
            for selector in selectors:
                assert f'service="{service.name}"' in selector, query


def test_in_the_demo_queries_are_bound_to_its_environment() -> None:
    for _, book in _books("demo"):
        assert all(
            'environment="demo"' in query or query in OF_ALL or "ALERTS" in query for query in _queries(book)
        )


def test_a_signal_that_the_contract_lacks_is_asked_for_by_nobody() -> None:
    service = _services(None)["payments"]
    signals = Registry(signal for signal in bundled() if signal.id != "http.server.active")
    poorer = replace(service, signals=signals)
    books = derive_runbooks(poorer, _alerts(poorer))

    assert "HttpInFlightSaturated" not in {book.alerts[0].name for book in books}
    assert not [query for book in books for query in _queries(book) if "active_requests" in query]


def test_the_classic_dialect_gets_its_own_names() -> None:
    service = replace(_services(None)["payments"], dialect="classic", slos=())
    books = derive_runbooks(service, _alerts(service))

    queries = [query for book in books for query in _queries(book)]
    assert any("http_requests_total" in query and 'status=~"5.."' in query for query in queries)
    assert not any("http_server_request_duration" in query for query in queries)


@pytest.mark.parametrize(
    "book", [*(book for _, book in _books(None)), _heartbeat()], ids=lambda b: str(b.path)
)
class TestEachPage:
    def test_diagnosis_has_three_steps_or_more_each_with_something_to_run_and_a_decision(
        self, book: Runbook
    ) -> None:
        assert len(book.diagnosis) >= 3
        for step in book.diagnosis:
            assert step.queries or step.logs or step.commands, step.text
            assert len(step.outcomes) >= 2, step.text

    def test_it_starts_with_a_query_and_asks_the_log_once(self, book: Runbook) -> None:
        assert book.diagnosis[0].queries
        # What is missing, and what is spent, stands in no log.
        if book.alerts[0].category not in {"targets", "slo", "fleet"}:
            assert any(step.logs for step in book.diagnosis)

    def test_steps_lead_only_to_steps_and_mitigations_that_exist(self, book: Runbook) -> None:
        for step in (*book.diagnosis, *book.verification):
            for _, then in step.outcomes:
                for number in re.findall(r"(?:step|Diagnosis) (\d+)", then):
                    assert 1 <= int(number) <= len(book.diagnosis), then
                for number in re.findall(r"Mitigation (\d+)", then):
                    assert 1 <= int(number) <= len(book.mitigation), then

    def test_no_step_leads_to_itself(self, book: Runbook) -> None:
        for number, step in enumerate(book.diagnosis, start=1):
            for _, then in step.outcomes:
                assert f"with step {number}." not in then, then

    def test_runbooks_that_it_names_exist(self, book: Runbook) -> None:
        for text in _texts(book):
            for name in re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z0-9]+)+\b", text):
                assert name in GUIDES or name in NO_ALERTS, text

    def test_mitigations_say_what_they_bring_and_how_long_they_take(self, book: Runbook) -> None:
        assert len(book.mitigation) >= 3
        for action in book.mitigation:
            assert action.text.endswith(".")
            assert action.effect.endswith(".")
            assert re.search(r"minute|hour|day|release|once|as long as", action.takes), action.takes

    def test_it_says_whom_to_call_and_how_to_know_that_it_is_over(self, book: Runbook) -> None:
        assert len(book.escalation) >= 2
        assert "on-call engineer" in book.escalation[0]
        assert book.verification
        assert all(step.queries and step.outcomes for step in book.verification)

    def test_it_has_no_filler_and_no_unfilled_template(self, book: Runbook) -> None:
        for text in _texts(book):
            assert not FILLER.search(text), text
            assert "{" not in text, text
            assert "0s" not in re.findall(r"\b\d+\w+\b", text), text
            assert "  " not in text, text


def test_the_page_of_a_burn_alert_covers_every_slo_and_both_kinds() -> None:
    book = next(book for _, book in _books(None) if book.alerts[0].name == "ErrorBudgetBurnFast")

    assert {alert.slo for alert in book.alerts} == {"availability", "latency"}
    assert "99.9 % of requests succeed" in book.meaning
    assert "take at most 250 milliseconds" in book.meaning
    seen = dict(book.diagnosis[0].outcomes)
    assert set(seen) == {"`availability` burns", "`latency` burns", "none burns any more"}
    assert "step 2." in seen["`availability` burns"]
    slow = int(re.findall(r"step (\d+)", seen["`latency` burns"])[0])
    assert "slow routes" in book.diagnosis[slow - 1].text


def test_a_page_shows_the_threshold_that_its_spec_sets() -> None:
    book = next(
        book for service, book in _books(None)
        if service.name == "payments" and book.alerts[0].name == "HttpLatencyP99High"
    )  # fmt: skip

    assert "longer than 500 ms" in book.meaning


def test_a_job_alert_tells_the_schedule_of_the_job() -> None:
    book = next(book for _, book in _books(None) if book.alerts[0].name == "JobNotRunning")

    assert "`settlement` must succeed once in 1 minute, at most 4 minutes late" in book.meaning


def test_an_alert_without_a_guide_is_refused_with_the_nearest() -> None:
    service = _services(None)["payments"]
    alert = replace(_alerts(service)[0], name="HttpErrorRatioHih")

    with pytest.raises(SpecError, match="no guide") as caught:
        derive_runbooks(service, [alert])
    assert caught.value.hint == "did you mean 'HttpErrorRatioHigh'?"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_says_roll_back_leads_to_the_action_that_does(environment: str | None) -> None:
    found = 0
    for _, book in _books(environment):
        for step in (*book.diagnosis, *book.verification):
            for _, then in step.outcomes:
                assert "{" not in then, book.path
                for number in re.findall(r"roll back: Mitigation (\d+)", then):
                    found += 1
                    assert book.mitigation[int(number) - 1].text.startswith("A release came just before"), (
                        book.path
                    )
    assert found > 30


def test_a_page_without_that_action_says_in_the_step_what_to_do() -> None:
    _, book = next(pair for pair in _books(None) if pair[1].path.name == "HttpErrorRatioHigh.md")
    steps = (replace(book.diagnosis[0], outcomes=(("it is new", f"{ROLL_BACK}."),)),)

    page = located(replace(book, diagnosis=steps, mitigation=()))

    assert page.diagnosis[0].outcomes == (("it is new", "roll back, with the tool that deployed it."),)


def test_a_step_whose_queries_the_metrics_cannot_answer_says_why(tmp_path: Path) -> None:
    spec = tmp_path / "auth.yml"
    spec.write_text(
        "version: obs/v1\n"
        "service: {name: auth, team: identity}\n"
        "contract: none\n"
        "capabilities: [http]\n"
        "mapping:\n"
        "  http.server.requests: {metric: requests_total, labels: {http.response.status_code: status}}\n",
        encoding="utf-8",
    )
    (service,) = load([spec])
    books = {book.path.stem: book for book in derive_runbooks(service, _alerts(service))}
    first, second, *_ = books["HttpErrorRatioHigh"].diagnosis

    assert first.queries == ()
    assert first.text.endswith(
        "The metrics cannot tell: requests_total has no label for http.route of http.server.requests."
    )
    assert second.queries
    assert "cannot tell" not in second.text


def test_pages_of_engines_ask_for_no_version_that_only_the_sdk_writes() -> None:
    asked = {
        service.name: any("obs_build_info" in query for book in books for query in _queries(book))
        for service, books in (
            (service, derive_runbooks(service, _alerts(service)))
            for service in (*load([SPECS.parent / "stack"]), *_services(None).values())
        )
    }
    engines = {"alertmanager", "collector", "grafana", "loki", "prometheus", "tempo"}
    assert {name for name, found in asked.items() if not found} == engines
