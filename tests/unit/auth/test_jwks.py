"""The issuer's keys: which are taken, when they are fetched, and what a hostile or broken issuer can do to us."""

import gzip
import json
import runpy
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import IPv4Address
from pathlib import Path
from threading import Event

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from profile_media.auth.cache import COOLDOWN_SECONDS, FRESH_SECONDS, RETRY_SECONDS, STALE_SECONDS, JwksCache
from profile_media.auth.encoding import decode_base64url
from profile_media.auth.fetch import MAX_BYTES, Endpoint, _trusted, fetch, parse_endpoint
from profile_media.auth.key_set import JwksUnavailable, Key, parse_key_set
from tests.assurance import Note
from tests.tokens import (
    ABSENT,
    EC_KID,
    LOOPBACK,
    RSA_KID,
    Answer,
    a_jwk,
    a_jwks,
    a_p384_key,
    an_ec_key,
    an_issuer,
    an_rsa_key,
    answering,
    base64url,
)

pytestmark = pytest.mark.campaign("F-9")


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Issuer:
    """Publishes a document, or is in trouble, and counts how often it is asked."""

    def __init__(self, document: bytes | Exception | None = None) -> None:
        self.document = a_jwks() if document is None else document
        self.fetches = 0

    def fetch(self) -> bytes:
        self.fetches += 1
        if isinstance(self.document, Exception):
            raise self.document
        return self.document


# Which keys are taken


def test_both_kinds_of_key_are_taken() -> None:
    assert parse_key_set(a_jwks()) == {
        RSA_KID: Key(("RS256",), an_rsa_key().public_key()),
        EC_KID: Key(("ES256",), an_ec_key().public_key()),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"use": ABSENT},
        {"alg": ABSENT},
        {"use": ABSENT, "alg": ABSENT},
        {"key_ops": ["verify"]},
        {"key_ops": ["verify", "sign"]},
        {"x5c": ["ignored"], "x5u": "https://ignored.example", "other": {"nested": 1}},
        {"kid": "MIIB+/x="},
        {"kid": "urn:uuid:1~2.3_4-5"},
        {"kid": "x" * 128},
    ],
)
def test_a_key_may_say_more_or_less(changes: dict[str, object]) -> None:
    for key in (an_rsa_key(), an_ec_key()):
        assert len(parse_key_set(a_jwks(a_jwk(key, **changes)))) == 1


