"""obs settings: each value with its source, secrets masked."""

from __future__ import annotations

import json
import os
import subprocess
import sys


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "obs", "settings", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**kept, **environ})


def test_values_and_sources_are_printed() -> None:
    done = run(OBS_SERVICE="shop", LOG_LEVEL="debug")
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert rows["service"] == ["shop", "OBS_SERVICE"]
    assert rows["log_level"] == ["debug", "LOG_LEVEL"]
    assert rows["dialect"] == ["otel", "default"]


def test_json_has_every_setting_and_masks_secrets() -> None:
    done = run("--format", "json", OTEL_EXPORTER_OTLP_HEADERS="authorization=hunter2")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["otlp_headers"]["value"] == "authorization=***"
    assert rows["otlp_headers"]["source"] == "OTEL_EXPORTER_OTLP_HEADERS"
    assert "OBS_SERVICE" in rows["service"]["variables"]
    assert "hunter2" not in done.stdout


def test_a_wrong_value_is_one_sentence_and_exit_code_two() -> None:
    done = run(OBS_LOG_LEVEL="loud")
    assert done.returncode == 2
    assert "OBS_LOG_LEVEL: got 'loud', expected one of" in done.stderr
    assert "Traceback" not in done.stderr
