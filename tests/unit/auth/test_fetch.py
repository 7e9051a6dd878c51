"""The request for the key set: allowed URLs, limits of time and size, and TLS."""

import gzip
import json
import runpy
import shutil
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import IPv4Address
from pathlib import Path
from threading import Event

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from profile_media.auth.cache import JwksCache
from profile_media.auth.fetch import MAX_BYTES, Endpoint, fetch, parse_endpoint, trusted_authorities
from profile_media.auth.key_set import JwksUnavailable, Key, parse_key_set
from tests.tokens import (
    EC_KID,
    LOOPBACK,
    RSA_KID,
    Answer,
    a_jwks,
    an_ec_key,
    an_issuer,
    answering,
)


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://issuer.example.com/jwks", Endpoint(True, "issuer.example.com", 443, "/jwks")),
        (
            "https://issuer.example.com:8443/a/b.json?v=1&w=%20",
            Endpoint(True, "issuer.example.com", 8443, "/a/b.json?v=1&w=%20"),
        ),
        ("https://a.example/", Endpoint(True, "a.example", 443, "/")),
    ],
)
def test_parse_endpoint_accepts_https(url: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(url, allow_loopback=False) == endpoint
    assert parse_endpoint(url, allow_loopback=True) == endpoint


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/jwks", "http://localhost/jwks", "http://host.docker.internal:3003/jwks"]
)
def test_parse_endpoint_accepts_http_only_for_allowed_loopback(url: str) -> None:
    assert not parse_endpoint(url, allow_loopback=True).secure

    with pytest.raises(ValueError, match="not https"):
        parse_endpoint(url, allow_loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        *("", "https://", "https:///jwks", "https://issuer.example.com", "issuer.example.com/jwks", "//issuer/jwks"),
        *(
            "http://issuer.example.com/jwks",
            "http://127.0.0.1.example.com/jwks",
            "http://10.0.0.1/jwks",
            "ftp://a/jwks",
        ),
        *(
            "file:///etc/passwd",
            "HTTPS://a/jwks",
            "https://user@a/jwks",
            "https://user:word@a/jwks",
            "https://a\\@b/jwks",
        ),
        *("https://a/jwks#top", "https://a/jw ks", "https://a/jwks\n", "https://a/jwks\r\nX: y", " https://a/jwks"),
        *(
            "https://a:0/jwks",
            "https://a:65536/jwks",
            "https://a:/jwks",
            "https://a:99999999/jwks",
            "https://a:-1/jwks",
        ),
        *(
            "https://-a/jwks",
            "https://a-/jwks",
            "https://\u00e9.example/jwks",
            "https://[::1]/jwks",
            "http://[::1]/jwks",
        ),
        *("http://127.1/jwks", "http://0.0.0.0/jwks", "http://169.254.169.254/jwks", "http://2130706433/jwks"),
    ],
)
def test_parse_endpoint_refuses_other_urls(url: str) -> None:
    with pytest.raises(ValueError, match="key set"):
        parse_endpoint(url, allow_loopback=True)


@pytest.mark.enable_socket
def test_fetch_sends_one_plain_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    with an_issuer(answering(a_jwks())) as (endpoint, asked):
        assert fetch(endpoint) == a_jwks()

    (request,) = asked
    assert request.path == "/jwks.json?v=1"
    assert request.headers["Host"] == f"{LOOPBACK}:{endpoint.port}"
    assert {"Authorization", "Cookie"}.isdisjoint(request.headers)


@pytest.mark.enable_socket
def test_fetch_size_limit_is_inclusive() -> None:
    for size, fits in ((MAX_BYTES, True), (MAX_BYTES + 1, False), (50 * MAX_BYTES, False)):
        with an_issuer(answering(b" " * size)) as (endpoint, _):
            if fits:
                assert len(fetch(endpoint)) == size
            else:
                with pytest.raises(JwksUnavailable, match="too large"):
                    fetch(endpoint)


def endlessly(what: bytes, pause: float = 0) -> Answer:
    """Send an answer that never ends."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        never = Event()
        while not never.wait(pause):
            request.wfile.write(what)

    return answer


def chunks_without_end(request: BaseHTTPRequestHandler) -> None:
    """Send an endless body in chunks, without a length."""
    answering(b"", **{"Transfer-Encoding": "chunked"})(request)
    endlessly(b"2000\r\n" + b" " * 0x2000 + b"\r\n")(request)


def a_gigabyte(request: BaseHTTPRequestHandler) -> None:
    """Send a body of one gigabyte with its length."""
    answering(b"", **{"Content-Length": str(2**30)})(request)
    endlessly(b" " * 0x10000)(request)


def drips_headers(request: BaseHTTPRequestHandler) -> None:
    """Send endless headers, one byte at a time."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    endlessly(b"y", 0.02)(request)


