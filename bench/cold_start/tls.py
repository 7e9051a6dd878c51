"""The first HTTPS call of a fresh process: the authorizer's, Python's default, and with one authority to read only."""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.cold_start.functions import BUILT, LAYERS
from bench.cold_start.processes import Command, instructions

DEFAULT = """import ssl, sys, urllib.request
if len(sys.argv) > 1:
    urllib.request.urlopen(sys.argv[1]).read()
"""

OURS = """import sys
sys.path[:0] = sys.argv[2:]
from profile_media.http.jwks import fetch, parse_endpoint
if sys.argv[1]:
    fetch(parse_endpoint(sys.argv[1], allow_loopback=True), 60)
"""


@contextmanager
def https() -> Iterator[tuple[str, bytes]]:
    """A server on loopback: its URL, and the certificate that it trusts itself by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([]), datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(here, critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )
    with tempfile.NamedTemporaryFile() as chain, HTTPServer(("127.0.0.1", 0), _Keys) as server:
        chain.write(certificate + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        chain.flush()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain.name)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}/keys", certificate
        server.shutdown()


class _Keys(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"keys": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def first_calls() -> dict[str, int]:
    """Instructions of the call alone: of a process with it, less of one without; the authorities are botocore's."""
    folders = [str(BUILT / layer / "python") for layer in LAYERS]
    bundle = (BUILT / LAYERS[0] / "python" / "botocore" / "cacert.pem").read_bytes()
    with https() as (url, certificate), tempfile.TemporaryDirectory() as place:
        many, one = Path(place) / "many.pem", Path(place) / "one.pem"
        many.write_bytes(bundle + b"\n" + certificate)
        one.write_bytes(certificate)
        system, small = {"SSL_CERT_FILE": str(many)}, {"SSL_CERT_FILE": str(one)}
        return {
            "default": _call(("-c", DEFAULT, url), ("-c", DEFAULT), system),
            "ours": _call(("-c", OURS, url, *folders), ("-c", OURS, "", *folders), system),
            "one": _call(("-c", OURS, url, *folders), ("-c", OURS, "", *folders), small),
        }


def _call(calling: tuple[str, ...], importing: tuple[str, ...], environment: dict[str, str]) -> int:
    return instructions(Command(calling, environment)) - instructions(Command(importing, environment))
