"""The local receiver of notifications keeps what Alertmanager posts, and only that."""

import contextlib
import http.client
import json
import threading

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import StackError
from obs.stack.ports import free
from obs.verify.webhook import Webhook, parse

NOTIFICATION = {
    "version": "4",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "HttpErrorRatioHigh", "service": "payments"},
            "annotations": {"runbook_url": "http://127.0.0.1/runbooks/payments/HttpErrorRatioHigh"},
        },
        {"status": "resolved", "labels": {"alertname": "Other", "service": "worker"}},
    ],
}


def test_a_posted_notification_is_kept_with_labels_and_annotations() -> None:
    with Webhook() as webhook:
        assert httpx.post(webhook.url, json=NOTIFICATION).status_code == 200
        first, second = webhook.alerts
    assert first.concerns("HttpErrorRatioHigh", {"service": "payments"})
    assert first.annotations["runbook_url"].endswith("/HttpErrorRatioHigh")
    assert (second.status, second.labels["service"]) == ("resolved", "worker")


def test_find_returns_the_first_that_is_wanted_or_nothing() -> None:
    with Webhook() as webhook:
        httpx.post(webhook.url, json=NOTIFICATION)
        resolved = webhook.find(lambda notified: notified.status == "resolved")
        nothing = webhook.find(lambda notified: notified.concerns("Unheard", {}))
    assert resolved is not None
    assert resolved.labels["alertname"] == "Other"
    assert nothing is None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"alerts": 3}', b'{"alerts": [3]}', b'{"alerts": [{"labels": []}]}', b"\xff"],
)
def test_what_is_no_notification_is_refused_and_not_kept(body: bytes) -> None:
    with Webhook() as webhook:
        assert httpx.post(webhook.url, content=body).status_code == 400
        assert webhook.alerts == []


def test_an_enormous_body_is_refused_unread() -> None:
    with Webhook() as webhook:
        connection = http.client.HTTPConnection("127.0.0.1", httpx.URL(webhook.url).port, timeout=5)
        connection.request("POST", "/notifications", headers={"Content-Length": "999999999"})
        assert connection.getresponse().status == 400
        connection.close()


def test_a_get_is_told_what_the_address_is_for() -> None:
    with Webhook() as webhook:
        assert httpx.get(webhook.url).status_code == 405


def test_leaving_frees_the_port_and_ends_the_thread() -> None:
    port = free()
    for _ in range(2):
        with Webhook(port) as webhook:
            assert str(port) in webhook.url
    assert not [thread for thread in threading.enumerate() if thread.name == "webhook"]


def test_a_taken_port_is_a_clear_error() -> None:
    with Webhook() as webhook:
        port = httpx.URL(webhook.url).port
        with pytest.raises(StackError, match=f"port {port}"), Webhook(port or 0):
            pass


@given(st.binary(max_size=200))
def test_parse_never_fails_but_by_value_error(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        parse(body, 0.0)


@given(
    st.recursive(st.none() | st.text() | st.integers(), lambda s: st.lists(s) | st.dictionaries(st.text(), s))
)
def test_parse_survives_any_json_under_alerts(value: object) -> None:
    try:
        parse(json.dumps({"alerts": [{"labels": value}]}).encode(), 0.0)
    except ValueError:
        assert not isinstance(value, dict)
