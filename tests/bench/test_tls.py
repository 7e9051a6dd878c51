"""The TLS server that stands in for AWS."""

import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tools.bench.tls import Chain, Proxy, chain, proxy


class Upstream(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response_only(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Proxy, Chain]]:
    with HTTPServer(("127.0.0.1", 0), Upstream) as upstream, chain() as certificates:
        Thread(target=upstream.serve_forever, daemon=True).start()
        with proxy(upstream.server_port, certificates) as server:
            yield server, certificates
        upstream.shutdown()


@pytest.mark.enable_socket
def test_clients_that_trust_the_root_are_forwarded(served: tuple[Proxy, Chain]) -> None:
    server, certificates = served
    before = server.connections
    trusting = ssl.create_default_context(cafile=str(certificates.root))

    with urllib.request.urlopen(server.url, context=trusting, timeout=60) as answer:  # noqa: S310 - https on loopback
        assert answer.read() == b"hello"

    assert server.connections == before + 1


@pytest.mark.enable_socket
def test_two_requests_use_one_connection(served: tuple[Proxy, Chain]) -> None:
    server, certificates = served
    before = server.connections
    trusting = ssl.create_default_context(cafile=str(certificates.root))
    client = http.client.HTTPSConnection(server.url.removeprefix("https://"), context=trusting, timeout=60)

    for _ in range(2):
        client.request("GET", "/")
        assert client.getresponse().read() == b"hello"

    client.close()
    assert server.connections == before + 1


@pytest.mark.enable_socket
def test_clients_that_do_not_trust_the_root_refuse_the_server(served: tuple[Proxy, Chain]) -> None:
    server, _ = served

    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(server.url, timeout=60)  # noqa: S310 - https on loopback
