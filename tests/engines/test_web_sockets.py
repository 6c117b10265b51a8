"""Websockets under a real server with two workers: one line and one count a connection, however it ended."""

from __future__ import annotations

import contextlib
import signal
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.test_web_servers import Server, running
from tests.engines.waiting import await_

pytestmark = pytest.mark.engines

_SITE = """
import asyncio
import obs
from fastapi import FastAPI, WebSocket
from starlette.websockets import WebSocketDisconnect

obs.init("shop", log_format="json")
app = FastAPI()

@app.websocket("/rooms/{room}")
async def chat(websocket: WebSocket, room: str):
    await websocket.accept()
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        pass

@app.websocket("/careless")
async def careless(websocket: WebSocket):
    await websocket.accept()
    await websocket.receive_text()

@app.websocket("/ticker")
async def ticker(websocket: WebSocket):
    await websocket.accept()
    while True:
        await websocket.send_text("x" * 10_000)
        await asyncio.sleep(0.01)

@app.websocket("/greet")
async def greet(websocket: WebSocket):
    await websocket.accept()
    await websocket.close(4001)

@app.websocket("/boom")
async def boom(websocket: WebSocket):
    await websocket.accept()
    raise ValueError("kaputt")

@app.websocket("/refused")
async def refused(websocket: WebSocket):
    await websocket.close()

obs.instrument(app)
"""
#: The worker of uvicorn would need a library for websockets besides; gunicorn's own speaks them.
_COMMAND = (
    "-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--no-control-socket", "--worker-class", "asgi",
    "--workers", "2", "socket_site:app",
)  # fmt: skip
#: The first byte of a frame that closes, and a mask that changes nothing: a client has to send one.
_CLOSE = 0x88
_MASK = (0, 0, 0, 0)


class Client:
    """One websocket by hand, so that it can leave as clients do: with a word or without."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: shop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._socket.recv(1)
        self.status = int(head.split()[1])
        self.headers = head.lower().decode()

    def close(self, code: int) -> None:
        """Say goodbye and wait for the end."""
        self._socket.sendall(bytes((_CLOSE, 0x82, *_MASK)) + struct.pack("!H", code))
        self.read()

    def read(self) -> None:
        """Read until the server ends the connection, and say goodbye as well where it does."""
        with contextlib.suppress(ConnectionError):
            while data := self._socket.recv(65_536):
                if data[0] == _CLOSE:
                    self._socket.sendall(bytes((_CLOSE, 0x80, *_MASK)))
        self._socket.close()

    def vanish(self) -> None:
        """Reset the connection, as when a machine is switched off."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "socket_site.py").write_text(_SITE)
    with running(tmp_path, _COMMAND) as started:
        yield started


def told(server: Server) -> dict[str, float]:
    """Return the samples about websockets as they are at once."""
    lines = server.get("/metrics")[2].decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line.startswith("websocket_server_"))
    return {name: float(value) for name, value in pairs}


def test_each_connection_is_one_line_and_one_count_however_it_ended(server: Server) -> None:
    first = Client(server.port, "/rooms/7?token=hunter2")
    assert first.status == 101
    assert "x-request-id: " in first.headers
    assert told(server)["websocket_server_active_connections"] == 1
    first.close(1001)
    for path in ("/greet", "/boom"):
        Client(server.port, path).read()
    for path in ("/rooms/gone", "/careless", "/ticker"):
        Client(server.port, path).vanish()
    refused = Client(server.port, "/refused")
    assert refused.status == 403
    refused.vanish()

    def count(route: str, result: str) -> str:
        return f'websocket_server_connections_total{{http_route="{route}",result="{result}"}}'

    wanted = {
        count("/rooms/{room}", "closed"): 2, count("/greet", "closed"): 1, count("/boom", "failed"): 1,
        count("/careless", "closed"): 1, count("/ticker", "closed"): 1, count("/refused", "refused"): 1,
        "websocket_server_active_connections": 0,
    }  # fmt: skip
    await_(
        lambda: {name: value for name, value in told(server).items() if value or "active" in name} == wanted,
        "every connection has been counted", instead=lambda: told(server),
    )  # fmt: skip

    # A server that stops at once cancels what is open; nothing of it is an error.
    last = Client(server.port, "/rooms/last")
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait(60)
    last.vanish()
    lines, everything = server.stop()
    access = [line for line in lines if line.get("event") == "websocket.connection"]
    assert Counter((line["path"], line["status"], line["result"]) for line in access) == {
        ("/rooms/7", 101, "closed"): 1, ("/rooms/gone", 101, "closed"): 1, ("/careless", 101, "closed"): 1,
        ("/ticker", 101, "closed"): 1, ("/greet", 101, "closed"): 1, ("/boom", 101, "failed"): 1,
        ("/refused", 403, "refused"): 1, ("/rooms/last", 101, "closed"): 1,
    }  # fmt: skip
    codes = {line["path"]: (line.get("close_code"), line.get("closed_by")) for line in access}
    assert codes["/rooms/7"] == (1001, "client")
    assert codes["/greet"] == (4001, "server")
    assert {codes[path] for path in ("/rooms/gone", "/careless", "/ticker")} == {(1006, "client")}
    assert len({line["trace_id"] for line in access}) == len(access)
    assert all(line["duration"] >= 0 for line in access)
    (stack,) = [line for line in lines if "exception" in line]
    assert stack["message"] == "unhandled exception in WEBSOCKET /boom"
    assert everything.count("ValueError: kaputt") == 1
    assert "hunter2" not in everything
