"""Runbooks of the alerts on all targets at once, and on scrapes that become slow or large."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.target import SCRAPE_DURATION, SCRAPE_SAMPLES, UP
from obs.generate.derive.guidance.investigation import escalate, recent_change, roll_back
from obs.generate.derive.guidance.queries import Queries, seconds
from obs.generate.model import Action, Alert, Runbook, Step


def all_targets_down(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """JobAllTargetsDown: nothing of the service answers any more."""
    name, up = ask.service.name, ask.series(UP)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"Not a single target of {name} answers Prometheus, or none is left to ask. One instance may die; all at "
            "once means a release, the network, the machine, or the way in which Prometheus finds them."
        ),
        impact=(
            f"Most likely {name} is down for everybody. Its other alerts are held back while this one fires: they "
            "would only say the same."
        ),
        diagnosis=(
            Step(
                "Try the service as its users do, and see when its targets were last up.",
                (f"max by (environment) ({up})", f"max by (environment) (max_over_time({up}[1h]))"),
                (
                    ("users are served", "only the scrape is broken: go on with step 3."),
                    (
                        "users are not served",
                        "it is an outage: go on with step 2, and tell the incident channel.",
                    ),
                ),
            ),
            recent_change(ask, 3),
            Step(
                "See whether other services on the same machine or network are down as well.",
                ("count by (service) (up == 0)",),
                (
                    ("many are", "the machine, the network or Prometheus itself: go there first."),
                    ("only this one", "its own release, or its list of targets; go on with step 4."),
                ),
            ),
            Step(
                "Read why the scrapes fail, on Prometheus' page of targets.",
                outcomes=(
                    (
                        "there is no target",
                        "discovery or the target file has lost the service: Mitigation 2.",
                    ),
                    ("connection refused", "no process listens: Mitigation 1."),
                    (
                        "401, 403 or a certificate error",
                        "credentials or certificates have changed: Mitigation 2.",
                    ),
                ),
                commands=(
                    f"curl --fail --silent --show-error {ask.service.links.prometheus}/api/v1/targets?state=active",
                ),
            ),
        ),
        mitigation=(
            roll_back("one scrape"),
            Action(
                "Put back the targets, credentials or certificates as they were, and reload Prometheus.",
                "targets are found and scraped again.",
                f"2 minutes, and {ask.service.scrape_interval.words} for the next scrape.",
            ),
            Action(
                "Start the service on another machine.",
                "users are served again.",
                "5 to 10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team, urgent=True, when="users are not served and the last release is not the reason"
        ),
        verification=(
            Step(
                "Targets are up, users are served, and no held-back alert of the service remains.",
                (f"min_over_time({up}[5m])", f'ALERTS{{service="{name}", alertstate="firing"}}'),
                (
                    ("all hold", "it is over."),
                    ("other alerts fire now", "they were held back: go on with their runbooks."),
                ),
            ),
        ),
    )


def scrape_slow(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """ScrapeSlow: scrapes take nearly as long as they may."""
    line = seconds(alerts[0].threshold.value)
    duration = f"max by (instance) ({ask.series(SCRAPE_DURATION)})"
    samples = f"max by (instance) ({ask.series(SCRAPE_SAMPLES)})"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"Prometheus needs more than {line} to read an instance of {ask.service.name}. A little more and the "
            "scrape is given up: then the instance counts as down."
        ),
        impact="Users notice nothing yet. When scrapes fail, every alert of the service is blind.",
        diagnosis=(
            Step(
                "Compare the time of a scrape with the number of samples in it.",
                (duration, samples),
                (
                    ("samples have grown with it", "a label has too many values: open ScrapeSeriesJump."),
                    (
                        "samples are as before",
                        "the process is short of CPU or the network is slow; go on with step 2.",
                    ),
                ),
            ),
            Step(
                "Time a scrape by hand, from the machine of Prometheus.",
                outcomes=(
                    ("it is fast", "the way in between is slow only now and then: ask the network's owner."),
                    ("it is slow", "the process is busy: open its dashboard, row Process."),
                ),
                commands=(
                    (
                        'curl --silent --output /dev/null --write-out "%{time_total}s %{size_download} bytes\\n" '
                        '"http://${INSTANCE:?set it to the label instance}/metrics"'
                    ),
                ),
            ),
            recent_change(ask, 2),
        ),
        mitigation=(
            Action(
                "Give the process more CPU, or start another instance.",
                "scrapes become fast again.",
                "5 minutes.",
            ),
            roll_back("one scrape"),
            Action(
                "Give this job a longer `scrape_interval` and `scrape_timeout` for the time being.",
                "scrapes do not fail; its alerts come later.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="scrapes of several instances fail already",
        ),
        verification=(
            Step(
                f"Every scrape takes less than half of {line}.",
                (duration,),
                (
                    ("it does", "it is over."),
                    ("an instance is still slow", "go on with Diagnosis 2 on that instance."),
                ),
            ),
        ),
    )


def series_jump(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """ScrapeSeriesJump: the service exposes many more samples than a day ago."""
    samples = f"max by (instance) ({ask.series(SCRAPE_SAMPLES)})"
    pick = ", ".join(f'{label}="{value}"' for label, value in sorted(ask.names.select.items()))
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"An instance of {ask.service.name} exposes {alerts[0].threshold.value:f} times the samples of a day ago, "
            "or more. Some label has got many values: a raw path, a user, an error text."
        ),
        impact="Prometheus needs memory for each of them. When it runs out, all alerting ends with it.",
        diagnosis=(
            Step(
                "See since when, and on which instances.",
                (samples, f"{samples} - max by (instance) ({ask.series(SCRAPE_SAMPLES)} offset 1d)"),
                (
                    ("it rose at once", "a release brought it; go on with step 2."),
                    ("it climbs slowly", "a label collects values without end; go on with step 3."),
                ),
            ),
            recent_change(ask, 3),
            Step(
                "Find the metric with the most series, and the label of it with the most values.",
                outcomes=(
                    ("one metric stands out", "its newest label is the reason: Mitigation 1 or 2."),
                    (
                        "all have grown",
                        "the instance serves more tenants or routes than before: that may be right.",
                    ),
                ),
                commands=(
                    (
                        "promtool query instant "
                        f"{ask.service.links.prometheus} 'topk(10, count by (__name__) ({{{pick}}}))'"
                    ),
                    f"curl --fail --silent --show-error {ask.service.links.prometheus}/api/v1/status/tsdb",
                ),
            ),
        ),
        mitigation=(
            roll_back("one scrape"),
            Action(
                "Drop the label or metric for now: `metric_relabel_configs` of the job with `labeldrop` or `drop`, and reload.",
                "no new series; the old ones leave memory within two hours.",
                "10 minutes.",
            ),
            Action(
                "Bound the label in the code: a route template in place of a path, a class in place of a text.",
                "the number of series is bounded for good.",
                "a release.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="the memory of Prometheus is above 80 % of what it may use",
        ),
        verification=(
            Step(
                "The samples of each instance are near those of a day before.",
                (samples,),
                (
                    ("they are", "it is over."),
                    ("they are not, and that is right", "raise the threshold in the spec, with the reason."),
                ),
            ),
        ),
    )
