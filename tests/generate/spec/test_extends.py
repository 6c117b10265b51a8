"""Specs that stand upon others: chains, several bases, and environments that are checked unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs.errors import SpecError
from obs.generate.model import Duration
from obs.generate.spec.load import load


def _write(directory: Path, **files: str) -> None:
    for name, text in files.items():
        (directory / f"{name}.yml").write_text(text, encoding="utf-8")


def test_of_several_bases_each_stands_above_those_before_it(tmp_path: Path) -> None:
    _write(
        tmp_path,
        company="links: {grafana: https://a.example, runbooks: https://a.example/r}\ntelemetry: {interval: 30s}\n",
        team="links: {grafana: https://b.example}\nservice: {team: us}\n",
        spec="version: obs/v1\nextends: [./company.yml, ./team.yml]\nservice: {name: shop}\n",
    )

    (shop,) = load([tmp_path / "spec.yml"])

    assert shop.links.grafana == "https://b.example"
    assert shop.links.runbooks == "https://a.example/r"
    assert (shop.team, shop.scrape_interval) == ("us", Duration.parse("30s"))


def test_a_chain_is_followed_to_its_end(tmp_path: Path) -> None:
    _write(
        tmp_path,
        company="telemetry: {interval: 30s}\nservice: {tier: standard}\n",
        team="extends: ./company.yml\nservice: {team: us, tier: critical}\n",
        spec="version: obs/v1\nextends: ./team.yml\nservice: {name: shop}\n",
    )

    (shop,) = load([tmp_path / "spec.yml"])

    assert (shop.tier, shop.scrape_interval) == ("critical", Duration.parse("30s"))


def test_a_loop_through_several_bases_is_named_where_it_closes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _write(
        tmp_path,
        plain="telemetry: {interval: 30s}\n",
        team="extends: [./plain.yml, ./spec.yml]\n",
        spec="version: obs/v1\nextends: ./team.yml\nservice: {name: shop, team: us}\n",
    )

    with pytest.raises(SpecError) as refusal:
        load([Path("spec.yml")])

    assert str(refusal.value) == "team.yml:1:24: extends: './spec.yml' leads back to this file"


def test_an_environment_that_nobody_chose_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _write(
        tmp_path,
        spec=(
            "version: obs/v1\nservice: {name: shop, team: us}\nenvironments:\n"
            "  dev: {severity: {page: ticket}}\n  prod: {jobs: {nightly: {schedule: soon, grace: 1h}}}\n"
        ),
    )

    with pytest.raises(SpecError) as refusal:
        load([Path("spec.yml")], "dev")

    assert str(refusal.value) == (
        "spec.yml:5:37: jobs.nightly.schedule: got 'soon', expected a duration such as 30s, 5m or 1h30m"
    )


def test_an_environment_lays_objectives_downtime_and_alerts_upon_the_spec(tmp_path: Path) -> None:
    _write(
        tmp_path,
        spec=(
            "version: obs/v1\nservice: {name: shop, team: us}\n"
            "slos: {fast: {objective: 99.9, sli: {latency: {signal: http.server.duration, under: 1s}}}}\n"
            "environments:\n"
            "  dev:\n"
            "    slos: {fast: {objective: 95}}\n"
            '    downtime: {night: {days: [monday], from: "00:00", to: "06:00", reason: switched off at night}}\n'
        ),
    )

    (plain,) = load([tmp_path / "spec.yml"])
    (dev,) = load([tmp_path / "spec.yml"], "dev")

    assert [str(slo.objective) for slo in (*plain.slos, *dev.slos)] == ["99.9", "95"]
    assert (plain.downtimes, [window.name for window in dev.downtimes]) == ((), ["night"])
