"""The start and the end of an ASGI application: failures told once, readiness, and the last flush."""

from __future__ import annotations

import asyncio

from obs.integrations.asgi_types import App, Message, Receive, Scope, Send
from obs.runtime import crashes, draining, guard, logger, setup


class Lifespan:
    """The start and the end of an application."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._phase = ""

    async def run(self, app: App, scope: Scope) -> None:
        """Lead `app` through its life; its errors pass through unchanged."""
        # By now the server has configured its loggers.
        setup.adopt_servers()
        try:
            await app(scope, self._watch, self._reply)
        except Exception as error:
            # One that has not even asked what is wanted does not know the protocol, as it may.
            if self._phase:
                crashes.unhandled(error, "http", f"the application failed at {self._phase}", event="lifespan")
            raise

    async def _watch(self) -> Message:
        message = await self._receive()
        if message["type"] == "lifespan.shutdown":
            self._phase = "its end"
            draining.begin()
        else:
            self._phase = "its start"
            draining.end()
        return message

    async def _reply(self, message: Message) -> None:
        kind = message["type"]
        if kind in {"lifespan.startup.failed", "lifespan.shutdown.failed"} and logger.pipeline() is not None:
            # The whole stack as a text, which gets a line of ours.
            text = str(message.get("message") or "").rstrip()
            message["message"] = text.rpartition("\n")[2]
        if kind in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
            # The flush may wait for a collector; the event loop must not wait with it.
            with guard.contained("traces"):
                await asyncio.get_running_loop().run_in_executor(None, setup.flush)
        await self._send(message)
