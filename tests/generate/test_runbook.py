from __future__ import annotations

import re
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.console.library import describe
from obs.console.page import build
from obs.generate.model import Action, Alert, Duration, Links, Runbook, Step, Threshold, panel_id
from obs.generate.render.runbook import _fence, _flat, entry, index, merge, render

LINKS = Links(
    runbooks="https://r.test",
    grafana="https://g.test",
    prometheus="https://p.test",
    alertmanager="https://a.test",
)
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Escalation", "Verification", "Expression"]


def _alert(name: str = "HttpErrorRatioHigh", service: str = "payments", **changes: object) -> Alert:
    values: dict[str, object] = {
        "name": name,
        "service": service,
        "expr": 'sum by (service) (\n  up{service="payments"}\n)\n>\n  0.05',
        "for_": Duration.parse("5m"),
        "labels": {"team": "shop"},
        "annotations": {},
        "severity": "page",
        "category": "http",
        "threshold": Threshold(Decimal("0.05"), "ratio", ">", "more than 5 % fail"),
        "window": Duration.parse("5m"),
        "signals": (),
        "panel": "http-errors",
        "tests": (),
        **changes,
    }
    return Alert(**values)  # type: ignore[arg-type]


def _book(*alerts: Alert) -> Runbook:
    return Runbook(
        alerts=alerts or (_alert(),),
        meaning="Requests fail. Really.",
        impact="Users see errors.",
        diagnosis=(
            Step("Look.", ('up{service="payments"}',), (("it is 0", "go on with step 2."),)),
            Step(
                "Read.",
                outcomes=(("it fails", "repair it."),),
                logs=('{service="payments"}',),
                commands=("uptime",),
            ),
        ),
        mitigation=(Action("Roll back.", "it works.", "2 minutes."),),
        escalation=("Call team shop.",),
        verification=(Step("It is over.", ("up",), (("it is 1", "done."),)),),
    )


def test_the_page_stands_by_service_and_alert_and_keeps_what_people_write() -> None:
    artefact = render(_book(), LINKS)

    assert str(artefact.path) == "runbooks/payments/HttpErrorRatioHigh.md"
    assert artefact.preserves


def test_the_title_is_the_alert_and_the_sections_are_in_order() -> None:
    text = render(_book(), LINKS).text

    assert re.findall(r"^# (.*)$", text, re.MULTILINE) == ["HttpErrorRatioHigh"]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS


def test_the_facts_name_severity_condition_owner_and_links() -> None:
    text = render(_book(), LINKS).text

    assert "| Severity | page |" in text
    assert "| Owner | shop |" in text
    assert "| Fires when | more than 5 % fail, for 5 minutes |" in text
    assert f"https://g.test/d/obs-payments?viewPanel={panel_id('http-errors')}" in text
    assert "https://p.test/alerts?search=HttpErrorRatioHigh" in text
    assert (
        "https://a.test/#/silences/new?filter=%7Balertname%3D%22HttpErrorRatioHigh%22%2Cservice%3D%22payments%22%7D"
        in text
    )


def test_an_alert_without_a_panel_links_to_no_dashboard() -> None:
    text = render(_book(_alert(panel="", for_=Duration(0))), LINKS).text

    assert "g.test" not in text
    assert "| Fires when | more than 5 % fail |" in text


def test_every_query_can_be_copied_and_run() -> None:
    text = render(_book(), LINKS).text

    links = re.findall(r"\[Run in Prometheus\]\((.*)\)", text)
    asked = [parse_qs(urlsplit(link).query)["g0.expr"][0] for link in links]
    assert asked == ['up{service="payments"}', "up", 'sum by (service) (up{service="payments"}) > 0.05']
    assert '```logql\n   {service="payments"}\n   ```' in text
    assert "```bash\n   uptime\n   ```" in text


def test_namesakes_share_a_page_that_tells_them_apart() -> None:
    first = _alert(slo="availability", severity="ticket")
    second = _alert(slo="latency", threshold=Threshold(Decimal(1), "s", ">", "too slow"))
    text = render(_book(first, second), LINKS).text

    assert "| Severity | page |" in text
    assert "| Fires when (availability) | more than 5 % fail, for 5 minutes |" in text
    assert "| Fires when (latency) | too slow, for 5 minutes |" in text
    assert "| SLO | availability, latency |" in text
    assert text.count("Fires for each result of") == 2


def test_a_pipe_in_a_condition_does_not_break_the_table() -> None:
    text = render(_book(_alert(threshold=Threshold(Decimal(1), "1", ">", "a | b"))), LINKS).text

    assert "| Fires when | a \\| b, for 5 minutes |" in text


def test_a_fresh_page_survives_its_own_regeneration() -> None:
    text = render(_book(), LINKS).text

    assert merge(text, text) == text
    noted = text.replace("<!-- obs:end impact -->", "<!-- obs:end impact -->\n\nAsk Kim.\n")
    assert merge(text, noted) == noted


def test_the_index_lists_services_and_the_most_urgent_first() -> None:
    books = [
        entry(_book(_alert("B", severity="ticket"))),
        entry(_book(_alert("C"))),
        entry(_book(_alert("A", "fleet", severity="none"))),
    ]
    text = index(books).text

    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["fleet", "payments"]
    assert re.findall(r"^\| \[(\w+)\]\((.*?)\) \| (\w+)", text, re.MULTILINE) == [
        ("A", "fleet/A.md", "none"),
        ("C", "payments/C.md", "page"),
        ("B", "payments/B.md", "ticket"),
    ]
    assert index(books) == index(books[::-1])


def test_the_console_reads_what_is_rendered() -> None:
    text = render(_book(), LINKS).text

    entry = describe("payments", "HttpErrorRatioHigh", text)
    page = build(text, "?")
    assert (entry.severity, entry.summary) == ("page", "Requests fail.")
    assert page.title == "HttpErrorRatioHigh"
    assert [heading.title for heading in page.headings] == SECTIONS
    assert "obs:begin" not in page.body
    assert "&lt;!--" not in page.body
    assert page.body.count("<li>") == 10


@pytest.mark.parametrize(
    ("written", "flat"),
    [
        ("sum(\n  rate(\n    x[5m]\n  )\n)", "sum(rate(x[5m]))"),
        ("  a\n/\n  b", "a / b"),
        ('label_replace(x, "a", "( b )  c", "", "")', 'label_replace(x, "a", "( b )  c", "", "")'),
        ('x{a="\\" ( "}', 'x{a="\\" ( "}'),
    ],
)
def test_a_query_becomes_one_line(written: str, flat: str) -> None:
    assert _flat(written) == flat


@given(st.text(alphabet='( )ab"\\ ', max_size=12))
def test_flattening_keeps_the_meaning(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    text = promql_parser.parse(f'sum by (job) (rate(x{{a="{quoted}"}}[5m])) / on (job) (y > 1)').prettify()

    assert promql_parser.parse(_flat(text)).prettify() == text


@given(st.text(alphabet="`a\n", max_size=20))
def test_no_text_ends_its_own_fence(value: str) -> None:
    first, *_, last = _fence("bash", value).split("\n")

    assert first == f"{last}bash"
    assert last not in value
