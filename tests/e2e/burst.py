"""Many requests at once whose body comes in two halves: the server waits for the second, and can be kept waiting."""

import asyncio
import json
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
