"""Clients that are slow, many, or without a key: one of them must not cost the others anything."""

import hashlib
import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .helpers import ROW, Clients, Running, start, write_settings

HEAD = b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


def opened(server: Running, sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.sendall(sent)
    return connection


def answer(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    connection.close()
    return received


@pytest.mark.proof("200 half-open connections: 1,000 requests are all answered, and the half-open ones closed in time")
def test_half_open_connections_cost_the_others_nothing(server: Running) -> None:
    started = time.monotonic()
    waiting = [opened(server, b"POST /v1/predict HTTP/1.1\r\nx-slow: ") for _ in range(200)]
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: server.predict(ROW).status, range(1000)))
    assert statuses == [200] * 1000
    assert [answer(connection) for connection in waiting] == [b""] * 200
    # header_seconds is 1: closed by then, and not before.
    assert time.monotonic() - started >= 0.9


@pytest.mark.proof("200 half-open connections: 1,000 requests are all answered, and the half-open ones closed in time")
def test_half_open_is_closed_in_time(server: Running) -> None:
    started = time.monotonic()
    connection = opened(server, b"GET /v2/health/live HTTP/1.1\r\n")
    for _ in range(5):  # each byte would put off a time-out that starts anew with each
        time.sleep(0.1)
        connection.sendall(b"x")
    assert answer(connection) == b""
    assert 0.9 < time.monotonic() - started < 2


def test_silent_and_blank_connections_are_closed(server: Running) -> None:
    connections = [opened(server, b""), opened(server, b"\r\n")]
    started = time.monotonic()
    assert [answer(connection) for connection in connections] == [b"", b""]
    assert time.monotonic() - started < 2


def test_endless_headers_are_closed(server: Running) -> None:
    started = time.monotonic()
    connection = opened(server, b"GET /v2/health/live HTTP/1.1\r\n")
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        connection.sendall(b"x-more: yyyyyyyyyyyyyyyy\r\n" * 1_000_000)
    connection.close()
    assert time.monotonic() - started < 0.9


def test_keep_alive_survives_the_header_limit(server: Running) -> None:
    request = b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n"
    with opened(server, request) as connection:
        assert one_answer(connection).endswith(b'{"live":true}')
        time.sleep(1.3)
        connection.sendall(request)
        assert one_answer(connection).endswith(b'{"live":true}')


def one_answer(connection: socket.socket) -> bytes:
    """Read up to the end of an answer on a connection that stays open; it may come in pieces."""
    received = b""
    while not received.endswith(b"}"):
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return received


def test_slow_body(server: Running) -> None:
    started = time.monotonic()
    received = answer(opened(server, HEAD + b"content-length: 100\r\n\r\n{"))
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"/docs#body-too-slow" in received
    assert b"the body was not complete after 0.6 s" in received
    assert 0.5 < time.monotonic() - started < 2


