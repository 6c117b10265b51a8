"""From a line of a table to the dashboard of its service."""

from __future__ import annotations

from collections.abc import Sequence

from obs.generate.model import Column, Service, dashboard_uid

_PREFIX = "obs-"
#: The same Prometheus: the one that Grafana would choose itself may know nothing of the service.
_SOURCE = "var-datasource=${datasource}"
#: The same time, which goes on where it ends now.
_TIME = "${__url_time_range}"


def service_column(label: str, services: Sequence[Service], *, same_time: bool) -> Column:
    """Return the column of `label`, which names services: a click opens the dashboard of that service.

    The address is made of the text of the cell. Where a name is too long to stand in an address, the cell
    shows what does. Without `same_time` the dashboard shows the time that is its own.
    """
    shortened = {service.name: dashboard_uid(service.name).removeprefix(_PREFIX) for service in services}
    texts = tuple((name, text) for name, text in sorted(shortened.items()) if name != text)
    chosen = (_SOURCE, "var-environment=${__data.fields.environment}", *((_TIME,) if same_time else ()))
    address = f"/d/{_PREFIX}${{__value.text}}?{'&'.join(chosen)}"
    return Column(label, label, links=(("Dashboard", address),), texts=texts)


def series_links(label: str, services: Sequence[Service]) -> tuple[tuple[str, str], ...]:
    """Return where a click on a curve leads whose `label` names a service; nowhere when a name is too long."""
    if any(dashboard_uid(service.name) != f"{_PREFIX}{service.name}" for service in services):
        return ()
    chosen = (_SOURCE, "var-environment=${__field.labels.environment}", _TIME)
    return (("Dashboard", f"/d/{_PREFIX}${{__field.labels.{label}}}?{'&'.join(chosen)}"),)
