"""Search what functions log for secrets and personal data, and check that every line is one JSON object."""

import json
import re
from collections.abc import Collection, Iterable, Iterator

FORBIDDEN = {
    "a token, or base64 of JSON as policies are": r"eyJ[A-Za-z0-9_-]{10,}(?:\.|[A-Za-z0-9+/_=-]{20})",
    "an Authorization header": r"[Bb]earer [A-Za-z0-9_-]{8}",
    "a presigned link or form": r"(?i:x-amz-(?:signature|credential|security-token))",
    "an AWS key": r"(?:AKIA|ASIA)[A-Z0-9]{16}",
    "the secret key": r"wJalrXUtnFEMI",
    "the session token": r"session-token-of-the-role",
    "a private key": r"-----BEGIN",
    "an e-mail address": r"(?<=[A-Za-z0-9_.+-])@[A-Za-z0-9-]+\.[A-Za-z]",
    "a name from a token": r"Lovelace",
    "the place where a picture was taken": r"51\.0\D+28\.0\D+40\.1",
    "the camera of a picture": r"Phone 1\b",
    "the comment of a picture": r"private remark",
    "a JPEG": r"JFIF|/9j/4",
    "a PNG": r"IHDR|iVBORw0KGgo",
    "a GIF": r"GIF8[79]a",
    "a WebP": r"WEBPVP8|UklGR[A-Za-z0-9+/]{3}",
    "an AVIF": r"ftypavif",
}
"""Patterns that no log line may contain. Tests plant some of this in identities and in the metadata of pictures."""

_PATTERNS = {what: re.compile(pattern) for what, pattern in FORBIDDEN.items()}
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{200,}")
_SIGNATURE = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}")
_ISSUED = re.compile(r"[Xx]-[Aa]mz-[Ss]ignature(?:=|\":\")([0-9a-f]{64})")


def problems(lines: Iterable[str], texts: Iterable[str] = (), signatures: Collection[str] = ()) -> list[str]:
    """Return the problems of the lines that functions wrote, and of other texts that become part of their logs."""
    every = list(lines)
    return [
        *(f"not one JSON object: {line[:300]!r}" for line in every if not is_one_object(line)),
        *(f"{what}: {line[:600]!r}" for line in [*every, *texts] for what in _secrets(line, signatures)),
    ]


def is_one_object(line: str) -> bool:
    """Return whether every reader takes the text for one line and one JSON object."""
    try:
        return line.isascii() and line.isprintable() and isinstance(json.loads(line), dict)
    except ValueError:
        return False


def issued_signatures(answer: object) -> set[str]:
    """Return the signatures of the presigned forms and links in an answer."""
    return set(_ISSUED.findall(answer["body"])) if isinstance(answer, dict) and answer.get("body") else set()


def _secrets(line: str, signatures: Collection[str]) -> Iterator[str]:
    yield from (what for what, pattern in _PATTERNS.items() if pattern.search(line))
    if any(len(set(run)) > 20 for run in _BASE64.findall(line)):
        yield "a run of base64"
    if not set(signatures).isdisjoint(_SIGNATURE.findall(line)):
        yield "a signature"
