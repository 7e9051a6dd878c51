"""What a form says about the object besides its bytes: checked as S3 does, and put as the store wants it."""

import hashlib
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO, Protocol
from urllib.parse import urlencode
from xml.etree import ElementTree

from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.refusal import Refusal, bad_argument, bad_request

LONGEST_KEY = 1024
"""Bytes of UTF-8."""

MOST_METADATA = 2048
"""Bytes, names and values of all `x-amz-meta-*` fields together."""

DEFAULT_CONTENT_TYPE = "binary/octet-stream"
"""S3's. The type that the browser gives the file's own part is not looked at."""

STORAGE_CLASSES = frozenset(
    {
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "GLACIER_IR",
        "DEEP_ARCHIVE",
    }
)
ACLS = frozenset(
    {
        "private",
        "public-read",
        "public-read-write",
        "aws-exec-read",
        "authenticated-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
    }
)
ENCRYPTIONS = frozenset({"AES256", "aws:kms", "aws:kms:dsse"})

STORED_HEADERS = MappingProxyType(
    {
        "content-type": "ContentType",
        "cache-control": "CacheControl",
        "content-disposition": "ContentDisposition",
        "content-encoding": "ContentEncoding",
    }
)
"""Fields that become headers of the object, by the names the store has for them."""

_META = "x-amz-meta-"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_WEBSITE = re.compile(r"(?:/|https?://)[\x21-\x7e]{0,2040}")


class Digest(Protocol):
    """What hashlib's objects have in common with a running CRC."""

    def update(self, data: bytes, /) -> None:
        """Takes more bytes in."""

    def digest(self) -> bytes:
        """The digest of all of them."""


class _Crc32:
    """CRC-32 with hashlib's manners."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A way to sum bytes up, and the store's name for a sum made so."""

    name: str
    size: int
    start: Callable[[], Digest]
    stored_as: str


CHECKSUMS: Mapping[str, Algorithm] = MappingProxyType(
    {
        "x-amz-checksum-sha256": Algorithm("SHA256", 32, hashlib.sha256, "ChecksumSHA256"),
        "x-amz-checksum-sha1": Algorithm("SHA1", 20, lambda: hashlib.sha1(usedforsecurity=False), "ChecksumSHA1"),
        "x-amz-checksum-crc32": Algorithm("CRC32", 4, _Crc32, "ChecksumCRC32"),
    }
)
"""The checksums the edge verifies. CRC32C and CRC64NVME are refused rather than believed."""

_CONTENT_MD5 = Algorithm("Content-MD5", 16, lambda: hashlib.md5(usedforsecurity=False), "ContentMD5")


@dataclass(frozen=True, slots=True)
class Properties:
    """The object to be: its key, what is stored with it, and the sums its bytes must have."""

    key: str
    stored: Mapping[str, object]
    sums: tuple[tuple[Algorithm, bytes], ...] = ()

    def verify(self, content: IO[bytes]) -> None:
        """Holds the bytes against their declared sums; raises Refusal with BadDigest."""
        for algorithm, expected in self.sums:
            content.seek(0)
            digest = algorithm.start()
            while chunk := content.read(1 << 16):
                digest.update(chunk)
            if digest.digest() != expected:
                message = f"The {algorithm.name} you specified did not match the calculated checksum."
                raise bad_request("BadDigest", message)


def check_key(key: str) -> None:
    """Raises Refusal for a key that no object can have."""
    if not key:
        raise bad_argument("User key must have a length greater than 0.", "key", "")
    size = len(key.encode())
    if size > LONGEST_KEY:
        limits = {"Size": str(size), "MaxSizeAllowed": str(LONGEST_KEY)}
        raise bad_request("KeyTooLongError", "Your key is too long", **limits)


def read_properties(fields: Fields) -> Properties:
    """Checks every field that describes the object; raises Refusal with 400 for the first that is wrong."""
    _check_choices(fields)
    stored: dict[str, object] = {"ContentType": DEFAULT_CONTENT_TYPE, **_headers(fields)}
    if metadata := _metadata(fields):
        stored["Metadata"] = metadata
    if storage_class := fields.get("x-amz-storage-class"):
        stored["StorageClass"] = storage_class
    if tagging := fields.get("tagging"):
        stored["Tagging"] = urlencode(_tags(tagging))
    sums = []
    if checksum := _checksum(fields):
        algorithm, value = checksum
        sums.append(checksum)
        stored |= {algorithm.stored_as: b64encode(value).decode(), "ChecksumAlgorithm": algorithm.name}
    if (md5 := fields.get("content-md5")) is not None:
        invalid = bad_request("InvalidDigest", "The Content-MD5 you specified was invalid.")
        sums.append((_CONTENT_MD5, _sum(md5, _CONTENT_MD5, invalid)))
    return Properties(fields.get("key") or "", MappingProxyType(stored), tuple(sums))


