"""Settings: precedence, sources, refusals."""

from __future__ import annotations

import pytest

from obs.errors import ConfigError
from obs.runtime.settings import Settings, differences, display, require_service, resolve
from obs.runtime.settings_table import TABLE


def test_an_argument_beats_the_environment_which_beats_the_default() -> None:
    environ = {"OBS_LOG_LEVEL": "error"}
    assert resolve({"log_level": "debug"}, environ).log_level == "debug"
    assert resolve({}, environ).log_level == "error"
    assert resolve({}, {}).log_level == "info"


def test_our_own_variable_beats_the_standard_one() -> None:
    environ = {"OBS_SERVICE": "ours", "OTEL_SERVICE_NAME": "theirs"}
    settings = resolve({}, environ)
    assert settings.service == "ours"
    assert settings.sources["service"] == "OBS_SERVICE"


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("OTEL_SERVICE_NAME", "checkout", "service", "checkout"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318", "otlp_endpoint", "http://c:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b%20c", "otlp_headers", {"a": "b c"}),
        ("OTEL_BSP_SCHEDULE_DELAY", "250", "export_interval", 0.25),
        ("OTEL_SDK_DISABLED", "true", "traces", False),
        ("OTEL_TRACES_SAMPLER", "always_off", "traces_ratio", 0.0),
        ("LOG_LEVEL", "WARN", "log_level", "warning"),
        ("SENTRY_ENVIRONMENT", "staging", "environment", "staging"),
        ("SENTRY_RELEASE", "1.2.3", "version", "1.2.3"),
    ],
)
def test_a_standard_variable_is_honoured_and_named_as_the_source(
    variable: str, text: str, name: str, value: object
) -> None:
    settings = resolve({}, {variable: text})
    assert getattr(settings, name) == value
    assert settings.sources[name] == variable


def test_the_sampler_argument_counts_when_the_sampler_is_a_ratio() -> None:
    environ = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"}
    assert resolve({}, environ).traces_ratio == 0.25


def test_resource_attributes_name_service_version_and_environment() -> None:
    text = "service.name=a,service.version=2,deployment.environment.name=prod,team=x"
    settings = resolve({}, {"OTEL_RESOURCE_ATTRIBUTES": text})
    assert (settings.service, settings.version, settings.environment) == ("a", "2", "prod")
    assert settings.resource["team"] == "x"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert resolve({}, {"OBS_LOG_LEVEL": "  "}).log_level == "info"


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("OBS_LOG_LEVEL", "loud", "one of debug, info, warning, error, critical"),
        ("OBS_TRACES_RATIO", "2", "a number from 0 to 1"),
        ("OBS_TRACES_RATIO", "nan", "a number from 0 to 1"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon", "a number from 10 to 3.6e+06"),
        ("OBS_SERIES_CAP", "1.5", "a whole number from 1 to 1000000"),
        ("OBS_METRICS", "maybe", "true or false"),
        ("OBS_OTLP_ENDPOINT", "collector:4317", "an http:// or https:// URL"),
        ("OBS_OTLP_ENDPOINT", "http://host:99999", "an http:// or https:// URL"),
        ("OBS_METRICS_PATH", "metrics", "a path such as /metrics"),
        ("OBS_SERVICE", "a b", "a name of letters"),
        ("OBS_RESOURCE", "novalue", "pairs such as key=value"),
    ],
)
def test_a_wrong_value_names_the_variable_what_was_got_and_what_was_expected(
    variable: str, text: str, expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve({}, {variable: text})
    assert variable in caught.value.message
    assert repr(text) in caught.value.message
    assert expected in caught.value.message


def test_a_wrong_secret_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve({}, {"OBS_OTLP_HEADERS": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_an_unknown_keyword_gets_the_nearest_match() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve({"log_levle": "info"}, {})
    assert caught.value.hint == "did you mean 'log_level'?"


def test_settings_are_frozen() -> None:
    settings = resolve({"service": "shop"}, {})
    with pytest.raises(AttributeError, match="setting service is fixed"):
        settings.service = "other"
    with pytest.raises(AttributeError, match="setting service is fixed"):
        del settings.service
    assert settings.service == "shop"


def test_no_service_anywhere_is_refused() -> None:
    with pytest.raises(ConfigError, match="no service name"):
        require_service(resolve({}, {}))


def test_equal_values_from_different_sources_are_equal_settings() -> None:
    assert resolve({"service": "a"}, {}) == resolve({}, {"OBS_SERVICE": "a"})


def test_differences_name_old_and_new_without_secrets() -> None:
    old = resolve({"service": "a", "otlp_headers": {"k": "old"}}, {})
    new = resolve({"service": "b", "otlp_headers": {"k": "new"}}, {})
    assert differences(old, new) == ["service: a -> b", "otlp_headers: k=*** -> k=***"]


def test_a_password_in_a_url_or_attribute_is_not_shown() -> None:
    given = {
        "otlp_endpoint": "http://bob:hunter2@collector:4318",
        "resource": {"api_key": "hunter2", "a": "b"},
    }
    settings = resolve(given, {})
    shown = {row.name: display(row, settings) for row in TABLE}
    assert shown["otlp_endpoint"] == "http://[redacted]@collector:4318"
    assert shown["resource"] == "api_key=***,a=b"
    assert "hunter2" not in repr(settings)


def test_every_row_is_a_field_with_a_variable_of_ours_and_a_meaning() -> None:
    settings = resolve({}, {})
    assert {row.name for row in TABLE} == set(settings.sources)
    assert [*(row.name for row in TABLE), "sources"] == list(vars(settings))
    assert {row.name for row in TABLE} | {"sources"} == set(Settings.__annotations__)
    for row in TABLE:
        assert row.variables[0].name == f"OBS_{row.name.upper()}"
        assert row.help.endswith(".")
        assert isinstance(display(row, settings), str)


def test_a_wrong_endpoint_does_not_show_its_password() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve({"otlp_endpoint": "ftp://me:hunter2@collector/" + "x" * 9_000})
    assert "hunter2" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_two_endpoints_cannot_share_a_path() -> None:
    with pytest.raises(ConfigError, match="health_path and metrics_path"):
        resolve({"metrics_path": "/health"})
