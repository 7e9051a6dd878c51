"""Serving over real sockets: ports, and answers to requests that the application does not read."""

import http.client
import socket
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.wrappers import Request, Response

from tools.local.serving import HOST, listen, port_of, serve

pytestmark = pytest.mark.enable_socket

TIMEOUT = 300


def _app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Return the number of bytes read; /ignore reads none."""
    request = Request(environ)
    body = b"" if request.path == "/ignore" else request.get_data()
    return Response(f"{environ['REQUEST_URI']} {len(body)}")(environ, start_response)


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a running server."""
    listener = listen(0)
    port = port_of(listener)
    server = serve(_app, listener)
    yield port
    server.shutdown()
    server.server_close()


def _ask(port: int, path: str, body: bytes | None = None) -> str:
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT)
    try:
        connection.request("POST" if body else "GET", path, body)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def test_client_gets_the_answer_although_its_body_is_not_read(port: int) -> None:
    assert _ask(port, "/a%7Cb?c") == "/a%7Cb?c 0"
    assert _ask(port, "/b", b"x" * 100_000) == "/b 100000"
    assert _ask(port, "/ignore", b"x" * 20_000_000) == "/ignore 0"


def test_malformed_request_is_refused(port: int) -> None:
    with socket.create_connection((HOST, port), timeout=TIMEOUT) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000 + b"\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 431


def test_listen_takes_another_port_if_the_wanted_one_is_in_use() -> None:
    with listen(0) as first, listen(port_of(first)) as second:
        assert port_of(second) not in (0, port_of(first))
