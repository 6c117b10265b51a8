"""A secret in a configuration is found, and no report repeats it."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from obs.cli.main import run as command
from obs.lint import report, run

HIDDEN = "k7Qw9ZpLr2Xv5Tn8Bm3Jd6Hf"
CONFIG = f"""\
    global:
      smtp_auth_password: {HIDDEN}
      slack_api_url: https://hooks.example.com/services/T00/B00/{HIDDEN}
    route: {{receiver: team, matchers: ['a=b'], group_by: [alertname]}}
    receivers:
      - {{name: unused, pagerduty_configs: [{{routing_key: {HIDDEN}}}]}}
      - name: team
        opsgenie_configs:
          - api_key: {HIDDEN}
            api_url: https://api.example.com/
        webhook_configs:
          - url: https://user:{HIDDEN}@example.com/alerts
          - url: https://example.com/hooks/{HIDDEN}
          - url: http://127.0.0.1:9/alerts
            http_config:
              authorization:
                credentials: >-
                  {HIDDEN}
        telegram_configs:
          - bot_token: '{HIDDEN}'
            chat_id: 3
        email_configs:
          - to: team@example.com
            auth_password_file: /run/secrets/mail
            auth_password: <secret>
            auth_secret: ${{SECRET}}
    """


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "alertmanager.yml"
    path.write_text(dedent(CONFIG), encoding="utf-8")
    return path


def test_every_secret_is_found_and_no_placeholder_is_one(config: Path) -> None:
    found = [one for one in run.lint([config]).problems if one.check == "secret-inline"]

    # Pointed at by its key: the value of the block is in the line after it.
    keyed = dedent(CONFIG).replace(">-\n", ">-").splitlines()
    written = {number for number, line in enumerate(keyed, start=1) if HIDDEN in line}
    below = keyed.index(next(line for line in keyed if ">-" in line)) + 1
    assert {one.place.line for one in found} == {number + (number > below) for number in written}
    assert all(one.secret for one in found)


@pytest.mark.parametrize("format_", ["text", "json", "github"])
def test_no_report_repeats_a_secret_whatever_else_is_wrong_in_its_line(
    config: Path, format_: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command(["lint", str(config), "--format", format_]) == 1

    out, err = capfd.readouterr()
    assert "receiver-unused" in out
    assert "secret-inline" in out
    assert HIDDEN not in out + err


def test_who_silences_the_finding_does_not_see_the_secret_either(
    config: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "obs-lint.yml"
    settings.write_text("severity: {secret-inline: off}\n", encoding="utf-8")

    assert command(["lint", str(config), "--config", str(settings)]) == 1

    out, err = capfd.readouterr()
    assert "receiver-unused" in out
    assert HIDDEN not in out + err


def test_a_baseline_holds_no_secret(config: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"

    command(["lint", str(config), "--baseline", str(baseline), "--write-baseline"])

    text = baseline.read_text(encoding="utf-8")
    assert any(one["check"] == "secret-inline" for one in json.loads(text)["problems"])
    assert HIDDEN not in text


@pytest.mark.parametrize(
    "text",
    [
        "route: {receiver: a}\nreceivers:\n  - name: a\n   hooks: [hunter2\n",
        'remote_write:\n  - basic_auth: {password: "hunter2\n',
        "x: [1\nurl: https://me:hunter2@example.com]: y\n",
    ],
)
def test_a_broken_file_is_not_shown_where_it_may_hold_a_secret(text: str, tmp_path: Path) -> None:
    (tmp_path / "file.yml").write_text(text, encoding="utf-8")
    found = run.lint([tmp_path])

    assert [problem.check for problem in found.problems] == ["broken-yaml"]
    assert "hunter2" not in "".join(report.console(found.problems, found.sources))
