"""uvicorn's HTTP protocol with a limit on the time and size of headers, which no application sees."""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER_BYTES = 65_536


class Protocol(HttpToolsProtocol):
    """Closes a connection whose headers take longer than `header_seconds`; between requests uvicorn's keep-alive rules."""

    header_seconds: ClassVar[float] = 10.0
    _timer: asyncio.TimerHandle | None = None
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer = self.loop.call_later(self.header_seconds, transport.close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
            return
        self._timer = self._timer or self.loop.call_later(self.header_seconds, self.transport.close)
        self._received += len(data)
        if self._received > MAX_HEADER_BYTES:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._received = None, 0
