"""An error says what, where and what to do, and each kind has its exit code."""

from __future__ import annotations

from obs.errors import (
    ConfigError,
    MissingExtra,
    ObsError,
    SpecError,
    StackError,
    VerifyError,
    nearest,
    suggest,
)


def test_an_error_reads_place_message_hint() -> None:
    error = SpecError("unknown key 'slo'", "checkout.yml:3:1", "did you mean 'slos'?")

    assert str(error) == "checkout.yml:3:1: unknown key 'slo'\n  hint: did you mean 'slos'?"


def test_place_and_hint_are_optional() -> None:
    assert str(ObsError("no service name")) == "no service name"


def test_exit_codes_follow_who_must_act() -> None:
    assert [kind.exit_code for kind in (ObsError, ConfigError, SpecError, MissingExtra)] == [2, 2, 2, 2]
    assert [kind.exit_code for kind in (StackError, VerifyError)] == [3, 3]


def test_a_missing_extra_is_one_sentence_with_the_install_line_and_an_import_error() -> None:
    error = MissingExtra("obs generate", "pyyaml", "tools")

    assert isinstance(error, ImportError)
    assert error.name == "pyyaml"
    assert str(error) == (
        "obs generate needs the package pyyaml, which is not installed\n  hint: pip install 'obs-kit[tools]'"
    )


def test_the_nearest_match_is_near_or_nothing() -> None:
    assert nearest("availabilty", ["availability", "latency"]) == "availability"
    assert nearest("zzz", ["availability", "latency"]) is None
    assert suggest("zzz", []) is None
