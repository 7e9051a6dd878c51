"""The main job over HTTP, step by step: upload a photograph, check its derivatives, bind it, read the profile.

`make demo` runs it against the local stack and looks behind the API; `make smoke` runs it against any deployed API.
"""

import io
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageOps, ImageStat

from profile_media.domain.framing import frame
from profile_media.domain.model import Slot
from profile_media.domain.policy import SIZES
from tools.local.browser import Answer, Browser, post_form, send

PHOTOGRAPHS = Path(__file__).parent / "local" / "photographs"
SLOTS = {"avatar": Slot.AVATAR, "coverImage": Slot.COVER_IMAGE}

LARGEST_DIFFERENCE = 12.0
"""Mean difference of pixel values (0 to 255) to the same picture made here. A rotated picture has more than 40."""


class Runbook(StrEnum):
    """The section of docs/operations.md to read if a step fails."""

    BIND = "unexpectederrorsalarm"
    FINDINGS = "reconcilefindingsalarm"
    INTENT = "pagealarm"
    PROCESS = "processfailuresalarm"
    PURGE = "purgedlqalarm"
    RELEASE = "releasefailuresalarm"
    SMOKE = "smoke-test"


class CheckFailed(Exception):
    """A check of a step failed."""


class StepFailed(Exception):
    """A step failed. The text names the step, the reason and the section of the runbook."""


@contextmanager
def step(what: str, runbook: Runbook) -> Iterator[None]:
    """Print a step, its result and its duration. Raise StepFailed for a failed check or an answer that is unusable."""
    print(f"  {what} … ", end="", flush=True)
    began = time.monotonic()
    try:
        yield
    except (CheckFailed, OSError, ValueError, LookupError) as error:
        print(f"failed after {time.monotonic() - began:,.1f} s", flush=True)
        reason = error if isinstance(error, CheckFailed) else repr(error)
        raise StepFailed(f"{what}: {reason}\nSee docs/operations.md#{runbook}") from error
    print(f"ok, {(time.monotonic() - began) * 1000:,.0f} ms", flush=True)


def check(passed: object, message: str) -> None:
    """Raise CheckFailed unless the check passed."""
    if not passed:
        raise CheckFailed(message)


def expect(answer: Answer, status: int) -> dict[str, Any]:
    """Return the parsed body of an answer, which must have this status."""
    text = answer.body[:500].decode(errors="replace")
    check(answer.status == status, f"the answer is {answer.status} instead of {status}: {text}")
    return answer.json()


def wait_until(condition: Callable[[], bool], seconds: float, message: Callable[[], str]) -> None:
    """Wait for a condition. Raise CheckFailed at the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < deadline, message())
        time.sleep(0.1)


@dataclass(frozen=True)
class MainJob:
    """The steps for one slot of one user."""

    browser: Browser
    slot: str = "avatar"
    origin: str | None = None
    """The origin of a web page. If it is set, S3's answer to the upload must be readable for that page."""

    def upload(self, name: str, content: bytes, content_type: str = "image/jpeg") -> dict[str, Any]:
        """Upload a picture as a browser does. Return the upload once it is ready."""
        with step(f"{name}: create an intent for {len(content):,} bytes", Runbook.INTENT):
            intent = expect(self.browser.intend(self.slot, content, content_type), HTTPStatus.CREATED)
        with step("post it to S3" + (" from the page's origin" if self.origin else ""), Runbook.SMOKE):
            stored = post_form(intent["upload"], content, self.origin)
            check(stored.status == HTTPStatus.CREATED and stored.headers["ETag"], _refusal(stored))
            readable = not self.origin or stored.headers["Access-Control-Allow-Origin"] == self.origin
            check(readable, "CORS does not let the page read the answer")
        with step("wait until it is ready", Runbook.PROCESS):
            upload = expect(self.browser.settled(intent["uploadId"]), HTTPStatus.OK)
            check(upload["state"] == "ready", f"it is {upload['state']}: {upload.get('reason')}")
        return upload

    def check_derivatives(self, upload: Mapping[str, Any], original: bytes, names: Iterable[str]) -> list[Answer]:
        """Check that the upload has all derivatives of its slot; fetch and check those with these names."""
        sizes = {size.name: (size.width, size.height) for size in SIZES[SLOTS[self.slot]]}
        fetched = []
        with step(f"fetch derivatives: {', '.join(names := list(names))}", Runbook.SMOKE):
            check(upload["derivatives"].keys() == sizes.keys(), f"the derivatives are {list(upload['derivatives'])}")
            for name in names:
                fetched.append(_check_derivative(name, upload["derivatives"][name]))
                check_picture(name, fetched[-1].body, sizes[name], original)
        return fetched

    def bind(self, upload: Mapping[str, Any]) -> None:
        """Bind the upload, and check that the profile shows it."""
        with step("bind it, and read the profile", Runbook.BIND):
            bound = expect(self.browser.bind(self.slot, upload["publicId"]), HTTPStatus.OK)
            default = SIZES[SLOTS[self.slot]][0].name
            check(bound[self.slot]["url"] == upload["derivatives"][default]["url"], "the answer shows another picture")
            check(self.derivatives() == upload["derivatives"], "the profile does not show these derivatives")

    def held(self) -> dict[str, Any] | None:
        """Return what the slot holds, as the profile shows it; None if it is empty."""
        held: dict[str, Any] | None = expect(self.browser.call("GET", "/media/profile"), HTTPStatus.OK)[self.slot]
        return held

    def derivatives(self) -> dict[str, Any] | None:
        """Return the derivatives that the profile shows."""
        return (self.held() or {}).get("derivatives")


def photograph(name: str) -> bytes:
    """Return a photograph that comes with the project."""
    return (PHOTOGRAPHS / name).read_bytes()


def check_picture(name: str, content: bytes, size: tuple[int, int], original: bytes) -> None:
    """Check size, orientation, colours, and that the file has no metadata."""
    with Image.open(io.BytesIO(content), formats=["WEBP"]) as picture, Image.open(io.BytesIO(original)) as source:
        check(picture.size == size, f"{name}: {picture.size}, not {size}")
        kept = {"exif", "icc_profile", "xmp", "XML:com.adobe.xmp", "comment"} & picture.info.keys()
        check(not kept and not picture.getexif(), f"{name}: metadata {kept}")
        upright = ImageOps.exif_transpose(source).convert("RGB")
        expected = upright.resize(size, Image.Resampling.LANCZOS, box=frame(upright.size, size, None))
        difference = ImageStat.Stat(ImageChops.difference(picture.convert("RGB"), expected)).mean
    check(max(difference) < LARGEST_DIFFERENCE, f"{name}: another picture, or rotated: {difference}")
    chunks = [chunk for chunk in (b"EXIF", b"XMP ", b"ICCP") if chunk in content[:64]]
    check(not chunks, f"{name}: {chunks}")


def _check_derivative(name: str, derivative: Mapping[str, Any]) -> Answer:
    """Fetch a derivative, and check the answer's headers and length."""
    fetched = send("GET", derivative["url"])
    check(fetched.status == HTTPStatus.OK, f"{name}: {fetched.status} for {derivative['url']}")
    check(fetched.headers["Content-Type"] == derivative["contentType"] == "image/webp", f"{name}: not WebP")
    check("immutable" in (fetched.headers["Cache-Control"] or ""), f"{name}: not cacheable")
    check(len(fetched.body) == derivative["bytes"], f"{name}: {len(fetched.body)} bytes")
    return fetched


def _refusal(stored: Answer) -> str:
    return f"S3 answered {stored.status}: {stored.body[:500].decode(errors='replace')}"
