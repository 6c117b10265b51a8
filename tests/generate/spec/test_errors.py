"""Every mistake in a spec is answered with its place, what was expected, and the nearest match."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.errors import ObsError
from obs.generate import pipeline
from obs.generate.model import CAPABILITIES

HEAD = "version: obs/v1\nservice: {name: shop, team: us}\ncapabilities: [http, jobs, process]\n"

#: What is wrong -> (spec, the whole message).
BROKEN: dict[str, tuple[str, str]] = {
    "a receiver of a misspelt kind": (
        HEAD + "notify: {page: pagerdty-shop}\n",
        (
            "spec.yml:4:16: notify.page: receiver 'pagerdty-shop' is of no known kind; expected a name that begins "
            "with it: email-…, opsgenie-…, pagerduty-…, slack-…, teams-…, webhook-…\n  hint: did you mean 'pagerduty'?"
        ),
    ),
    "a receiver that is only a kind": (
        HEAD + "notify:\n  page: slack-\n",
        (
            "spec.yml:5:9: notify.page: receiver 'slack-' is of no known kind; expected a name that begins "
            "with it: email-…, opsgenie-…, pagerduty-…, slack-…, teams-…, webhook-…\n  hint: did you mean 'slack'?"
        ),
    ),
    "no version": (
        "service: {name: shop, team: us}\n",
        "spec.yml:1:1: the spec needs 'version'",
    ),
    "another version": (
        "version: obs/v2\nservice: {name: shop, team: us}\n",
        "spec.yml:1:10: version: got 'obs/v2', expected 'obs/v1'\n  hint: did you mean 'obs/v1'?",
    ),
    "an unknown key": (
        HEAD + "capabilites: [http]\n",
        "spec.yml:4:1: unknown key 'capabilites' in the spec\n  hint: did you mean 'capabilities'?",
    ),
    "an unknown key deep inside": (
        HEAD + "alerts:\n  TargetDown:\n    severty: page\n",
        "spec.yml:6:5: unknown key 'severty' in alerts.TargetDown\n  hint: did you mean 'severity'?",
    ),
    "a key far from any": (
        HEAD + "jobs:\n  nightly: {schedule: 1d, zzz: 1}\n",
        "spec.yml:5:27: unknown key 'zzz' in jobs.nightly\n  hint: known here: schedule, grace",
    ),
    "a misspelt capability": (
        "version: obs/v1\nservice: {name: shop, team: us}\ncapabilities: [htpp]\n",
        (
            f"spec.yml:3:16: capabilities: got 'htpp', expected one of {', '.join(CAPABILITIES)}\n"
            "  hint: did you mean 'http'?"
        ),
    ),
    "a misspelt signal": (
        HEAD
        + "slos:\n  a:\n    objective: 99\n    sli: {latency: {signal: http.server.duraton, under: 1s}}\n",
        (
            "spec.yml:7:29: slos.a.sli.latency.signal: unknown signal 'http.server.duraton'\n"
            "  hint: did you mean 'http.server.duration'?"
        ),
    ),
    "a signal of the wrong kind": (
        HEAD + "slos:\n  a:\n    objective: 99\n"
        "    sli: {ratio: {total: http.server.duration, bad: {http.response.status_code: 5xx}}}\n",
        (
            "spec.yml:7:26: slos.a.sli.ratio.total: http.server.duration is a histogram, expected a counter\n"
            "  hint: did you mean 'http.server.requests'?"
        ),
    ),
    "a misspelt label": (
        HEAD + "slos:\n  a:\n    objective: 99\n"
        "    sli: {ratio: {total: http.server.requests, bad: {http.response.status: 5xx}}}\n",
        (
            "spec.yml:7:54: slos.a.sli.ratio.bad: http.server.requests has no label 'http.response.status'\n"
            "  hint: did you mean 'http.response.status_code'?"
        ),
    ),
    "a value that a label never has": (
        HEAD + "slos:\n  a:\n    objective: 99\n    sli: {ratio: {total: job.runs, bad: {result: failed}}}\n",
        "spec.yml:7:50: slos.a.sli.ratio.bad: label 'result' is never 'failed'\n  hint: did you mean 'failure'?",
    ),
    "a bound that no bucket has": (
        HEAD
        + "slos:\n  a:\n    objective: 99\n    sli: {latency: {signal: http.server.duration, under: 300ms}}\n",
        (
            "spec.yml:7:58: slos.a.sli.latency.under: 300ms is no bucket bound of http.server.duration, expected "
            "one of 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10 (seconds)\n"
            "  hint: the closest bound is 250ms"
        ),
    ),
    "an objective written as a ratio": (
        HEAD
        + "slos:\n  a:\n    objective: 0.999\n    sli: {latency: {signal: http.server.duration, under: 1s}}\n",
        (
            "spec.yml:6:16: slos.a.objective: got 0.999, expected a percentage such as 99.9\n"
            "  hint: did you mean 99.9?"
        ),
    ),
    "an objective of a hundred": (
        HEAD
        + "slos:\n  a:\n    objective: 100\n    sli: {latency: {signal: http.server.duration, under: 1s}}\n",
        "spec.yml:6:16: slos.a.objective: got 100, expected a percentage between 0 and 100",
    ),
    "a budget too large to burn": (
        HEAD
        + "slos:\n  a:\n    objective: 90\n    sli: {latency: {signal: http.server.duration, under: 1s}}\n",
        (
            "spec.yml:6:16: slos.a.objective: 90 leaves a budget of 10 %, and burning it 14.4 times too fast "
            "(1h window) would take 144 % bad events\n  hint: expected an objective above 93.06"
        ),
    ),
    "a misspelt alert": (
        HEAD + "alerts:\n  HttpErrorRateHigh: {for: 1m}\n",
        "spec.yml:5:3: there is no alert 'HttpErrorRateHigh'\n  hint: did you mean 'HttpErrorRatioHigh'?",
    ),
    "a ratio of more than one": (
        HEAD + "alerts:\n  HttpErrorRatioHigh: {threshold: 5}\n",
        (
            "spec.yml:5:35: alerts.HttpErrorRatioHigh.threshold: got 5, expected a ratio from 0.0001 to 0.999\n"
            "  hint: did you mean 0.05?"
        ),
    ),
    "a threshold with a percent sign": (
        HEAD + "alerts:\n  HttpErrorRatioHigh: {threshold: 5%}\n",
        "spec.yml:5:35: alerts.HttpErrorRatioHigh.threshold: got '5%', expected a number\n  hint: write 0.05",
    ),
    "a latency at the last bucket": (
        HEAD + "alerts:\n  HttpLatencyP99High: {threshold: 10}\n",
        (
            "spec.yml:5:35: alerts.HttpLatencyP99High.threshold: 10 s can never be exceeded: the buckets of "
            "http.server.duration end at 10 s\n  hint: expected at least 0.005 and less than 10"
        ),
    ),
    "a threshold for an alert without one": (
        HEAD + "alerts:\n  TargetDown: {threshold: 1}\n",
        "spec.yml:5:27: TargetDown has no threshold",
    ),
    "a window of too few scrapes": (
        HEAD + "alerts:\n  HttpErrorRatioHigh: {window: 30s}\n",
        (
            "spec.yml:5:32: alerts.HttpErrorRatioHigh.window: 30s holds fewer than 4 scrapes (15s apart)\n"
            "  hint: expected at least 1m"
        ),
    ),
    "an alert disabled without a reason": (
        HEAD + "alerts:\n  TargetDown: {disabled: true}\n",
        "spec.yml:5:26: alerts.TargetDown.disabled needs the reason, in words",
    ),
    "a duration without a unit": (
        HEAD + "alerts:\n  TargetDown: {for: 60}\n",
        (
            "spec.yml:5:21: alerts.TargetDown.for: got '60', expected a duration such as 30s, 5m or 1h30m\n"
            "  hint: which unit? such as 60s or 60m"
        ),
    ),
    "a misspelt unit": (
        HEAD + "alerts:\n  TargetDown: {for: 5min}\n",
        (
            "spec.yml:5:21: alerts.TargetDown.for: got '5min', expected a duration such as 30s, 5m or 1h30m\n"
            "  hint: did you mean 5m?"
        ),
    ),
    "a unit after a blank": (
        HEAD + "alerts:\n  TargetDown: {for: 2 Hours}\n",
        (
            "spec.yml:5:21: alerts.TargetDown.for: got '2 Hours', expected a duration such as 30s, 5m or 1h30m\n"
            "  hint: did you mean 2h?"
        ),
    ),
    "a negative duration": (
        HEAD + "alerts:\n  TargetDown: {for: -5m}\n",
        "spec.yml:5:21: alerts.TargetDown.for: got '-5m', expected a duration such as 30s, 5m or 1h30m",
    ),
    "a fraction of seconds": (
        HEAD
        + "slos:\n  a:\n    objective: 99\n    sli: {latency: {signal: http.server.duration, under: 0.5}}\n",
        (
            "spec.yml:7:58: slos.a.sli.latency.under: got '0.5', expected a duration such as 30s, 5m or 1h30m\n"
            "  hint: whole numbers only: 500ms is 0.5 s"
        ),
    ),
    "a latency just below a bound": (
        HEAD + "alerts:\n  HttpLatencyP99High: {threshold: 0.9999}\n",
        (
            "spec.yml:5:35: alerts.HttpLatencyP99High.threshold: 0.9999 s lies too close below the bucket of 1 s: "
            "between bounds a quantile is a guess\n  hint: expected at most 0.997, or 1"
        ),
    ),
    "a latency with a unit": (
        HEAD + "alerts:\n  HttpLatencyP99High: {threshold: 500ms}\n",
        (
            "spec.yml:5:35: alerts.HttpLatencyP99High.threshold: got '500ms', expected a number\n"
            "  hint: in seconds, 500ms is 0.5"
        ),
    ),
    "a ratio too small to measure": (
        HEAD + "alerts:\n  HttpErrorRatioHigh: {threshold: 1e-9}\n",
        (
            "spec.yml:5:35: alerts.HttpErrorRatioHigh.threshold: got 1E-9, "
            "expected a ratio from 0.0001 to 0.999"
        ),
    ),
    "an objective with a percent sign": (
        HEAD
        + "slos:\n  a:\n    objective: 99.9%\n    sli: {latency: {signal: http.server.duration, under: 1s}}\n",
        "spec.yml:6:16: slos.a.objective: got '99.9%', expected a number\n  hint: write 99.9",
    ),
    "an objective nobody could measure": (
        HEAD
        + "slos:\n  a:\n    objective: 99.99999999999\n    sli: {latency: {signal: http.server.duration, under: 1s}}\n",
        "spec.yml:6:16: slos.a.objective: got 99.99999999999, expected at most 99.9999",
    ),
    "a class in capitals": (
        HEAD + "slos:\n  a:\n    objective: 99\n"
        "    sli: {ratio: {total: http.server.requests, bad: {http.response.status_code: 5XX}}}\n",
        (
            "spec.yml:7:81: label 'http.response.status_code': got '5XX', expected a class such as 5xx\n"
            "  hint: did you mean '5xx'?"
        ),
    ),
    "a selection of another service": (
        HEAD + "telemetry: {select: {service: other}}\n",
        (
            "spec.yml:4:31: select.service: got 'other', expected the service's own name, 'shop'\n"
            "  hint: set the label where the targets are declared"
        ),
    ),
    "a value that would be a template": (
        HEAD + "telemetry: {select: {environment: '{{x}}'}}\n",
        "spec.yml:4:35: label environment: got '{{x}}', expected a value without any of \" \\ { } $ `",
    ),
    "a service named as the fleet": (
        "version: obs/v1\nservice: {name: fleet, team: us}\n",
        (
            "spec.yml:2:17: service.name: 'fleet' is where alerts of no single service are filed\n"
            "  hint: give the service another name"
        ),
    ),
    "an alert whose capability the service lacks": (
        HEAD.replace("http, ", "") + "alerts:\n  HttpErrorRatioHigh: {for: 1m}\n",
        "spec.yml:5:3: alerts.HttpErrorRatioHigh: shop has no such alert, because it has no capability 'http'",
    ),
    "an alert on jobs that nobody declares": (
        HEAD + "alerts:\n  JobNotRunning: {for: 1m}\n",
        "spec.yml:5:3: alerts.JobNotRunning: shop has no such alert, because it has no jobs",
    ),
    "an alert on objectives that nobody declares": (
        HEAD + "alerts:\n  ErrorBudgetBurnFast: {severity: ticket}\n",
        "spec.yml:5:3: alerts.ErrorBudgetBurnFast: shop has no such alert, because it has no slos",
    ),
    "jobs without the capability": (
        "version: obs/v1\nservice: {name: shop, team: us}\njobs:\n  nightly: {schedule: 1d, grace: 1h}\n",
        "spec.yml:4:3: jobs are declared, but shop lacks the capability 'jobs'\n  hint: add jobs to capabilities",
    ),
    "a name that is a path": (
        "version: obs/v1\nservice: {name: ../../etc, team: us}\n",
        "spec.yml:2:17: service.name: got '../../etc', expected letters, digits, - and _, a letter first",
    ),
    "a link that is none": (
        HEAD + "links: {grafana: grafana.example}\n",
        (
            "spec.yml:4:18: links.grafana: got 'grafana.example', expected an address that starts with https:// or "
            "http://"
        ),
    ),
    "a missing base": (
        HEAD + "extends: ./nowhere.yml\n",
        "spec.yml:4:10: extends: there is no file './nowhere.yml' beside this one",
    ),
    "a base that is itself": (
        HEAD + "extends: ./spec.yml\n",
        "spec.yml:4:10: extends: './spec.yml' leads back to this file",
    ),
    "a missing contract": (
        HEAD + "contract: ./shop.contract.json\n",
        (
            "spec.yml:4:11: contract: cannot read './shop.contract.json'\n"
            "  hint: obs catalogue export --out FILE writes one"
        ),
    ),
    "an environment nobody declares": (
        HEAD + "environments: {staging: {select: {environment: staging}}}\n",
        "spec.yml:4:1: environment 'prod' is not declared\n  hint: declared: staging",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_answered_with_place_expectation_and_advice(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, message = BROKEN[name]
    monkeypatch.chdir(tmp_path)
    Path("spec.yml").write_text(text, encoding="utf-8")
    environment = "prod" if name.startswith("an environment") else None

    with pytest.raises(ObsError) as refusal:
        pipeline.plan([Path("spec.yml")], environment=environment)

    assert message == str(refusal.value)
    assert refusal.value.exit_code == 2


def test_a_service_declared_twice_names_both_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.yml", "b.yml"):
        Path(name).write_text(HEAD, encoding="utf-8")

    with pytest.raises(ObsError) as refusal:
        pipeline.plan([Path()])

    assert str(refusal.value) == (
        "b.yml:2:17: service 'shop' is declared twice\n  hint: the other one is at a.yml:2:17"
    )


def test_objectives_of_one_id_name_both_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for service, slo in (("shop", "eu-speed"), ("shop-eu", "speed")):
        text = HEAD.replace("name: shop", f"name: {service}") + (
            f"slos: {{{slo}: {{objective: 99, sli: {{latency: {{signal: http.server.duration, under: 1s}}}}}}}}\n"
        )
        Path(f"{service}.yml").write_text(text, encoding="utf-8")

    with pytest.raises(ObsError) as refusal:
        pipeline.plan([Path()])

    assert str(refusal.value) == (
        "shop-eu.yml:4:27: objective 'speed' of shop-eu has the id shop-eu-speed, which another has\n"
        "  hint: the other one is at shop.yml:4:30; rename one of them"
    )


def test_a_place_in_a_base_is_a_place_in_the_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("defaults.yml").write_text("alerts:\n  TargetDwn: {for: 1m}\n", encoding="utf-8")
    Path("spec.yml").write_text(HEAD + "extends: ./defaults.yml\n", encoding="utf-8")

    with pytest.raises(ObsError) as refusal:
        pipeline.plan([Path("spec.yml")])

    assert str(refusal.value) == (
        "defaults.yml:2:3: there is no alert 'TargetDwn'\n  hint: did you mean 'TargetDown'?"
    )


def test_a_base_may_tune_alerts_that_only_some_services_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("defaults.yml").write_text("alerts:\n  HttpErrorRatioHigh: {for: 1m}\n", encoding="utf-8")
    Path("spec.yml").write_text(HEAD.replace("http, ", "") + "extends: ./defaults.yml\n", encoding="utf-8")

    assert pipeline.plan([Path("spec.yml")])
