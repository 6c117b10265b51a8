"""The console's own certificate: a new one is shown from the next connection on, without a restart."""

from __future__ import annotations

import ssl
from pathlib import Path

from obs.errors import ConfigError


class Certificate:
    """A certificate and its key on disk, and the context in which a server shows them.

    No certificate is asked of callers: browsers of the people who are on call have none.

    Raises:
        ConfigError: a file cannot be read, or the two do not belong together.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate, self._key = certificate, key
        try:
            self._seen = self._stamp()
            self._newest = self._load()
        except OSError as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
            raise ConfigError(
                f"cannot serve with this certificate: {reason or error}",
                where=str(error.filename or certificate),
            ) from None
        self.context = self._load()
        # Called while a caller knocks, before the certificate is chosen.
        self.context.sni_callback = self._choose

    def _choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _host: str | None, _: ssl.SSLContext
    ) -> None:
        try:
            if (stamp := self._stamp()) != self._seen:
                self._newest, self._seen = self._load(), stamp
        except OSError:
            # One of the two is just being replaced: the pair that was good a moment ago still is.
            pass
        connection.context = self._newest

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        found = [file.stat() for file in (self._certificate, self._key)]
        return tuple((one.st_ino, one.st_mtime_ns, one.st_size) for one in found)

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate, self._key)
        return context
