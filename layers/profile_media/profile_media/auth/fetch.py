"""The HTTPS request for the issuer's key set, bounded in time and size."""

import re
import ssl
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from os.path import isdir
from socket import SHUT_RDWR
from threading import Thread
from typing import NamedTuple

from profile_media.auth.key_set import JwksUnavailable

MAX_BYTES = 64 * 1024
"""Room for more than a hundred keys; real sets have two or three. A compromised issuer cannot fill the memory."""

FETCH_SECONDS = 2.0
"""Limit for a whole fetch, name resolution and TLS handshake included: the caller of the API is waiting."""

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)",
    re.ASCII,
)
_LOOPBACK = ("127.0.0.1", "localhost", "host.docker.internal")
"""This machine, also as a container on it names it."""


class Endpoint(NamedTuple):
    """The parsed URL of the key set."""

    secure: bool
    host: str
    port: int
    target: str
    authorities: str = ""
    """Folder of trusted certificate authorities, hashed as OpenSSL expects; the system's if it is missing."""


def parse_endpoint(url: str, *, allow_loopback: bool) -> Endpoint:
    """Parse the URL of the key set; raise ValueError unless it is https.

    Over plain http, anybody on the way could replace the keys. `allow_loopback` also accepts http to this machine, for
    the local stack's issuer.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("the URL of the key set is not one to fetch from")
    secure = match["scheme"] == "https"
    if not secure and not (allow_loopback and match["host"] in _LOOPBACK):
        raise ValueError("the URL of the key set is not https")
    port = int(match["port"] or (443 if secure else 80))
    if not 0 < port < 65536:
        raise ValueError("the URL of the key set has no such port")
    return Endpoint(secure, match["host"], port, match["target"])


def fetch(endpoint: Endpoint, seconds: float = FETCH_SECONDS) -> bytes:
    """Fetch the key set; raise JwksUnavailable if that fails, takes too long or returns too much.

    It follows no redirect and uses no proxy: both would let somebody else choose where the keys come from. It runs in a
    thread because a socket's timeout restarts with every byte of a slow server, and name resolution has no timeout.
    """
    connection = _connection(endpoint, seconds)
    outcome: list[bytes | Exception] = []
    worker = Thread(target=_receive, args=(connection, endpoint.target, outcome), daemon=True)
    worker.start()
    worker.join(seconds)
    if not outcome:
        with suppress(OSError, AttributeError):  # the connection may just have closed, or not be open yet
            connection.sock.shutdown(SHUT_RDWR)
        raise JwksUnavailable("timeout")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _connection(endpoint: Endpoint, seconds: float) -> HTTPConnection:
    if endpoint.secure:
        context = trusted_authorities(endpoint.authorities)
        return HTTPSConnection(endpoint.host, endpoint.port, timeout=seconds, context=context)
    return HTTPConnection(endpoint.host, endpoint.port, timeout=seconds)


@cache
def trusted_authorities(authorities: str) -> ssl.SSLContext:
    """Trust the folder's authorities, each read when needed. Reading the system's bundle is 90 % of a first fetch."""
    return ssl.create_default_context(capath=authorities if isdir(authorities) else None)


def _receive(connection: HTTPConnection, target: str, outcome: list[bytes | Exception]) -> None:
    """Run in the thread; hand the body or the error to the waiting caller."""
    try:
        outcome.append(_get(connection, target))
    except (OSError, HTTPException) as trouble:
        outcome.append(JwksUnavailable(type(trouble).__name__))
    except Exception as trouble:  # a bug: raised again in the caller's thread
        outcome.append(trouble)
    finally:
        connection.close()


def _get(connection: HTTPConnection, target: str) -> bytes:
    connection.request("GET", target, headers={"Accept": "application/json", "Connection": "close"})
    with connection.getresponse() as response:
        if response.status != 200:  # including redirects: their target is not what the operator configured
            raise JwksUnavailable(f"status {response.status}")
        body = response.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise JwksUnavailable("too large")
    return body