def an_rsa_modulus(bits: int) -> str:
    """An odd number of that length."""
    return base64url((2 ** (bits - 1) + 1).to_bytes((bits + 7) // 8))


def zero_in_front(number: object) -> str:
    """The same number, a byte longer."""
    return base64url(b"\0" + decode_base64url(number))


UNUSABLE: dict[str, Callable[[], object]] = {
    "null": lambda: None,
    "a text": lambda: "key",
    "a number": lambda: 1,
    "a list": lambda: [a_jwk()],
    "empty": dict,
    "for encryption": lambda: a_jwk(use="enc"),
    "for a use that is null": lambda: a_jwk(use=None),
    "for signing only": lambda: a_jwk(key_ops=["sign"]),
    "for operations that are a text": lambda: a_jwk(key_ops="verify"),
    "without a kid": lambda: a_jwk(kid=ABSENT),
    "with a kid that is a number": lambda: a_jwk(kid=1),
    "with an empty kid": lambda: a_jwk(kid=""),
    "with a kid of strange letters": lambda: a_jwk(kid="rsa 1"),
    "with a kid that is too long": lambda: a_jwk(kid="x" * 129),
    "with its private half": lambda: a_jwk(d="AQAB"),
    "of no kind": lambda: a_jwk(kty=ABSENT),
    "of a kind that is a list": lambda: a_jwk(kty=["RSA"]),
    "of another kind": lambda: a_jwk(kty="rsa"),
    "a secret": lambda: {"kty": "oct", "kid": "oct", "k": base64url(b"secret"), "alg": "HS256"},
    "OKP": lambda: {"kty": "OKP", "crv": "Ed25519", "kid": "okp", "x": base64url(bytes(32)), "alg": "EdDSA"},
    "RSA for RS512": lambda: a_jwk(alg="RS512"),
    "RSA for ES256": lambda: a_jwk(alg="ES256"),
    "RSA for nothing": lambda: a_jwk(alg=None),
    "EC for RS256": lambda: a_jwk(an_ec_key(), alg="RS256"),
    "EC for ES384": lambda: a_jwk(an_ec_key(), alg="ES384"),
    "RSA of 1024 bits": lambda: a_jwk(an_rsa_key("weak", 1024)),
    "RSA of 2047 bits": lambda: a_jwk(n=an_rsa_modulus(2047)),
    "RSA of 8193 bits": lambda: a_jwk(n=an_rsa_modulus(8193)),
    "RSA of an even modulus": lambda: a_jwk(n=base64url((2**2047).to_bytes(256))),
    "RSA of no modulus": lambda: a_jwk(n=ABSENT),
    "RSA of an empty modulus": lambda: a_jwk(n=""),
    "RSA of a modulus that is a number": lambda: a_jwk(n=2**2047 + 1),
    "RSA of a modulus in the other alphabet": lambda: a_jwk(n="+/" + str(a_jwk()["n"])[2:]),
    "RSA of a modulus with padding": lambda: a_jwk(n=f"{a_jwk()['n']}=="),
    "RSA of a modulus that is not ASCII": lambda: a_jwk(n="\u00e9" * 400),
    "RSA of exponent 0": lambda: a_jwk(e=base64url(b"\0")),
    "RSA of exponent 1": lambda: a_jwk(e=base64url(b"\1")),
    "RSA of an even exponent": lambda: a_jwk(e=base64url(b"\1\0\0")),
    "RSA of a huge exponent": lambda: a_jwk(e=base64url(b"\1\0\0\0\1")),
    "RSA of no exponent": lambda: a_jwk(e=ABSENT),
    "EC of another curve": lambda: a_jwk(a_p384_key(), kid="p384", alg="ES256"),
    "EC of another curve's name": lambda: a_jwk(an_ec_key(), crv="secp256k1"),
    "EC of no curve": lambda: a_jwk(an_ec_key(), crv=ABSENT),
    "EC off the curve": lambda: a_jwk(an_ec_key(), y=a_jwk(an_ec_key("other"))["y"]),
    "EC at infinity": lambda: a_jwk(an_ec_key(), x=base64url(bytes(32)), y=base64url(bytes(32))),
    "EC of a short coordinate": lambda: a_jwk(an_ec_key(), x=base64url(bytes(31))),
    "EC of a long coordinate": lambda: a_jwk(an_ec_key(), y=base64url(bytes(33))),
    "EC of a coordinate with a zero in front": lambda: a_jwk(an_ec_key(), x=zero_in_front(a_jwk(an_ec_key())["x"])),
    "EC of another with a zero in front": lambda: a_jwk(an_ec_key(), y=zero_in_front(a_jwk(an_ec_key())["y"])),
    "EC of one coordinate": lambda: a_jwk(an_ec_key(), y=ABSENT),
}


@pytest.mark.parametrize("jwk", UNUSABLE.values(), ids=UNUSABLE)
def test_a_key_that_is_no_use_costs_only_itself(jwk: Callable[[], object], note: Note) -> None:
    note.add("malformed keys")
    good = a_jwk(an_ec_key("good"), kid="good")

    keys = parse_key_set(a_jwks(jwk(), good, jwk()))

    assert keys == {"good": Key(("ES256",), an_ec_key("good").public_key())}


def test_two_keys_under_one_id_are_both_left_out() -> None:
    first, second, other = (a_jwk(an_rsa_key(name), kid="same") for name in ("first", "second", "third"))

    assert parse_key_set(a_jwks(first, second, a_jwk())).keys() == {RSA_KID}
    assert parse_key_set(a_jwks(first, second, first, other)) == {}
    assert parse_key_set(a_jwks(first, a_jwk(an_ec_key(), kid="same"))) == {}


def test_one_key_said_twice_is_one_key() -> None:
    assert parse_key_set(a_jwks(a_jwk(), a_jwk(), a_jwk(alg=ABSENT))).keys() == {RSA_KID}


def test_a_useless_key_does_not_take_the_id_of_a_good_one() -> None:
    assert parse_key_set(a_jwks(a_jwk(use="enc"), a_jwk())).keys() == {RSA_KID}


@pytest.mark.parametrize(
    "document",
    [
        *(b"", b"null", b"[]", b"1", b'"keys"', b"{}", b'{"keys": null}', b'{"keys": {}}', b'{"keys": "x"}'),
        *(b"<html>not found</html>", b'{"keys": [', b"\xff\xfe", b"\xef\xbb\xbf" + a_jwks(), b"[" * 60_000),
        *(a_jwks().decode().encode("utf-16"), b'{"keys": [' + b"9" * 5000 + b"]}"),
    ],
    ids=lambda document: repr(document[:20]),
)
def test_what_is_no_key_set_is_said_to_be_none(document: bytes, note: Note) -> None:
    note.add("key set faults")
    with pytest.raises(JwksUnavailable, match=r"not JSON|not a key set"):
        parse_key_set(document)


@pytest.mark.parametrize(
    "text", ["A", "QQ==", "QR", "Q Q", "+/", "\u00e9\u00e9", "\ud800", None, 1, b"QQ", ["QQ"]], ids=ascii
)
def test_bytes_have_one_spelling(text: object) -> None:
    with pytest.raises(ValueError, match=r"not|padd|1 more|ASCII|encode"):
        decode_base64url(text)

    assert decode_base64url("QQ") == b"A"
    assert decode_base64url("-_8") == b"\xfb\xff"


# When they are fetched


def test_the_keys_are_fetched_once_and_kept_while_fresh() -> None:
    issuer, clock = Issuer(), Clock()
    jwks = JwksCache(issuer.fetch, clock)

    for _ in range(100):
        assert jwks.find(RSA_KID)
        assert jwks.find(EC_KID)
    clock.now += FRESH_SECONDS - 1
    assert jwks.find(RSA_KID)
    assert issuer.fetches == 1

    clock.now += 1
    assert jwks.find(RSA_KID)
    assert issuer.fetches == 2


def test_nothing_is_fetched_before_it_is_needed() -> None:
    issuer = Issuer()

    JwksCache(issuer.fetch)

    assert issuer.fetches == 0


def test_a_key_published_in_mid_stream_is_found_and_a_withdrawn_one_is_gone() -> None:
    issuer, clock = Issuer(a_jwks(a_jwk(kid="old"))), Clock()
    jwks = JwksCache(issuer.fetch, clock)
    assert jwks.find("old")

    issuer.document = a_jwks(a_jwk(an_rsa_key("new"), kid="new"))
    clock.now += COOLDOWN_SECONDS

    assert jwks.find("old")  # still fresh, so nobody asked
    assert jwks.find("new") == Key(("RS256",), an_rsa_key("new").public_key())
    assert jwks.find("old") is None
    assert issuer.fetches == 2


def test_a_thousand_unknown_ids_are_one_fetch_in_thirty_seconds() -> None:
    issuer, clock = Issuer(), Clock()
    jwks = JwksCache(issuer.fetch, clock)

    for number in range(1000):
        assert jwks.find(f"random-{number}") is None
        clock.now += 0.1

    assert issuer.fetches == 4  # at 0, 30, 60 and 90 of a hundred seconds
    assert jwks.find(RSA_KID)


def test_an_issuer_in_trouble_is_asked_once_a_second_while_there_is_no_copy_of_its_keys() -> None:
    issuer, clock = Issuer(JwksUnavailable("status 500")), Clock()
    jwks = JwksCache(issuer.fetch, clock)

    for _ in range(8):
        with pytest.raises(JwksUnavailable, match="status 500"):
            jwks.find(RSA_KID)
        clock.now += RETRY_SECONDS / 8
    assert issuer.fetches == 1

    issuer.document = a_jwks()
    assert jwks.find(RSA_KID)
    assert issuer.fetches == 2


@pytest.mark.parametrize("trouble", [JwksUnavailable("timeout"), b"<html>", b'{"keys": 1}'])
def test_old_keys_serve_for_an_hour_while_the_issuer_is_in_trouble(trouble: bytes | Exception) -> None:
    issuer, clock, warnings = Issuer(), Clock(), list[JwksUnavailable]()
    jwks = JwksCache(issuer.fetch, clock, warnings.append)
    assert jwks.find(RSA_KID)
    issuer.document = trouble

    clock.now += FRESH_SECONDS
    assert jwks.find(RSA_KID)
    assert jwks.find("unknown") is None
    assert len(warnings) == 1

    clock.now += STALE_SECONDS - FRESH_SECONDS - 1
    assert jwks.find(RSA_KID)
    assert len(warnings) == 2

    clock.now += 1
    with pytest.raises(JwksUnavailable):
        jwks.find(RSA_KID)
    with pytest.raises(JwksUnavailable):
        jwks.find("unknown")
    assert len(warnings) == 2

    issuer.document = a_jwks()
    clock.now += COOLDOWN_SECONDS
    assert jwks.find(RSA_KID)


def test_keys_that_were_all_withdrawn_are_gone() -> None:
    issuer, clock = Issuer(), Clock()
    jwks = JwksCache(issuer.fetch, clock)
    assert jwks.find(RSA_KID)

    issuer.document = b'{"keys": []}'
    clock.now += FRESH_SECONDS

    assert jwks.find(RSA_KID) is None


def test_a_clock_that_is_put_back_does_not_keep_old_keys_alive() -> None:
    issuer, clock = Issuer(), Clock()
    jwks = JwksCache(issuer.fetch, clock)
    assert jwks.find(RSA_KID)

    issuer.document = a_jwks(a_jwk(kid="new"))
    clock.now -= 86400

    assert jwks.find(RSA_KID) is None
    assert jwks.find("new")


def test_a_bug_in_fetching_is_not_hidden() -> None:
    jwks = JwksCache(Issuer(ZeroDivisionError()).fetch, Clock())

    with pytest.raises(ZeroDivisionError):
        jwks.find(RSA_KID)


def test_many_callers_at_once_make_one_fetch_and_wait_for_it() -> None:
    issuer, answered = Issuer(), Event()

    def fetch_while_others_ask() -> bytes:
        assert not answered.wait(0.2)  # nobody gets an answer, of either kind, before the keys are here
        return issuer.fetch()

    jwks = JwksCache(fetch_while_others_ask, Clock())

    def ask(kid: str) -> object:
        try:
            return jwks.find(kid)
        finally:
            answered.set()

    with ThreadPoolExecutor(8) as callers:
        found = list(callers.map(ask, [RSA_KID, "unknown"] * 50))

    assert all(found[::2])
    assert not any(found[1::2])
    assert issuer.fetches == 1


# From where they are fetched


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
def test_an_https_url_is_taken(url: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(url, allow_loopback=False) == endpoint
    assert parse_endpoint(url, allow_loopback=True) == endpoint


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/jwks", "http://localhost/jwks"])
def test_http_is_for_this_machine_and_only_where_allowed(url: str) -> None:
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
def test_no_other_url_is_taken(url: str) -> None:
    with pytest.raises(ValueError, match="key set"):
        parse_endpoint(url, allow_loopback=True)


# The fetch itself, over a real socket


@pytest.mark.enable_socket
def test_a_key_set_is_fetched_with_one_plain_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    with an_issuer(answering(a_jwks())) as (endpoint, asked):
        assert fetch(endpoint) == a_jwks()

    (request,) = asked
    assert request.path == "/jwks.json?v=1"
    assert request.headers["Host"] == f"{LOOPBACK}:{endpoint.port}"
    assert {"Authorization", "Cookie"}.isdisjoint(request.headers)


@pytest.mark.enable_socket
def test_a_key_set_may_have_the_greatest_size_and_no_more() -> None:
    for size, fits in ((MAX_BYTES, True), (MAX_BYTES + 1, False), (50 * MAX_BYTES, False)):
        with an_issuer(answering(b" " * size)) as (endpoint, _):
            if fits:
                assert len(fetch(endpoint)) == size
            else:
                with pytest.raises(JwksUnavailable, match="too large"):
                    fetch(endpoint)


def endlessly(what: bytes, pause: float = 0) -> Answer:
    """Starts an answer that never ends."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        never = Event()
        while not never.wait(pause):
            request.wfile.write(what)

    return answer


def chunks_without_end(request: BaseHTTPRequestHandler) -> None:
    """A body that says nothing of its size."""
    answering(b"", **{"Transfer-Encoding": "chunked"})(request)
    endlessly(b"2000\r\n" + b" " * 0x2000 + b"\r\n")(request)


def a_gigabyte(request: BaseHTTPRequestHandler) -> None:
    """A body that says how large it is, and means it."""
    answering(b"", **{"Content-Length": str(2**30)})(request)
    endlessly(b" " * 0x10000)(request)


def drips_headers(request: BaseHTTPRequestHandler) -> None:
    """A head that never ends, a letter at a time."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    endlessly(b"y", 0.02)(request)


def drips_its_body(request: BaseHTTPRequestHandler) -> None:
    """A body that comes a byte at a time."""
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
def test_a_broken_issuer_is_in_trouble(answer: Answer, why: str, note: Note) -> None:
    note.add("key set faults")
    with an_issuer(answer) as (endpoint, _), pytest.raises(JwksUnavailable, match=why):
        parse_key_set(fetch(endpoint, 10))


@pytest.mark.enable_socket
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
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
def test_a_slow_issuer_is_given_up_in_time(answer: Answer, note: Note) -> None:
    note.add("key set faults")
    with an_issuer(answer) as (endpoint, _):
        started = time.monotonic()
        with pytest.raises(JwksUnavailable, match=r"timeout|TimeoutError"):
            fetch(endpoint, 0.3)

        assert time.monotonic() - started < 5


@pytest.mark.enable_socket
def test_nobody_there_is_trouble_too() -> None:
    with an_issuer(answering(b"")) as (endpoint, _):
        pass

    with pytest.raises(JwksUnavailable, match="ConnectionRefusedError"):
        fetch(endpoint, 10)


@pytest.mark.enable_socket
def test_plain_http_does_not_pass_for_https() -> None:
    with an_issuer(answering(a_jwks())) as (endpoint, asked):
        with pytest.raises(JwksUnavailable, match="SSL"):
            fetch(endpoint._replace(secure=True), 10)

        assert asked == []


def a_certificate(for_host: x509.GeneralName) -> bytes:
    """A certificate and its key in PEM, signed by itself."""
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
def test_the_issuer_must_prove_who_it_is(
    host: x509.GeneralName, trusted: bool, why: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "issuer.pem"
    pem.write_bytes(a_certificate(host))
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    _trusted.cache_clear()

    with an_issuer(answering(a_jwks()), pem) as (endpoint, asked):
        if why is None:
            assert fetch(endpoint, 10) == a_jwks()
        else:
            with pytest.raises(JwksUnavailable, match=why):
                fetch(endpoint, 10)
            assert asked == []

    _trusted.cache_clear()


@pytest.mark.enable_socket
@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl, as the build of the folder does")
def test_an_authority_is_looked_for_in_the_folder_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem, empty, folder = tmp_path / "issuer.pem", tmp_path / "empty", tmp_path / "authorities"
    pem.write_bytes(a_certificate(x509.IPAddress(IPv4Address(LOOPBACK))))
    empty.mkdir()
    runpy.run_path("layers/dependencies/trim", run_name="trim")["set_apart"](pem, folder)

    with an_issuer(answering(a_jwks()), pem) as (endpoint, _):
        assert fetch(endpoint._replace(authorities=str(folder)), 10) == a_jwks()
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        with pytest.raises(JwksUnavailable, match="SSLCertVerificationError"):
            fetch(endpoint._replace(authorities=str(empty)), 10)
        assert fetch(endpoint._replace(authorities=str(tmp_path / "none")), 10) == a_jwks()


@pytest.mark.enable_socket
def test_keys_travel_all_the_way() -> None:
    with an_issuer(answering(a_jwks())) as (endpoint, asked):
        jwks = JwksCache(lambda: fetch(endpoint))

        assert jwks.find(EC_KID) == Key(("ES256",), an_ec_key().public_key())
        assert jwks.find("unknown") is None
        assert len(asked) == 1

    assert json.loads(a_jwks())["keys"][0]["kid"] == RSA_KID
