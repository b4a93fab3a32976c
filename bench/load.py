"""The load generator: keep-alive connections on epoll, in the harness's process: its work is not the server's."""

import select
import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

SILENCE_SECONDS = 30
END_OF_HEADERS = b"\r\n\r\n"


class Failed(Exception):
    """A server that did not answer every request with 200: no figure may come of it."""


@dataclass(frozen=True)
class Limit:
    """Where a run ends: whichever comes first."""

    requests: int
    seconds: float


@dataclass(frozen=True)
class Load:
    """What one run saw: answers, wall-clock seconds, and the latency of each request in seconds."""

    requests: int
    seconds: float
    latencies: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median latency in seconds."""
        return statistics.median(self.latencies)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds


def post(path: str, body: bytes, headers: str = "") -> bytes:
    """One whole HTTP/1.1 request; `headers` are lines that end in CRLF."""
    lines = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{headers}"
    return f"{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


def complete(answer: bytes) -> bool:
    """Whether all of an answer has arrived; anything but a 200 that keeps the connection ends the run."""
    end = answer.find(END_OF_HEADERS)
    if end < 0:
        return False
    head = answer[:end].lower()
    if not head.startswith(b"http/1.1 200") or b"\r\nconnection: close" in head:
        raise Failed(f"a server answered: {answer[:400].decode(errors='replace')}")
    start = head.find(b"\r\ncontent-length:") + 17
    if start < 17:
        raise Failed("a server answered without Content-Length")
    stop = head.find(b"\r\n", start)
    return len(answer) - end - 4 >= int(head[start : stop if stop >= 0 else len(head)])


def ask(port: int, request: bytes) -> bytes:
    """The body of one answer."""
    with socket.create_connection(("127.0.0.1", port), SILENCE_SECONDS) as connection:
        connection.sendall(request)
        answer = b""
        while not complete(answer):
            part = connection.recv(65536)
            if not part:
                raise Failed(f"the server on port {port} hung up")
            answer += part
    return answer.partition(END_OF_HEADERS)[2]


def drive(port: int, requests: Sequence[bytes], connections: int, limit: Limit, host: str = "127.0.0.1") -> Load:
    """Keep `connections` busy, one request in flight on each, until the limit; every answer must be a 200."""
    poll, supply = select.epoll(), cycle(requests)
    sockets: dict[int, socket.socket] = {}
    sent: dict[int, float] = {}
    received: dict[int, bytes] = {}
    latencies: list[float] = []
    for _ in range(connections):
        connection = socket.create_connection((host, port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets[connection.fileno()] = connection
        poll.register(connection, select.EPOLLIN)
    start, clock = time.perf_counter(), time.perf_counter
    issued = min(connections, limit.requests)
    for number in list(sockets)[:issued]:
        sent[number], received[number] = clock(), b""
        sockets[number].sendall(next(supply))
    try:
        while len(latencies) < issued:
            events = poll.poll(SILENCE_SECONDS)
            if not events:
                raise Failed(f"the server on port {port} said nothing for {SILENCE_SECONDS} s")
            for number, _ in events:
                part = sockets[number].recv(65536)
                if not part:
                    raise Failed(f"the server on port {port} hung up")
                received[number] += part
                if not complete(received[number]):
                    continue
                now = clock()
                latencies.append(now - sent[number])
                if issued < limit.requests and now - start < limit.seconds:
                    issued += 1
                    sent[number], received[number] = clock(), b""
                    sockets[number].sendall(next(supply))
        seconds = clock() - start
    finally:
        poll.close()
        for connection in sockets.values():
            connection.close()
    return Load(len(latencies), seconds, tuple(latencies))
