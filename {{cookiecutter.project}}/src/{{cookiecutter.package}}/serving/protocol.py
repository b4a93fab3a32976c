"""uvicorn's HTTP protocol with a limit on the time and size of headers, which no application sees."""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .problems import MEDIA_TYPE, Problem

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

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP never reaches the application: answer it here, in the same form."""
        body = Problem(400, "not-http", msg.lower()).body()
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: {MEDIA_TYPE.decode()}\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(f"{head}connection: close\r\n\r\n".encode() + body)
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._received = None, 0
