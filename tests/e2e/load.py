"""A load of keep-alive clients that lose nothing silently: no retries, every request in the log, whatever became of it.

A client is a pool of connections that it uses in turn, as browsers and connection pools do. A connection is opened anew
only after the server has said `Connection: close` or a request on it has failed. With --patient it looks before each use
whether the other end has gone, and goes on connecting where nobody listens yet, as most pools do; a request is never
sent twice. Run as a process of its own, so that it does not share its event loop with what it measures:
`python load.py --address HOST:PORT --key KEY --rows FILE --log FILE`; SIGTERM ends it.

Each line of the log is one request: [client, connection, seconds begun, seconds ended, row, status, bundle, score, error, closed].
"""

import argparse
import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

CLIENTS, CONNECTIONS, PER_SECOND = 16, 16, 250
ANSWER_SECONDS = 30


class Connection:
    """One keep-alive connection; closed when the server says so."""

    made = 0

    def __init__(self, host: str, port: int, patient: bool) -> None:
        self._host, self._port, self._patient = host, port, patient
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.number = 0

    async def ask(self, request: bytes) -> tuple[int, bytes, bool]:
        """Status, body, and whether the server closes the connection."""
        if self._patient and self._streams is not None and self._streams[0].at_eof():
            self.close()
        reader, writer = self._streams = self._streams or await self._open()
        writer.write(request)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        body = await reader.readexactly(length)
        closed = "connection: close" in head
        if closed:
            self.close()
        return int(head.split(" ", 2)[1]), body, closed

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while True:
            try:
                streams = await asyncio.open_connection(self._host, self._port)
            except ConnectionError:
                if not self._patient:
                    raise
                await asyncio.sleep(0.05)
                continue
            Connection.made += 1
            self.number = Connection.made
            return streams

    def close(self) -> None:
        """Forget it; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Client:
    """Sends a row at a time, each on the next of its connections."""

    def __init__(self, number: int, requests: list[bytes], pool: list[Connection]) -> None:
        self._number, self._requests, self._pool = number, requests, pool
        self.lines: list[list[Any]] = []

    async def run(self, per_second: float, stop: asyncio.Event) -> None:
        """Ask until told to stop, at an even pace; one that falls behind goes on at once, and is not caught up with."""
        turn, due = self._number, time.monotonic()
        while not stop.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + 1 / per_second, time.monotonic())
            await self._ask(turn)
            turn += 1

    async def _ask(self, turn: int) -> None:
        connection, row = self._pool[turn % len(self._pool)], (turn * CLIENTS + self._number) % len(self._requests)
        begun, error, closed = time.time(), "", False
        status, bundle, score = 0, "", None
        try:
            status, body, closed = await asyncio.wait_for(connection.ask(self._requests[row]), ANSWER_SECONDS)
            if status == 200:
                answer = json.loads(body)
                bundle, score = answer["bundle"], answer["predictions"][0]["score"]
        except (OSError, EOFError, ValueError, IndexError, TimeoutError) as problem:
            error = f"{type(problem).__name__}: {problem}"
            connection.close()
        self.lines.append(
            [self._number, connection.number, begun, time.time(), row, status, bundle, score, error, closed]
        )


def _request(row: dict[str, Any], host: str, key: str) -> bytes:
    body = json.dumps({"rows": [row]}).encode()
    head = (
        f"POST /v1/predict HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def run(given: argparse.Namespace) -> None:
    """Ask until SIGTERM, then write the log."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    host, _, port = given.address.rpartition(":")
    requests = [_request(row, host, given.key) for row in json.loads(given.rows.read_text())]
    clients = [
        Client(number, requests, [Connection(host, int(port), given.patient) for _ in range(CONNECTIONS)])
        for number in range(CLIENTS)
    ]
    await asyncio.gather(*(client.run(given.per_second / CLIENTS, stop) for client in clients))
    lines = sorted((line for client in clients for line in client.lines), key=lambda line: line[2])
    given.log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def main() -> None:
    """Read the command line."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--address", required=True)
    arguments.add_argument("--key", default="")
    arguments.add_argument("--rows", type=Path, required=True)
    arguments.add_argument("--log", type=Path, required=True)
    arguments.add_argument("--per-second", type=float, default=PER_SECOND)
    arguments.add_argument("--patient", action="store_true")
    asyncio.run(run(arguments.parse_args()))


if __name__ == "__main__":
    main()
