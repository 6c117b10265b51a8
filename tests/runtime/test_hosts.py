"""Where our headers may go: inside by default, elsewhere only by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import obs
from obs.errors import ConfigError
from obs.runtime import context
from obs.runtime.hosts import allowed

INTERNAL = ("internal",)


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST:8080", "payments", "payments:80", "payments.", "db.prod.svc", "a.svc.cluster.local",
        "127.0.0.1", "127.0.0.1:4318", "10.1.2.3", "192.168.0.9:80", "172.16.0.1", "[::1]", "[::1]:80", "::1",
        "fd00::7", "[fe80::1%eth0]:80", "printer.local", "x.internal", "x.test", "a.localhost", "::ffff:10.0.0.1",
    ],
)  # fmt: skip
def test_what_is_not_on_the_public_net_is_internal(host: str) -> None:
    assert allowed(host, INTERNAL)


@pytest.mark.parametrize(
    "host",
    [
        "example.com", "api.stripe.com:443", "8.8.8.8", "8.8.8.8:53", "2001:4860:4860::8888", "[2606:4700::1111]:443",
        "", ":80", "0.0.0.0", "999.1.1.1", "1.2.3", "evil.local.example.com", "mylocal.com", "xinternal.io",  # noqa: S104
        "::ffff:8.8.8.8", "notsvc.org",
    ],
)  # fmt: skip
def test_the_public_net_is_not(host: str) -> None:
    assert not allowed(host, INTERNAL)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.example.com", True), ("a.b.example.com:8443", True), ("API.EXAMPLE.COM.", True),
        ("example.com", False), ("evilexample.com", False), ("api.example.com.evil.org", False),
        ("partner.org", True), ("www.partner.org", False), ("localhost", False),
    ],
)  # fmt: skip
def test_a_pattern_takes_in_its_domain_and_nothing_beside_it(host: str, expected: bool) -> None:
    assert allowed(host, ("*.Example.com", "partner.org")) is expected


def test_a_star_takes_in_everybody_and_an_empty_list_nobody() -> None:
    assert allowed("anything.example", ("*",))
    assert not allowed("localhost", ())


@given(st.text(max_size=60))
def test_no_host_is_too_odd_to_be_judged(host: str) -> None:
    assert allowed(host, INTERNAL) in {True, False}
    assert not allowed(f"{host}.example.com", ("*.example.org",))


def test_the_setting_decides_and_nothing_goes_out_while_obs_does_not_run() -> None:
    assert not context.propagates_to("localhost")
    obs.init("shop")
    assert context.propagates_to("payments")
    assert not context.propagates_to("api.partner.org")
    obs.init("shop", propagate_to="*.partner.org, payments")
    assert context.propagates_to("api.partner.org:443")
    assert not context.propagates_to("10.0.0.1")


@pytest.mark.parametrize("value", ["a b", "*.*.com", "http://x", "x/y", "**", 7, [7], "a.*.com"])
def test_a_pattern_that_can_never_match_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="host names such as"):
        obs.init("shop", propagate_to=value)
