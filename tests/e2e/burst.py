"""More requests at once than are let in: with bodies in two halves, so that a server can be kept waiting, or one after the other."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

ANSWER_SECONDS = 30


def burst(address: str, key: str, row: dict[str, Any], count: int, pause: float, whole: bool = True) -> list[int]:
    """Send the second halves after so many seconds, or hang up then; gives the statuses, 0 where there was no answer."""
    host, _, port = address.rpartition(":")
    body = json.dumps({"rows": [row]}).encode()
    head = (
        f"POST /v1/predict HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    half = len(body) // 2

    async def one() -> int:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode() + body[:half])
        answer = asyncio.create_task(reader.readline())
        done, _ = await asyncio.wait([answer], timeout=pause)
        if whole and not done:
            writer.write(body[half:])
            done, _ = await asyncio.wait([answer], timeout=ANSWER_SECONDS)
        answer.cancel()
        writer.close()
        return int(answer.result().split()[1]) if done else 0

    async def every() -> list[int]:
        return await asyncio.gather(*(one() for _ in range(count)))

    return asyncio.run(every())


@dataclass(frozen=True)
class Answered:
    """One answer: the status, Retry-After if it has one, and after how many seconds; an error in the status' place."""

    status: int | str
    retry_after: str | None
    seconds: float


def flood(address: str, key: str, body: bytes, clients: int, seconds: float) -> list[Answered]:
    """So many clients, each with a new connection for each request, and the next as soon as the last is answered."""
    host, _, port = address.rpartition(":")
    request = (
        f"POST /v1/predict HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    found: list[Answered] = []

    async def one() -> Answered:
        began = time.monotonic()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(host, int(port))
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                writer.close()
        except (OSError, EOFError, TimeoutError) as problem:
            return Answered(f"{type(problem).__name__}: {problem}", None, time.monotonic() - began)
        _, found, after = head.partition("\r\nretry-after: ")
        return Answered(
            int(head.split(" ", 2)[1]), after.partition("\r\n")[0] if found else None, time.monotonic() - began
        )

    async def client(end: float) -> None:
        while time.monotonic() < end:
            found.append(await one())

    async def every() -> None:
        end = time.monotonic() + seconds
        await asyncio.gather(*(client(end) for _ in range(clients)))

    asyncio.run(every())
    return found
