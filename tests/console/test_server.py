"""The console as users run it: a process of its own with the real server."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

PAGE = """# TargetDown

| | |
|---|---|
| Severity | page |

## Meaning

The target cannot be scraped. <script>alert(1)</script>

```promql
up{service="payments"} == 0
```
"""


@contextlib.contextmanager
def _start(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the console; whatever the test does, the process is gone afterwards."""
    command = [sys.executable, "-m", "obs.console", "--runbooks", str(folder), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("runbooks")
    (folder / "payments").mkdir()
    (folder / "payments" / "TargetDown.md").write_text(PAGE, encoding="utf-8")
    (folder / "payments" / "Markup.md").write_text(
        "# `<img src=x>`\n\n## Meaning\n\n`<img src=x>` is here.\n", encoding="utf-8"
    )
    (folder / "payments" / "Huge.md").write_text("x" * 2_000_000, encoding="utf-8")
    (folder.parent / "secret.md").write_text("secret", encoding="utf-8")
    with _start(folder, "--port", "0") as process:
        assert process.stdout is not None
        with httpx.Client(base_url=process.stdout.readline().strip(), trust_env=False, timeout=60) as client:
            yield client
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert errors == ""


def test_the_index_leads_to_every_page(site: httpx.Client) -> None:
    answer = site.get("/")

    assert answer.status_code == 200
    assert '<a href="/runbooks/payments/TargetDown">' in answer.text
    assert "The target cannot be scraped." in answer.text


def test_a_service_has_a_list_of_its_own_and_the_base_of_all_runbooks_answers(site: httpx.Client) -> None:
    assert '<a href="/runbooks/payments/TargetDown">' in site.get("/runbooks").text
    assert "<h1>Runbooks of payments</h1>" in site.get("/runbooks/payments").text
    assert site.get("/runbooks/nobody").status_code == 404


def test_a_page_is_html_with_its_severity_and_contents(site: httpx.Client) -> None:
    answer = site.get("/runbooks/payments/TargetDown")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>TargetDown · payments</title>" in answer.text
    assert '<span class="severity page">page</span>' in answer.text
    assert '<li><a href="#meaning">Meaning</a></li>' in answer.text


def test_markup_in_a_page_is_escaped(site: httpx.Client) -> None:
    text = site.get("/runbooks/payments/TargetDown").text

    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_the_source_is_the_file_itself(site: httpx.Client) -> None:
    answer = site.get("/runbooks/payments/TargetDown.md")

    assert answer.text == PAGE
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"


def test_an_unknown_page_names_the_nearest(site: httpx.Client) -> None:
    answer = site.get("/runbooks/payments/TargetDwn")

    assert answer.status_code == 404
    assert 'Did you mean <a href="/runbooks/payments/TargetDown">' in answer.text


def test_an_unknown_name_is_escaped_in_the_answer(site: httpx.Client) -> None:
    for path in ("/runbooks/payments/<img src=x onerror=alert(1)>", "/runbooks/<img src=x onerror=alert(1)>"):
        answer = site.get(path)

        assert answer.status_code == 404
        assert "&lt;img src=x" in answer.text
        assert "<img" not in answer.text


def test_markup_in_a_title_or_a_summary_is_escaped(site: httpx.Client) -> None:
    for path in ("/", "/runbooks/payments/Markup"):
        text = site.get(path).text

        assert "&lt;img src=x" in text
        assert "<img" not in text


@pytest.mark.parametrize(
    "path",
    [
        "/runbooks/../secret.md",
        "/runbooks/%2e%2e/secret.md",
        "/runbooks/%2e%2e%2fsecret.md",
        "/runbooks/payments/..%2f..%2fsecret.md",
        "/runbooks/payments/TargetDown%00.md",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
    ],
)
def test_no_path_leads_out_of_the_folder(site: httpx.Client, path: str) -> None:
    host, port = site.base_url.host, site.base_url.port
    with socket.create_connection((host, port or 80), timeout=10) as raw:  # a client would tidy the path
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))

    assert answer.split()[1] in {b"404", b"400"}
    assert b"secret\n" not in answer.partition(b"\r\n\r\n")[2]
    assert b"import" not in answer


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/runbooks/payments/TargetDown",
        "/runbooks/payments/TargetDown.md",
        "/health",
        "/static/console.css",
        "/x",
    ],
)
def test_every_answer_carries_the_security_headers(site: httpx.Client, path: str) -> None:
    headers = site.get(path).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_pages_bring_nothing_inline_and_nothing_from_elsewhere(site: httpx.Client) -> None:
    for path in ("/", "/runbooks/payments/TargetDown", "/runbooks/payments/Nope"):
        text = site.get(path).text
        assert "style=" not in text
        assert "<style" not in text
        assert "://" not in text
        assert "<script src=" in text


@pytest.mark.parametrize("name", ["console.css", "console.js", "icon.svg"])
def test_assets_are_served(site: httpx.Client, name: str) -> None:
    answer = site.get(f"/static/{name}")

    assert answer.status_code == 200
    assert "http-equiv" not in answer.text


def test_a_page_above_the_bound_says_so(site: httpx.Client) -> None:
    answer = site.get("/runbooks/payments/Huge")

    assert answer.status_code == 500
    assert "larger than 1048576 bytes" in answer.text


def test_health_counts_the_pages(site: httpx.Client) -> None:
    assert site.get("/health").json() == {"status": "healthy", "runbooks": 3}


def test_other_methods_are_refused(site: httpx.Client) -> None:
    assert site.post("/runbooks/payments/TargetDown").status_code == 405
    assert site.head("/runbooks/payments/TargetDown").status_code == 200


def test_the_default_is_loopback(site: httpx.Client) -> None:
    assert site.base_url.host == "127.0.0.1"


def test_a_taken_port_is_a_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with _start(tmp_path, "--port", str(port)) as process:
            output, errors = process.communicate(timeout=60)

    assert process.returncode == 3
    assert output == ""
    assert errors.startswith(f"error: cannot listen on 127.0.0.1:{port}: ")
    assert "Traceback" not in errors


@pytest.mark.parametrize("port", ["-1", "70000"])
def test_an_impossible_port_is_a_clear_error(tmp_path: Path, port: str) -> None:
    with _start(tmp_path, "--port", port) as process:
        _, errors = process.communicate(timeout=60)

    assert process.returncode != 0
    assert "Traceback" not in errors


def test_a_missing_folder_is_a_clear_error(tmp_path: Path) -> None:
    with _start(tmp_path / "absent", "--port", "0") as process:
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 2
    assert errors.startswith("error: no folder of runbooks at ")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_stops_it_without_a_traceback(tmp_path: Path, name: str) -> None:
    with _start(tmp_path, "--port", "0") as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert httpx.get(f"{address}health", trust_env=False, timeout=60).status_code == 200
        os.kill(process.pid, getattr(signal, name))
        _, errors = process.communicate(timeout=60)

    assert errors == ""
