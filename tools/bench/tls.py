"""A TLS server on loopback with a certificate chain like AWS's: a root, an intermediate and a leaf."""

import asyncio
import ssl
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Chain:
    """Two PEM files: what the server presents, with its key, and the root that clients must trust."""

    server: Path
    root: Path


@contextmanager
def chain() -> Iterator[Chain]:
    """Make the certificates in a temporary folder."""
    keys = [rsa.generate_private_key(65537, 2048) for _ in range(3)]
    root = _certificate("Test Root", keys[0], "Test Root", keys[0], is_authority=True)
    intermediate = _certificate("Test Intermediate", keys[1], "Test Root", keys[0], is_authority=True)
    leaf = _certificate(HOST, keys[2], "Test Intermediate", keys[1], is_authority=False)
    private = keys[2].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with tempfile.TemporaryDirectory() as folder:
        made = Chain(Path(folder) / "server.pem", Path(folder) / "root.pem")
        made.server.write_bytes(leaf + intermediate + private)
        made.root.write_bytes(root)
        yield made


def _certificate(
    name: str, key: rsa.RSAPrivateKey, issuer: str, issuer_key: rsa.RSAPrivateKey, *, is_authority: bool
) -> bytes:
    issued_by, subject = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (issuer, name))
    now, public = datetime.now(UTC), key.public_key()
    usage = dict.fromkeys(
        ("content_commitment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False
    )
    certificate = (
        x509.CertificateBuilder(issued_by, subject, public, x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_authority,
                key_encipherment=not is_authority,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                **usage,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_authority:
        address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(HOST))])
        certificate = certificate.add_extension(address, critical=False)
    return certificate.sign(issuer_key, SHA256()).public_bytes(Encoding.PEM)


@dataclass
class Proxy:
    """A server that decrypts what it receives and forwards it to a plain port on this machine."""

    upstream: int
    url: str = ""
    connections: int = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        answers, requests = await asyncio.open_connection(HOST, self.upstream)
        await asyncio.gather(_copy(reader, requests), _copy(answers, writer))


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while received := await source.read(65536):
            target.write(received)
            await target.drain()
    target.close()


@contextmanager
def proxy(upstream: int, certificates: Chain) -> Iterator[Proxy]:
    """Serve TLS in front of a port, in a thread."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server)
    served, started = Proxy(upstream), Future[asyncio.AbstractEventLoop]()
    stop = asyncio.Event()

    async def serve() -> None:
        server = await asyncio.start_server(served.handle, HOST, 0, ssl=context)
        served.url = f"https://{HOST}:{server.sockets[0].getsockname()[1]}"
        started.set_result(asyncio.get_running_loop())
        await stop.wait()
        server.close()
        server.close_clients()

    thread = Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    loop = started.result(timeout=10)
    try:
        yield served
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
