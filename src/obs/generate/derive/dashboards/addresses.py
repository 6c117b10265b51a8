"""From a line of a table to the dashboard of its service."""

from __future__ import annotations

from collections.abc import Sequence

from obs.generate.model import Column, Service, dashboard_uid

_PREFIX = "obs-"


def service_column(label: str, services: Sequence[Service]) -> Column:
    """Return the column of `label`, which names services: a click opens the dashboard of that service.

    The address is made of the text of the cell. Where a name is too long to stand in an address, the cell
    shows what does.
    """
    shortened = {service.name: dashboard_uid(service.name).removeprefix(_PREFIX) for service in services}
    texts = tuple((name, text) for name, text in sorted(shortened.items()) if name != text)
    address = f"/d/{_PREFIX}${{__value.text}}?var-environment=${{__data.fields.environment}}"
    return Column(label, label, links=(("Dashboard", address),), texts=texts)


def series_links(label: str, services: Sequence[Service]) -> tuple[tuple[str, str], ...]:
    """Return where a click on a curve leads whose `label` names a service; nowhere when a name is too long."""
    if any(dashboard_uid(service.name) != f"{_PREFIX}{service.name}" for service in services):
        return ()
    chosen = "var-environment=${__field.labels.environment}&from=${__from}&to=${__to}"
    return (("Dashboard", f"/d/{_PREFIX}${{__field.labels.{label}}}?{chosen}"),)
