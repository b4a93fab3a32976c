"""What one client may cost the others: the size of a body, the time it may take, and how many requests are under way."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from .problems import CLOSE, Problem
from .settings import Limits

PATIENCE_SECONDS = 1.0
"""How long a client that is turned away may go on sending before it is told."""
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class Disconnected(Exception):
    """The client is gone: nobody waits for the answer."""


class Gate:
    """Lets requests in and reads their bodies."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._ends: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self.in_flight = self._bytes = 0

    async def enter(self, receive: Receive, declared: bytes | None) -> None:
        """Count a request in, `declared` being its content-length header; `leave` must follow if this returns."""
        if declared is not None and int(declared) > self._limits.body_bytes:
            raise self._too_large(int(declared))
        if self.in_flight >= self._limits.concurrency:
            await self._discard(receive)
            raise self._too_busy(f"{self._limits.concurrency} requests are under way")
        self.in_flight += 1

    def leave(self, size: int) -> None:
        """Count a request out, and the bytes of its body if that was given."""
        self.in_flight -= 1
        self._bytes -= size

    async def body(self, receive: Receive) -> bytes:
        """The whole body of a request. Only now its bytes count as under way: who sends slowly keeps no processor busy."""
        most = self._limits.body_bytes
        task = asyncio.current_task()
        assert task is not None
        self._ends[task] = task.get_loop().time() + self._limits.body_seconds
        try:
            message = await receive()
            body: bytes = message.get("body", b"")
            while message.get("more_body") and len(body) <= most:
                message = await receive()
                body += message.get("body", b"")
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            task.uncancel()
            detail = f"the body was not complete after {self._limits.body_seconds:g} s"
            raise Problem(408, "body-too-slow", detail, headers=CLOSE) from None
        finally:
            del self._ends[task]
            self._late.discard(task)
        if message["type"] == "http.disconnect":
            raise Disconnected
        if len(body) > most:
            raise self._too_large(len(body))
        if self._bytes + len(body) > self._limits.concurrent_bytes:
            raise self._too_busy(f"requests of {self._bytes} bytes are under way")
        self._bytes += len(body)
        return body

    async def watch(self) -> None:
        """Interrupt bodies that are late, for ever. A timer for each request would cost more than reading it."""
        pause = min(1.0, self._limits.body_seconds / 4)
        while True:
            await asyncio.sleep(pause)
            now = asyncio.get_running_loop().time()
            for task in [task for task, end in self._ends.items() if end < now and task not in self._late]:
                self._late.add(task)
                task.cancel()

    def _too_busy(self, why: str) -> Problem:
        retry = (b"retry-after", str(self._limits.retry_seconds).encode())
        return Problem(503, "too-busy", f"{why}, as many as allowed; come back later", headers=(retry, *CLOSE))

    async def _discard(self, receive: Receive) -> None:
        """Read what a client that is turned away still sends: were it closed before, its connection would be reset, and the answer lost."""
        received = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while received <= self._limits.body_bytes:
                    message = await receive()
                    received += len(message.get("body", b""))
                    if not message.get("more_body"):
                        return

    def _too_large(self, size: int) -> Problem:
        detail = f"the body has {size} bytes or more; a request has at most {self._limits.body_bytes}"
        return Problem(413, "body-too-large", detail, headers=CLOSE)
