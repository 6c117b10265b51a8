"""Where the contract of a run comes from: files given, specs among the paths, rules that record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from obs.catalogue import contract as exported
from obs.catalogue.everything import everything, with_platform
from obs.errors import ConfigError, ObsError
from obs.generate.model import Service
from obs.generate.spec.load import load
from obs.lint import contract
from obs.lint.contract import Contract, Metric

#: Stands for the catalogue that obs carries.
BUNDLED = "bundled"


def of_files(paths: Sequence[Path]) -> Contract | None:
    """Return the joined contract of contract files and specs; None when there are none.

    Raises `ConfigError` or `SpecError` for a file that is neither.
    """
    joined = None
    for path in paths:
        found = _of_file(path)
        joined = found if joined is None else joined.joined(found)
    return joined


def of_specs(files: Iterable[str]) -> Contract | None:
    """Return the joined contract of specs that were found among the paths; broken ones tell nothing."""
    joined = None
    for file in files:
        try:
            services = load([Path(file)])
        except ObsError:
            continue
        for service in services:
            found = _of_service(service)
            joined = found if joined is None else joined.joined(found)
    return joined


def _of_file(path: Path) -> Contract:
    if str(path) == BUNDLED:
        return contract.of_signals(everything())
    if path.suffix != ".json":
        return _all([_of_service(service) for service in load([path])])
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read the contract: {error.strerror}", str(path)) from None
    except UnicodeDecodeError:
        raise ConfigError("no contract: not UTF-8 text", str(path)) from None
    return contract.of_signals(with_platform(exported.loads(text, str(path))))


def _all(contracts: Sequence[Contract]) -> Contract:
    joined = contracts[0]
    for one in contracts[1:]:
        joined = joined.joined(one)
    return joined


def _of_service(service: Service) -> Contract:
    found = contract.of_signals(service.signals, [service.dialect], service.select)
    metrics: dict[str, Metric] = {}
    for mapped in service.mapping.values():
        signal = service.signals.find(mapped.id)
        labels = {
            label.label: signal.label(name) for name, label in mapped.labels.items() if label.label
        } | dict.fromkeys(mapped.match)
        metrics |= {metric.name: metric for metric in contract.of_mapped(signal, mapped.metric, labels)}
        if mapped.bad_metric:
            metrics[mapped.bad_metric] = Metric(mapped.bad_metric, "counter", mapped.id, "1", labels)
    interval = (tuple(service.select.items()), service.scrape_interval)
    return found.joined(Contract(metrics, found.added, (interval,)))
