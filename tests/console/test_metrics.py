from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from obs._version import __version__
from obs.catalogue.exporters.blackbox import CERTIFICATE_EXPIRY
from obs.catalogue.self import BUILD
from obs.console.app import create
from obs.stack.certs import authority
from obs.stack.certs.authority import Subject

_NOW = authority.now()


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """Return a folder with an authority of ten days and a certificate of two, and what is none."""
    folder = tmp_path / "certs"
    folder.mkdir()
    signer = authority.found_authority(timedelta(days=10), _NOW)
    (folder / "ca.crt").write_bytes(signer.certificate)
    shown = authority.issue(signer, Subject("loki", ("loki",)), timedelta(days=2), _NOW)
    (folder / "loki.crt").write_bytes(shown.certificate)
    (folder / "loki.key").write_bytes(shown.key)
    (folder / "half.crt").write_text("-----BEGIN")
    return folder


async def _get(console: httpx.ASGITransport) -> httpx.Response:
    async with httpx.AsyncClient(transport=console, base_url="http://runbooks") as client:
        return await client.get("/metrics")


def _ends(tmp_path: Path, certificates: Path | None) -> dict[str, float]:
    runbooks = tmp_path / "runbooks"
    runbooks.mkdir()
    answer = asyncio.run(_get(httpx.ASGITransport(create(runbooks, certificates))))
    assert answer.status_code == 200
    assert "PRIVATE" not in answer.text
    build, family = text_string_to_metric_families(answer.text)
    assert build.name == BUILD.metric
    assert build.samples[0].labels == {"version": __version__, "sdk_version": __version__}
    assert (family.name, family.type) == (CERTIFICATE_EXPIRY.metric, "gauge")
    return {sample.labels["instance"]: sample.value for sample in family.samples}


def test_metrics_tell_when_each_certificate_ends(tmp_path: Path, certificates: Path) -> None:
    assert _ends(tmp_path, certificates) == {
        "ca": (_NOW + timedelta(days=10)).timestamp(),
        "loki": (_NOW + timedelta(days=2)).timestamp(),
    }


def test_without_certificates_there_is_nothing_to_tell_and_the_target_is_up(tmp_path: Path) -> None:
    assert _ends(tmp_path, None) == {}
