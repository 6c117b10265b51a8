"""The receivers: who takes a notification, in which words, and which file holds the secret for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

from obs.errors import SpecError
from obs.generate.model import Service
from obs.generate.render.alertmanager.routes import (
    HEARTBEAT_RECEIVER,
    SILENT_RECEIVER,
    heartbeat_receiver,
)
from obs.generate.render.yaml_writer import Yaml

Settings = Mapping[str, str]
#: What older engines refuse -> since which Alertmanager, (major, minor), it is known.
_TEAMS_SINCE = (0, 28)
_WEBHOOK_FILE_SINCE = (0, 26)
_SECTIONS = {"teams": "msteamsv2_configs"}
_URGENT = '{{ if eq .CommonLabels.severity "page" }}%s{{ else }}%s{{ end }}'


def receivers(services: Sequence[Service]) -> list[Yaml]:
    """Return every receiver that a route names, ordered by name.

    Raises `SpecError` for services that disagree about one, and for what their Alertmanager cannot do.
    """
    found: dict[str, dict[str, Yaml]] = {SILENT_RECEIVER: {}}
    heartbeat = heartbeat_receiver(services)
    if heartbeat == HEARTBEAT_RECEIVER:
        found[HEARTBEAT_RECEIVER] = {}
    for service in services:
        own = (*service.notify.values(), *([service.routing.heartbeat] if service.routing.heartbeat else ()))
        for name in own:
            settings = _settings(name, service)
            if found.setdefault(name, settings) != settings:
                raise SpecError(
                    f"receiver {name!r} has other settings in another spec",
                    str(service.routing.place or service.place),
                    "give notify.receivers and links.webhook once, in the file that the specs extend",
                )
    return [{"name": name, **found[name]} for name in sorted(found)]


def _settings(name: str, service: Service) -> dict[str, Yaml]:
    kind = name.partition("-")[0]
    secret = str(PurePosixPath(service.routing.secrets) / name)
    given = service.routing.receivers.get(name, {})
    written = _KINDS[kind](secret, given, service)
    return {_SECTIONS.get(kind, f"{kind}_configs"): [{**written, "send_resolved": True}]}


def _needs(since: tuple[int, int], what: str, service: Service) -> None:
    if service.routing.alertmanager >= since:
        return
    wanted, floor = (".".join(map(str, version)) for version in (since, service.routing.alertmanager))
    raise SpecError(
        f"{what} needs Alertmanager {wanted}, and this configuration is for {floor} and later",
        str(service.routing.place or service.place),
        f"where no older one runs, say so: notify: {{alertmanager: {wanted}}}",
    )


def _pagerduty(secret: str, given: Settings, _service: Service) -> dict[str, Yaml]:
    return {
        "routing_key_file": secret,
        **given,
        "description": '{{ template "obs.title" . }}',
        "severity": _URGENT % ("critical", "warning"),
        "class": "{{ .CommonLabels.category }}",
        "component": "{{ .GroupLabels.service }}",
        "group": "{{ .CommonLabels.team }}",
        "details": {"text": '{{ template "obs.text" . }}'},
        # PagerDuty refuses an event with an empty address, so these templates always write one.
        "links": [
            {"href": f'{{{{ template "obs.{name}" . }}}}', "text": name.capitalize()}
            for name in ("runbook", "dashboard", "logs", "traces", "silence")
        ],
    }


def _slack(secret: str, given: Settings, _service: Service) -> dict[str, Yaml]:
    return {
        "api_url_file": secret,
        **given,
        "title": '{{ template "obs.title" . }}',
        "title_link": '{{ template "obs.runbook" . }}',
        "fallback": '{{ template "obs.title" . }}',
        "text": '{{ template "obs.slack" . }}',
    }


def _teams(secret: str, given: Settings, service: Service) -> dict[str, Yaml]:
    _needs(_TEAMS_SINCE, "a receiver of the kind teams", service)
    return {
        "webhook_url_file": secret,
        **given,
        "title": '{{ template "obs.title" . }}',
        "text": '{{ template "obs.teams" . }}',
    }


def _opsgenie(secret: str, given: Settings, _service: Service) -> dict[str, Yaml]:
    return {
        "api_key_file": secret,
        **({"api_url": f"{given['url']}/"} if "url" in given else {}),
        "message": '{{ template "obs.title" . }}',
        "description": '{{ template "obs.text" . }}',
        "source": '{{ template "obs.silence" . }}',
        "tags": "{{ .CommonLabels.team }},{{ .CommonLabels.category }}",
        "priority": _URGENT % ("P1", "P3"),
    }


def _email(secret: str, given: Settings, _service: Service) -> dict[str, Yaml]:
    login = {"auth_username": given["username"], "auth_password_file": secret} if "username" in given else {}
    return {
        "to": given["to"],
        "from": given["from"],
        "smarthost": given["smarthost"],
        **login,
        "headers": {"Subject": '{{ template "obs.title" . }}'},
        "html": '{{ template "obs.html" . }}',
        "text": '{{ template "obs.text" . }}',
    }


def _webhook(secret: str, given: Settings, service: Service) -> dict[str, Yaml]:
    address = given.get("url") or service.links.webhook
    if address:
        return {"url": address}
    _needs(_WEBHOOK_FILE_SINCE, "a webhook whose address is a secret file", service)
    return {"url_file": secret}


_KINDS: Mapping[str, Callable[[str, Settings, Service], dict[str, Yaml]]] = {
    "email": _email,
    "opsgenie": _opsgenie,
    "pagerduty": _pagerduty,
    "slack": _slack,
    "teams": _teams,
    "webhook": _webhook,
}