def _check_choices(fields: Fields) -> None:
    """The fields whose values are a closed list."""
    storage_class = fields.get("x-amz-storage-class")
    if storage_class is not None and storage_class not in STORAGE_CLASSES:
        message = "The storage class you specified is not valid"
        raise bad_request("InvalidStorageClass", message, StorageClassRequested=storage_class)
    acl = fields.get("acl")
    if acl is not None and acl not in ACLS:
        raise bad_argument("The canned ACL is none that S3 has.", "x-amz-acl", acl)
    encryption = fields.get("x-amz-server-side-encryption")
    if encryption is not None and encryption not in ENCRYPTIONS:
        name = "x-amz-server-side-encryption"
        raise bad_argument("The encryption method specified is not supported", name, encryption)
    website = fields.get("x-amz-website-redirect-location")
    if website is not None and not _WEBSITE.fullmatch(website):
        message = "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."
        raise bad_argument(message, "x-amz-website-redirect-location", website)


def _headers(fields: Fields) -> dict[str, str]:
    found = {}
    for name, parameter in STORED_HEADERS.items():
        if value := fields.get(name):
            if not _PRINTABLE.fullmatch(value):
                raise bad_argument("The value cannot be a header.", name, value)
            found[parameter] = value
    return found


def _metadata(fields: Fields) -> dict[str, str]:
    metadata = {}
    for name, field in fields:
        if name.startswith(_META):
            if not _TOKEN.fullmatch(name) or name == _META:
                raise bad_argument("The name cannot be a header.", "x-amz-meta-", field.name)
            metadata[name.removeprefix(_META)] = _mail_safe(field.value)
    size = sum(len(name) + len(value) for name, value in metadata.items())
    if size > MOST_METADATA:
        message = "Your metadata headers exceed the maximum allowed metadata size"
        raise bad_request("MetadataTooLarge", message, Size=str(size), MaxSizeAllowed=str(MOST_METADATA))
    return metadata


def _mail_safe(value: str) -> str:
    """As S3 keeps metadata that is more than ASCII: the way mail does (RFC 2047)."""
    return value if _PRINTABLE.fullmatch(value) else f"=?UTF-8?B?{b64encode(value.encode()).decode()}?="


def _checksum(fields: Fields) -> tuple[Algorithm, bytes] | None:
    """The one checksum of the form. `x-amz-checksum-algorithm` may name it again, and must then agree."""
    named = fields.get("x-amz-checksum-algorithm")
    sent = [name for name, _ in fields if name.startswith("x-amz-checksum-") and name != "x-amz-checksum-algorithm"]
    if len(sent) > 1:
        message = "Expecting a single x-amz-checksum- header. Multiple checksums are not allowed."
        raise bad_request("InvalidRequest", message)
    name = sent[0] if sent else ""
    algorithm = CHECKSUMS.get(name)
    if name and algorithm is None:
        raise bad_request("InvalidRequest", f"{name} is not a checksum that can be verified here.")
    if named is not None and (algorithm is None or named.upper() != algorithm.name):
        message = "x-amz-checksum-algorithm specified, but no corresponding x-amz-checksum-* header was found."
        raise bad_request("InvalidRequest", message)
    if algorithm is None:
        return None
    invalid = bad_request("InvalidRequest", f"Value for {name} header is invalid.")
    return algorithm, _sum(fields.get(name) or "", algorithm, invalid)


def _sum(text: str, algorithm: Algorithm, invalid: Refusal) -> bytes:
    try:
        value = b64decode(text, validate=True)
    except ValueError as error:
        raise invalid from error
    # Only the one canonical spelling: the store keeps the text, and compares it.
    if len(value) != algorithm.size or b64encode(value).decode() != text:
        raise invalid
    return value


def _tags(source: str) -> list[tuple[str, str]]:
    """The tags of a `<Tagging>` document; another document has none, which S3 lets pass."""
    malformed = bad_request(
        "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
    )
    if "<!" in source:  # neither a document type nor an entity has a place here, and entities can be made to explode
        raise malformed
    try:
        root = ElementTree.fromstring(source)  # noqa: S314
    except (ElementTree.ParseError, ValueError) as error:
        raise malformed from error
    tags = [(tag.findtext("{*}Key") or "", tag.findtext("{*}Value") or "") for tag in root.findall("{*}TagSet/{*}Tag")]
    if len(tags) > 10:
        raise bad_request("BadRequest", "Object tags cannot be greater than 10")
    names = {name for name, _ in tags}
    if len(names) < len(tags) or any(not 1 <= len(name) <= 128 or len(value) > 256 for name, value in tags):
        raise bad_request("InvalidTag", "The tag provided was not a valid tag.")
    return tags
