"""Every artefact says that obs wrote it, or the next change of a spec could not replace it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from obs.generate import pipeline
from obs.generate.output.ownership import FOLDERS, has_generated, is_ours

SPECS = Path(__file__).parents[3] / "specs" / "shop"
CLUSTER = """
version: obs/v1
service: {name: checkout, team: shop}
capabilities: [http, logs]
notify: {page: pagerduty-shop, ticket: slack-shop}
kubernetes: {namespace: shop}
"""


def test_every_artefact_is_known_again(tmp_path: Path) -> None:
    spec = tmp_path / "checkout.yml"
    spec.write_text(CLUSTER, encoding="utf-8")
    artefacts = pipeline.plan([SPECS, spec])
    pipeline.write(artefacts, tmp_path / "out")

    kinds = {artefact.path.parts[0] for artefact in artefacts}
    assert kinds == set(FOLDERS)
    assert [
        str(artefact.path)
        for artefact in artefacts
        if not is_ours(artefact.path, artefact.text.encode())
        or not has_generated(artefact.path, tmp_path / "out")
    ] == []


def test_without_specs_everything_goes(tmp_path: Path) -> None:
    artefacts = pipeline.plan([SPECS])
    pipeline.write(artefacts, tmp_path)

    assert len(pipeline.write((), tmp_path).removed) == len(artefacts)
    assert list(tmp_path.iterdir()) == []


def test_what_nobody_can_read_is_not_ours() -> None:
    for data in (b"[" * 100_000, b'{"id": ' + b"9" * 5000, b"\xff", b""):
        assert not is_ours(PurePosixPath("dashboards/us/shop.json"), data)