def test_body_without_length_is_cut_off(server: Running) -> None:
    connection = opened(server, HEAD + b"transfer-encoding: chunked\r\n\r\n")
    connection.sendall(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
    connection.sendall(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
    assert b"/docs#body-too-large" in answer(connection)


@pytest.mark.proof("More at once than allowed: 503 with Retry-After, and the others are served")
def test_too_many_at_once(server: Running) -> None:
    """Four may be under way; four slow bodies are."""
    slow = [opened(server, HEAD + b"content-length: 100\r\n\r\n{") for _ in range(4)]
    time.sleep(0.15)
    assert server.metrics()["inference_requests_in_flight"] == 4
    busy = server.predict(ROW)
    assert (busy.status, busy.json["type"], busy.headers["retry-after"]) == (503, "/docs#too-busy", "7")
    assert server.request("GET", "/v2/health/ready").status == 200
    assert all(b" 408 " in answer(connection) for connection in slow)
    assert server.predict(ROW).status == 200
    assert server.metrics()["inference_requests_in_flight"] == 0


@pytest.mark.proof("More at once than allowed: 503 with Retry-After, and the others are served")
def test_too_many_bytes_at_once(tmp_path: Path, root: Path, bundle_id: str) -> None:
    """45,000 bytes of whole bodies may be under way: two of the six that arrive while the server is held up."""
    write_settings(tmp_path, concurrency=64)
    (tmp_path / "bundles").symlink_to(root / "bundles")
    running = start(tmp_path, bundle_id)
    body = json.dumps({"rows": [ROW]}).encode().ljust(20_000)
    connections = [opened(running, b"") for _ in range(6)]
    time.sleep(0.2)
    running.process.send_signal(signal.SIGSTOP)
    for connection in connections:
        connection.sendall(HEAD + b"connection: close\r\ncontent-length: 20000\r\n\r\n" + body)
    running.process.send_signal(signal.SIGCONT)
    answers = sorted(answer(connection) for connection in connections)
    assert [each[:13] for each in answers] == [b"HTTP/1.1 200 "] * 2 + [b"HTTP/1.1 503 "] * 4
    assert all(
        b"requests of 40000 bytes are under way" in each and b"retry-after: 7\r\n" in each for each in answers[2:]
    )
    assert running.predict(ROW).status == 200
    running.stop()


def test_slow_senders_lock_nobody_out(server: Running) -> None:
    slow = [opened(server, HEAD + b"content-length: 20000\r\n\r\n{") for _ in range(3)]
    time.sleep(0.15)
    assert server.predict(ROW).status == 200
    assert all(b" 408 " in answer(connection) for connection in slow)


def test_who_is_turned_away_while_still_sending_reads_the_answer(tmp_path: Path, root: Path, bundle_id: str) -> None:
    """Unread bytes at the close of a connection would reset it, and the client would see no answer at all."""
    write_settings(tmp_path, body_bytes=4_000_000, concurrent_bytes=4_000_000, body_seconds=5, concurrency=1)
    (tmp_path / "bundles").symlink_to(root / "bundles")
    running = start(tmp_path, bundle_id)
    slow = opened(running, HEAD + b"content-length: 4000000\r\n\r\n{")
    time.sleep(0.15)
    for _ in range(5):
        connection = opened(running, HEAD + b"content-length: 4000000\r\n\r\n")
        connection.sendall(b" " * 4_000_000)
        assert answer(connection).startswith(b"HTTP/1.1 503 ")
    slow.close()
    running.stop()


def test_a_client_that_leaves_is_forgotten(server: Running) -> None:
    opened(server, HEAD + b"content-length: 100\r\n\r\n{").close()
    time.sleep(0.2)
    assert server.metrics()["inference_requests_in_flight"] == 0
    assert server.metrics()['inference_requests_total{route="/v1/predict",status="499"}'] >= 1


def test_no_http_at_all(server: Running) -> None:
    head, _, body = answer(opened(server, b"\x16\x03\x01 hello\r\n\r\n")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert json.loads(body) == {
        "type": "/docs#not-http",
        "title": "not http",
        "status": 400,
        "detail": "invalid http request received.",
    }


def line(name: str, key: str) -> str:
    return f"{name}:{hashlib.sha256(key.encode()).hexdigest()}\n"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text("# who: hash\n" + line("shop", "first-key") + line("desk", "second-key"))
    return path


@pytest.fixture
def guarded(root: Path, bundle_id: str, keys: Path) -> Iterator[Running]:
    running = start(root, bundle_id, API_KEYS_FILE=str(keys))
    yield running
    running.stop()


@pytest.mark.proof("An API key is revoked by name without a restart")
def test_keys(guarded: Running, keys: Path) -> None:
    def status(key: str) -> int:
        return guarded.predict(ROW, authorization=f"Bearer {key}").status

    assert [status(key) for key in ("first-key", "second-key", "third-key", "")] == [200, 200, 401, 401]
    refused = guarded.predict(ROW)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.json["detail"] == "send the header `Authorization: Bearer <key>` with a key that this server knows"
    assert guarded.predict(ROW, authorization="Basic first-key").status == 401
    # Health is for probes, which have no key; all else tells about the model.
    paths = ("/v2/health/live", "/v2/health/ready", "/docs", "/openapi.json", "/v2/models/parcels", "/nothing")
    assert [guarded.request("GET", path).status for path in paths] == [200, 200, 200, 401, 401, 401]
    keys.write_text(line("desk", "second-key") + line("new", "third-key"))
    time.sleep(1.3)
    assert [status(key) for key in ("first-key", "second-key", "third-key")] == [401, 200, 200]
    keys.unlink()
    time.sleep(1.3)
    assert status("second-key") == 401
    assert [entry["user.name"] for entry in guarded.logged("serving.request")][:2] == ["shop", "desk"]
    assert "key" not in str(guarded.logged("serving.request"))


def test_a_malformed_key_file_stops_the_start(root: Path, bundle_id: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("shop:secret\n")
    running = start(root, bundle_id, API_KEYS_FILE=str(path))
    assert running.stop() == 1
    assert (
        running.lines[-1]["message"]
        == f"{path}: line 1: must be name:hash, the hash being the key's SHA-256 in 64 hex digits"
    )


@pytest.mark.proof("A server that is stopped, or hands over to a new model, loses no request of its clients")
def test_drain_loses_no_request(tmp_path: Path, root: Path, bundle_id: str) -> None:
    write_settings(tmp_path, drain_seconds=1, concurrency=64)
    (tmp_path / "bundles").symlink_to(root / "bundles")
    running = start(tmp_path, bundle_id)
    clients = Clients(running.port, 16)
    time.sleep(0.5)
    running.process.terminate()
    time.sleep(0.3)
    assert running.request("GET", "/v2/health/ready").status == 503
    assert running.predict(ROW).headers["connection"] == "close"
    assert clients.stop() == [[200]] * 16
    assert running.stop() == 0
    assert clients.answered > 100


def test_probes_of_a_server_that_stops_are_no_errors(tmp_path: Path, root: Path, bundle_id: str) -> None:
    """One after another is asked at each rollout: at little traffic they would be most of all errors."""
    write_settings(tmp_path, drain_seconds=60)
    (tmp_path / "bundles").symlink_to(root / "bundles")
    running = start(tmp_path, bundle_id)
    assert running.predict(ROW).status == 200
    running.process.terminate()
    while (ready := running.request("GET", "/v2/health/ready")).status == 200:
        time.sleep(0.05)
    assert (ready.status, ready.json["type"], ready.headers["retry-after"]) == (503, "/docs#stopping", "7")
    assert running.request("GET", "/v2/models/parcels/ready").json["type"] == "/docs#stopping"
    counted = running.metrics()
    assert counted['inference_requests_total{route="/v2/health/ready",status="503"}'] == 1
    assert {name: n for name, n in counted.items() if name.startswith("inference_errors_total") and n} == {}
    assert running.stop() == 0


def test_interrupt_stops_without_drain(tmp_path: Path, root: Path, bundle_id: str) -> None:
    write_settings(tmp_path, drain_seconds=60)
    (tmp_path / "bundles").symlink_to(root / "bundles")
    running = start(tmp_path, bundle_id)
    started = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - started < 3
