"""Every address and path of the committed configuration is known to the table, and replaced."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import ConfigError, StackError
from obs.stack.localise import Site, localise, localise_known, require_plain, unknown
from obs.stack.ports import numbers
from obs.stack.servers import SERVERS, SHARED_PATHS, SHOP

ROOT = Path(__file__).parents[2]
SITE = Site(Path("/state"), {key: 20000 + place for place, key in enumerate(numbers())})

#: Where the files of a folder go; the rest of stack/ is named after its server.
_OWNERS = {"small": None, "collector": "collector"}
#: For Kubernetes, where pods have addresses and paths of their own.
_ELSEWHERE = {"kubernetes.yml"}


def _committed() -> Iterator[tuple[str, Path]]:
    for file in sorted((*(ROOT / "stack").rglob("*"), *(ROOT / "collector").glob("*.yml"))):
        folder = file.relative_to(ROOT).parts[1] if file.parts[-2] != "collector" else "collector"
        owner = _OWNERS.get(folder, folder)
        is_read = file.suffix in {".yml", ".yaml", ".json", ".ini", ".tmpl"} and file.is_file()
        if owner in SERVERS and is_read and file.name not in _ELSEWHERE:
            yield str(owner), file


@pytest.mark.parametrize(
    ("owner", "file"), list(_committed()), ids=lambda one: str(one).removeprefix(f"{ROOT}/").replace("/", "-")
)
def test_the_table_knows_every_address_and_path_of_what_is_committed(owner: str, file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert list(unknown(text, owner)) == []
    here = localise(text, owner, SITE)
    for line in here.splitlines():
        if not line.lstrip().startswith(("#", ";")):
            assert "0.0.0.0" not in line  # noqa: S104 - it must be gone
            assert not any(
                f"{name}:{port.inside}" in line for name in SERVERS for port in SERVERS[name].ports
            )
            assert not any(path + "/" in line for path in SHARED_PATHS)


def test_the_committed_files_are_looked_at() -> None:
    assert {owner for owner, _ in _committed()} >= {
        "prometheus",
        "loki",
        "collector",
        "tempo",
        "grafana",
    }


@pytest.mark.parametrize(
    ("owner", "text", "expected"),
    [
        ("collector", "endpoint: 0.0.0.0:4317", "endpoint: 127.0.0.1:{collector.otlp_grpc}"),
        ("tempo", "endpoint: 0.0.0.0:4317", "endpoint: 127.0.0.1:{tempo.otlp_grpc}"),
        ("collector", "endpoint: tempo:4317", "endpoint: 127.0.0.1:{tempo.otlp_grpc}"),
        ("collector", "endpoint: http://loki:3100/otlp", "endpoint: http://127.0.0.1:{loki.http}/otlp"),
        ("loki", "http_listen_port: 3100", "http_listen_port: {loki.http}"),
        ("loki", "http_listen_address: 0.0.0.0", "http_listen_address: 127.0.0.1"),
        ("collector", "{host: 0.0.0.0, port: 8888}", "{{host: 127.0.0.1, port: {collector.metrics}}}"),
        ("grafana", "http_port = 3000", "http_port = {grafana.http}"),
        ("prometheus", '- targets: ["payments:8702"]', '- targets: ["127.0.0.1:{payments.http}"]'),
        ("prometheus", "  - /etc/prometheus/rules/*.yml", "  - /state/prometheus/rules/*.yml"),
        ("prometheus", "path: /prometheus", "path: /state/prometheus/data"),
        ("prometheus", "metrics_path: /metrics", "metrics_path: /metrics"),
        ("loki", "path_prefix: /loki", "path_prefix: /state/loki/data"),
        ("grafana", "p: $__file{/run/secrets/web_password}", "p: $__file{{/state/secrets/web_password}}"),
        ("collector", '"Basic ${file:/run/secrets/x}"', '"Basic ${{file:/state/secrets/x}}"'),
        ("collector", "include: [/var/log/obs/*.log]", "include: [/state/log/services/*.log]"),
        ("collector", "cert_file: /etc/obs/certs/ca.crt", "cert_file: /state/certs/ca.crt"),
        ("collector", "  # from loki:3100", "  # from loki:3100"),
        ("collector", "at: 08:30", "at: 08:30"),
        ("collector", "x: ${env:OBS_QUEUE:-1073741824}", "x: ${{env:OBS_QUEUE:-1073741824}}"),
        ("alertmanager", "smarthost: mail.example.com:587", "smarthost: mail.example.com:587"),
    ],
)
def test_a_token_becomes_that_of_this_machine(owner: str, text: str, expected: str) -> None:
    ports = {f"{name}.{role}": str(number) for (name, role), number in SITE.numbers.items()}
    for key, number in ports.items():
        expected = expected.replace("{" + key + "}", number)
    assert localise(text, owner, SITE) == expected.replace("{{", "{").replace("}}", "}")


@pytest.mark.parametrize(
    ("owner", "text", "words"),
    [
        ("collector", "endpoint: loki:3101", "holds 'loki:3101'"),
        ("collector", "endpoint: 0.0.0.0:4319", "holds '0.0.0.0:4319'"),
        ("collector", "endpoint: jaeger:4317", "holds 'jaeger:4317'"),
        ("collector", "endpoint: http://loki/otlp", "names loki without a port"),
        ("loki", "grpc_listen_port: 9999", "holds 'grpc_listen_port: 9999'"),
        ("loki", "dir: /var/lib/loki", "holds the path /var/lib/loki"),
        ("loki", "file: /etc/prometheus/web.yml", "holds the path /etc/prometheus/web.yml"),
    ],
)
def test_what_the_table_does_not_know_is_refused(owner: str, text: str, words: str) -> None:
    with pytest.raises(StackError, match=words):
        localise(text, owner, SITE)
    assert len(list(unknown(text, owner))) == 1


def test_a_file_of_the_user_keeps_what_is_not_of_the_stack() -> None:
    text = "url: http://jira:8080/x\napi_key_file: /run/secrets/jira\nca: /etc/ssl/ca.pem\n"
    assert localise_known(text, "alertmanager", SITE) == text.replace("/run/secrets", "/state/secrets")


@given(
    place=st.sampled_from(
        sorted({(s.name, p.role, p.inside) for s in (*SERVERS.values(), *SHOP.values()) for p in s.ports})
    ),
    scheme=st.sampled_from(["", "http://", "https://", "'", '"', "["]),
    path=st.text(string.ascii_lowercase + "/_-", max_size=12),
)
def test_any_address_of_the_table_is_replaced_and_nothing_around_it(
    place: tuple[str, str, int], scheme: str, path: str
) -> None:
    name, role, inside = place
    after = f"/{path}" if "://" in scheme else ""
    found = localise(f"key: {scheme}{name}:{inside}{after}\n", "prometheus", SITE)
    assert found == f"key: {scheme}127.0.0.1:{SITE.numbers[name, role]}{after}\n"


@given(
    st.dictionaries(
        st.text(string.ascii_lowercase, min_size=1), st.text(string.ascii_letters + " .,", max_size=30)
    )
)
def test_words_stay_as_they_are(document: dict[str, str]) -> None:
    text = yaml.safe_dump(document)
    assert localise(text, "loki", SITE) == text


@pytest.mark.parametrize("path", ["/a b/c", "/data/jörg/.cache/obs", "/srv/obs-1/a+b@c~"])
def test_a_usual_state_directory_is_accepted(path: str) -> None:
    require_plain(Path(path))
    text = localise("a: [/loki/x, {b: /loki/y}]\n", "loki", Site(Path(path), SITE.numbers))
    assert yaml.safe_load(text) == {"a": [f"{path}/loki/data/x", {"b": f"{path}/loki/data/y"}]}


@pytest.mark.parametrize(
    "path", ["/a#b", "/a: b", "/a[1]", "/a*", "/a{b}", "/a,b", "/a'b", "/a$b", "/a\nb", "/a  b"]
)
def test_a_state_directory_that_would_break_a_file_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="choose another with --dir"):
        require_plain(Path(path))
