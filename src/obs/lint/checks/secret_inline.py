"""A secret in the configuration itself. What it is, is never repeated here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint import urls
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration
from obs.lint.read.alertmanager_resource import snake
from obs.lint.read.yaml_tree import Entry, Node

#: Key of a secret -> key that reads it from a file; "" where there is none of its own.
SECRETS = {
    "api_key": "api_key_file",
    "api_secret": "api_secret_file",
    "api_url": "api_url_file",
    "app_token": "",
    "auth_password": "auth_password_file",
    "auth_secret": "auth_secret_file",
    "bearer_token": "bearer_token_file",
    "bot_token": "bot_token_file",
    "client_secret": "client_secret_file",
    "credentials": "credentials_file",
    "opsgenie_api_key": "opsgenie_api_key_file",
    "password": "password_file",
    "routing_key": "routing_key_file",
    "secret_key": "",
    "service_key": "service_key_file",
    "slack_api_url": "slack_api_url_file",
    "smtp_auth_password": "smtp_auth_password_file",
    "smtp_auth_secret": "smtp_auth_secret_file",
    "token": "token_file",
    "token_id": "token_id_file",
    "token_secret": "token_secret_file",
    "user_key": "user_key_file",
    "victorops_api_key": "victorops_api_key_file",
    "webhook_url": "webhook_url_file",
    "wechat_api_secret": "",
}  # fmt: skip
#: Some are secrets and some are not: Slack's is one, that of Opsgenie is public.
_ADDRESSES = frozenset({"api_url", "slack_api_url", "webhook_url", "url"})
#: What stands for a secret until somebody fills it in.
_PLACEHOLDER = re.compile(
    r"<[^>]*>|\$\{[^}]*\}|\$\([^)]*\)|\{\{.*\}\}|\*+|x+|changeme|redacted|secret", re.IGNORECASE
)
#: A part of an address that nobody could guess.
_LONG_WORD = re.compile(r"[A-Za-z0-9_-]{20,}")


def _run(project: Project) -> Iterator[Finding]:
    for config in project.of(Configuration):
        yield from _within(config.root, 0)


def _within(node: Node, depth: int) -> Iterator[Finding]:
    for item in node.items:
        yield from _within(item, depth + 1)
    for name, entry in node.keys.items():
        key = snake(name)
        if entry.node.is_scalar:
            yield from _judged(key, entry)
        elif depth < 50:
            yield from _within(entry.node, depth + 1)


def _judged(key: str, entry: Entry) -> Iterator[Finding]:
    text = entry.node.text
    if text is None or not text.value.strip() or _PLACEHOLDER.fullmatch(text.value.strip()):
        return
    if key in _ADDRESSES:
        if not _tells_a_secret(text.value):
            return
    elif key not in SECRETS and "PRIVATE KEY" not in text.value:
        return
    file = SECRETS.get(key, "url_file")
    hint = f"put it into a file that only Alertmanager reads, and name that: {file}" if file else None
    # At the key: the line of the value is shown to people and kept in logs.
    yield Finding(entry.key.span, f"the secret of {key} stands in the configuration", hint, secret=True)


def _tells_a_secret(url: str) -> bool:
    """Tell whether whoever knows an address may write there: a password, or a part that is a key."""
    parts = urls.split(url)
    return bool(parts.password) or bool(_LONG_WORD.search(f"{parts.path}?{parts.query}"))


CHECK = Check("secret-inline", "error", ("alertmanager",), _run)
