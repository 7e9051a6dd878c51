"""The first HTTPS call of a fresh process: the authorizer's, Python's default, and one of botocore's connections."""

import runpy
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.cold_start.processes import Command
from tools.bench.cold_start.functions import BUILT, LAYERS, ROOT
from tools.bench.cold_start.processes import instructions

TRIM = str(ROOT / "layers/dependencies/trim")

DEFAULT = """import ssl, sys, urllib.request
if sys.argv[1]:
    urllib.request.urlopen(sys.argv[1]).read()
"""

OURS = """import sys
sys.path[:0] = sys.argv[3:]
from profile_media.auth.fetch import fetch, parse_endpoint
if sys.argv[1]:
    fetch(parse_endpoint(sys.argv[1], allow_loopback=True)._replace(authorities=sys.argv[2]), 60)
"""

BOTOCORE = """import sys
sys.path[:0] = sys.argv[3:]
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
session = URLLib3Session(verify=sys.argv[2])
if sys.argv[1]:
    assert session.send(AWSRequest("GET", sys.argv[1]).prepare()).status_code == 200
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
        together, apart = Path(place) / "authorities.pem", Path(place) / "authorities"
        together.write_bytes(bundle + b"\n" + certificate)
        runpy.run_path(TRIM)["set_apart"](together, apart)
        system = {"SSL_CERT_FILE": str(together)}
        return {
            "default": _call(DEFAULT, url, environment=system),
            "ours": _call(OURS, url, str(apart), *folders),
            "all": _call(OURS, url, "", *folders, environment=system),
            "botocore": _call(BOTOCORE, url, str(together), *folders),
        }


def _call(code: str, url: str, *more: str, environment: Mapping[str, str] = MappingProxyType({})) -> int:
    calling, importing = (Command(("-c", code, called, *more), environment) for called in (url, ""))
    return instructions(calling) - instructions(importing)