def drips_its_body(request: BaseHTTPRequestHandler) -> None:
    """Send the body one byte at a time."""
    answering(b"", **{"Content-Length": "60000"})(request)
    endlessly(b" ", 0.02)(request)


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        *(pytest.param(answering(a_jwks(), status), f"status {status}", id=f"{status}") for status in (201, 204, 304)),
        *(
            pytest.param(answering(a_jwks(), status), f"status {status}", id=f"{status}")
            for status in (400, 404, 500, 503)
        ),
        pytest.param(answering(a_jwks()[:-9], **{"Content-Length": "9999"}), "not JSON", id="cut short"),
        pytest.param(chunks_without_end, "too large", id="endless chunks"),
        pytest.param(a_gigabyte, "too large", id="a gigabyte"),
        pytest.param(answering(b"<html>not found</html>", **{"Content-Type": "text/html"}), "not JSON", id="a page"),
        pytest.param(answering(gzip.compress(a_jwks()), **{"Content-Encoding": "gzip"}), "not JSON", id="compressed"),
        pytest.param(answering(b"xyz\r\n", **{"Transfer-Encoding": "chunked"}), "IncompleteRead", id="broken chunks"),
        pytest.param(endlessly(b"nonsense\r\n"), "BadStatusLine", id="no HTTP"),
        pytest.param(endlessly(b"HTTP/1.0 200 OK\r\nX: y\r\n"), "HTTPException", id="endless headers"),
        pytest.param(
            lambda request: request.wfile.write(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000),
            "LineTooLong",
            id="long header",
        ),
        pytest.param(
            lambda request: request.connection.close(), "RemoteDisconnected|ConnectionResetError", id="hung up"
        ),
    ],
)
def test_fetch_reports_broken_issuer(answer: Answer, why: str) -> None:
    with an_issuer(answer) as (endpoint, _), pytest.raises(JwksUnavailable, match=why):
        parse_key_set(fetch(endpoint, 10))


@pytest.mark.enable_socket
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_fetch_does_not_follow_redirect(status: int) -> None:
    with an_issuer(answering(a_jwks())) as (elsewhere, asked_elsewhere):
        location = f"http://{LOOPBACK}:{elsewhere.port}/"
        with (
            an_issuer(answering(a_jwks(), status, Location=location)) as (endpoint, asked),
            pytest.raises(JwksUnavailable, match=f"status {status}"),
        ):
            fetch(endpoint)

    assert len(asked) == 1
    assert asked_elsewhere == []


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda request: request.connection.recv(1), id="says nothing"),
        pytest.param(endlessly(b"x", 0.02), id="trickles a status line"),
        pytest.param(endlessly(b"HTTP/1.1 100 Continue\r\n\r\n", 0.02), id="goes on and on"),
        pytest.param(drips_headers, id="trickles headers"),
        pytest.param(drips_its_body, id="trickles its body"),
    ],
)
def test_fetch_gives_up_on_slow_issuer_in_time(answer: Answer) -> None:
    with an_issuer(answer) as (endpoint, _):
        started = time.monotonic()
        with pytest.raises(JwksUnavailable, match=r"timeout|TimeoutError"):
            fetch(endpoint, 0.3)

        assert time.monotonic() - started < 5


@pytest.mark.enable_socket
def test_fetch_reports_refused_connection() -> None:
    with an_issuer(answering(b"")) as (endpoint, _):
        pass

    with pytest.raises(JwksUnavailable, match="ConnectionRefusedError"):
        fetch(endpoint, 10)


@pytest.mark.enable_socket
def test_fetch_refuses_plain_http_server_for_https() -> None:
    with an_issuer(answering(a_jwks())) as (endpoint, asked):
        with pytest.raises(JwksUnavailable, match="SSL"):
            fetch(endpoint._replace(secure=True), 10)

        assert asked == []


def a_certificate(for_host: x509.GeneralName) -> bytes:
    """Build a self-signed certificate with its key, in PEM."""
    key, now = an_ec_key("server"), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(hours=1), now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([for_host]), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM) + private


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("host", "trusted", "why"),
    [
        pytest.param(x509.IPAddress(IPv4Address(LOOPBACK)), True, None, id="trusted"),
        pytest.param(x509.IPAddress(IPv4Address(LOOPBACK)), False, "SSLCertVerificationError", id="of no authority"),
        pytest.param(x509.DNSName("issuer.example.com"), True, "SSLCertVerificationError", id="for another host"),
    ],
)
def test_fetch_refuses_untrusted_certificate(
    host: x509.GeneralName, trusted: bool, why: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "issuer.pem"
    pem.write_bytes(a_certificate(host))
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    trusted_authorities.cache_clear()

    with an_issuer(answering(a_jwks()), pem) as (endpoint, asked):
        if why is None:
            assert fetch(endpoint, 10) == a_jwks()
        else:
            with pytest.raises(JwksUnavailable, match=why):
                fetch(endpoint, 10)
            assert asked == []

    trusted_authorities.cache_clear()


@pytest.mark.enable_socket
@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl, as the build of the folder does")
def test_fetch_trusts_only_authorities_in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem, empty, folder = tmp_path / "issuer.pem", tmp_path / "empty", tmp_path / "authorities"
    pem.write_bytes(a_certificate(x509.IPAddress(IPv4Address(LOOPBACK))))
    empty.mkdir()
    trim = runpy.run_path("layers/dependencies/trim", run_name="trim")
    trim["write_authorities"]([("issuer", pem.read_text())], folder)

    with an_issuer(answering(a_jwks()), pem) as (endpoint, _):
        assert fetch(endpoint._replace(authorities=str(folder)), 10) == a_jwks()
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        with pytest.raises(JwksUnavailable, match="SSLCertVerificationError"):
            fetch(endpoint._replace(authorities=str(empty)), 10)
        assert fetch(endpoint._replace(authorities=str(tmp_path / "none")), 10) == a_jwks()


@pytest.mark.enable_socket
def test_cache_finds_keys_fetched_over_https() -> None:
    with an_issuer(answering(a_jwks())) as (endpoint, asked):
        jwks = JwksCache(lambda: fetch(endpoint))

        assert jwks.find(EC_KID) == Key(("ES256",), an_ec_key().public_key())
        assert jwks.find("unknown") is None
        assert len(asked) == 1

    assert json.loads(a_jwks())["keys"][0]["kid"] == RSA_KID
