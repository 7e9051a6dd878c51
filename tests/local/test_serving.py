"""Connections are kept, and nothing of one request's body is taken for the next request."""

import http.client
import socket
from collections.abc import Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from werkzeug.wrappers import Request, Response

from tests.local.standins import eventually
from tools.local.serving import HOST, free_port, listen, port_of, serve

pytestmark = pytest.mark.enable_socket


def _app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Says how much it read; leaves the body of /ignore alone, and closes after /close."""
    request = Request(environ)
    read = b"" if request.path == "/ignore" else environ["wsgi.input"].read()
    headers = {"Connection": "close"} if request.path == "/close" else {}
    return Response(f"{request.path} {len(read)}", headers=headers)(environ, start_response)


@pytest.fixture
def connection() -> Iterator[http.client.HTTPConnection]:
    """One connection to a server of the application above."""
    port = free_port(0)
    server = serve(_app, port, "test")
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    yield connection
    connection.close()
    server.shutdown()
    server.server_close()


def _ask(connection: http.client.HTTPConnection, path: str, body: bytes | None = None) -> tuple[str, str | None]:
    connection.request("POST" if body else "GET", path, body)
    answer = connection.getresponse()
    return answer.read().decode(), answer.getheader("Connection")


def test_one_connection_serves_many_requests(connection: http.client.HTTPConnection) -> None:
    connection.connect()
    first = connection.sock
    assert _ask(connection, "/a") == ("/a 0", None)
    assert _ask(connection, "/b", b"x" * 100_000) == ("/b 100000", None)
    assert _ask(connection, "/ignore", b"GET /smuggled HTTP/1.1\r\n\r\n" * 1000) == ("/ignore 0", None)
    assert _ask(connection, "/c", b"four") == ("/c 4", None)
    assert connection.sock is first


def test_an_application_that_wants_to_close_is_heard(connection: http.client.HTTPConnection) -> None:
    assert _ask(connection, "/close", b"x") == ("/close 1", "close")
    assert connection.sock is None


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"A: a\r\n" * 101 + b"\r\n", 431),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
    ],
)
def test_what_cannot_be_parsed_is_refused_and_ends_the_connection(
    request_: bytes, status: int, connection: http.client.HTTPConnection
) -> None:
    connection.connect()
    connection.send(request_)
    answer = http.client.HTTPResponse(connection.sock)
    answer.begin()
    assert (answer.status, answer.getheader("Connection")) == (status, "close")
    answer.close()


def test_a_port_is_kept_from_when_it_is_chosen_and_one_that_is_taken_is_passed_over() -> None:
    with listen(0) as first, listen(port_of(first)) as second:
        port = port_of(first)
        assert port_of(second) not in (0, port)
        with pytest.raises(OSError, match="in use"):
            serve(_app, port, "test")
        server = serve(_app, first, "test")
        with socket.create_connection((HOST, port), timeout=10):
            server.shutdown()
        server.server_close()
    eventually(lambda: free_port(port) == port)  # once the kernel has let go of the connection
