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
END_OF_HEAD = b"\r\n\r\n"


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
    """A server that decrypts requests and forwards them to a plain port on this machine.

    It keeps connections open between requests, as AWS does. moto closes its own after each answer.
    """

    upstream: int
    url: str = ""
    connections: int = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        with suppress(ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(END_OF_HEAD)
                headers = _headers(head)
                if headers.get(b"expect") == b"100-continue":
                    writer.write(b"HTTP/1.1 100 Continue" + END_OF_HEAD)
                body = await reader.readexactly(int(headers.get(b"content-length", 0)))
                writer.write(_kept_open(await self._forward(head + body)))
                await writer.drain()
        writer.close()

    async def _forward(self, request: bytes) -> bytes:
        """Return the answer of a server that closes the connection after it."""
        answers, requests = await asyncio.open_connection(HOST, self.upstream)
        requests.write(request)
        try:
            return await answers.read()
        finally:
            requests.close()


def _headers(head: bytes) -> dict[bytes, bytes]:
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _kept_open(answer: bytes) -> bytes:
    """Return an answer of HTTP/1.0 as one of HTTP/1.1 that states its length and does not end the connection."""
    head, _, body = answer.partition(END_OF_HEAD)
    status, *lines = head.split(b"\r\n")
    kept = [line for line in lines if line.partition(b":")[0].lower() not in (b"connection", b"content-length")]
    status = b"HTTP/1.1 " + status.partition(b" ")[2]
    return b"\r\n".join([status, *kept, b"Content-Length: %d" % len(body)]) + END_OF_HEAD + body


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
