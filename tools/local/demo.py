"""Walk through the whole service without a browser, checking every step: `make demo`.

For avatar and cover image: create an upload intent, post a photograph, wait until it is ready, fetch its derivatives,
bind it and read the profile. Then replace it with a second photograph, and check that the first one's row and objects
are deleted after the purge delay. Exit status 0 only if every check passed.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageOps, ImageStat

from profile_media.domain.model import Slot
from profile_media.domain.policy import SIZES
from tools.local import aws
from tools.local.browser import Answer, Browser, post_form, send
from tools.local.launch import LaunchFailed, launched
from tools.local.state import StackNotRunning, read_state

PHOTOGRAPHS = Path(__file__).parent / "photographs"
USER = "grace"
SLOTS = {"avatar": Slot.AVATAR, "coverImage": Slot.COVER_IMAGE}

MAX_PURGE_DELAY = 60
"""Seconds. If the running stack's purge delay is longer, the demo starts a stack of its own."""

DEADLINE_SECONDS = 300
"""Maximum wait for something that happens in the background. It takes a second on an idle machine."""

LARGEST_DIFFERENCE = 12.0
"""Mean difference of pixel values (0 to 255) to the same picture made here. A rotated picture has more than 40."""


class CheckFailed(Exception):
    """A check of the demo failed."""


@dataclass
class Demo:
    """One run of the demo."""

    state: dict[str, Any]
    _began: float = 0.0

    def run(self) -> None:
        """Run all steps. Raise CheckFailed at the first failed check."""
        self._began = time.monotonic()
        for slot in SLOTS:
            print(f"\n{slot}")
            first = self._picture(slot, "portrait.jpg")
            second = self._picture(slot, "second.jpg")
            self._replaced(slot, first, second)
        print(f"\nAll checks passed in {time.monotonic() - self._began:.1f} seconds.")

    @property
    def _browser(self) -> Browser:
        return Browser.of(self.state, USER)

    def _picture(self, slot: str, name: str) -> dict[str, Any]:
        """Take a photograph from its file to the profile. Return the upload."""
        content = (PHOTOGRAPHS / name).read_bytes()
        with step(f"{name}: create an intent for {len(content):,} bytes"):
            intent = _expect(self._browser.intend(slot, content), 201)
        with step("post it to S3 from the page's origin"):
            stored = post_form(intent["upload"], content, self.state["page"])
            _check(stored.status == 201 and stored.headers["ETag"], f"S3 answered {stored.status}: {stored.body!r}")
            _check(
                stored.headers["Access-Control-Allow-Origin"] == self.state["page"],
                "CORS does not let the page read the answer",
            )
        with step("wait until it is ready"):
            upload = _expect(self._browser.settled(intent["uploadId"]), 200)
            _check(upload["state"] == "ready", f"it is {upload['state']}: {upload.get('reason')}")
        with step(f"fetch its derivatives: {', '.join(upload['derivatives'])}"):
            self._check_derivatives(slot, upload, content)
        with step("bind it"):
            bound = _expect(self._browser.bind(slot, upload["publicId"]), 200)
            largest = SIZES[SLOTS[slot]][0].name
            _check(bound[slot]["url"] == upload["derivatives"][largest]["url"], "the answer shows another picture")
            _check(self._shown(slot) == upload["derivatives"], "the profile does not show these derivatives")
        return upload

    def _check_derivatives(self, slot: str, upload: dict[str, Any], original: bytes) -> None:
        sizes = {size.name: (size.width, size.height) for size in SIZES[SLOTS[slot]]}
        _check(upload["derivatives"].keys() == sizes.keys(), f"the derivatives are {list(upload['derivatives'])}")
        for name, derivative in upload["derivatives"].items():
            fetched = send("GET", derivative["url"])
            _check(fetched.status == 200, f"{name}: {fetched.status}")
            _check(fetched.headers["Content-Type"] == derivative["contentType"] == "image/webp", f"{name}: not WebP")
            _check("immutable" in fetched.headers["Cache-Control"], f"{name}: not cacheable")
            _check(len(fetched.body) == derivative["bytes"], f"{name}: {len(fetched.body)} bytes")
            check_picture(name, fetched.body, sizes[name], original)

    def _shown(self, slot: str) -> Any:
        return (self._browser.profile()[slot] or {}).get("derivatives")

    def _replaced(self, slot: str, first: dict[str, Any], second: dict[str, Any]) -> None:
        """Check that the first picture is deleted and the second is kept."""
        delay = float(self.state["parameters"]["PurgeDelaySeconds"])
        with step("the first upload's row is deleted"):
            _check(self._row(first) is None, "the row still exists")
        with step(f"its objects are deleted after {delay:.0f} s"):
            _wait_until(
                lambda: not self._keys(first), delay + DEADLINE_SECONDS, lambda: f"remaining: {self._keys(first)}"
            )
            for derivative in first["derivatives"].values():
                _check(send("GET", derivative["url"]).status in (403, 404), f"{derivative['url']} is still served")
        with step("the second upload's row and objects exist"):
            row = self._row(second)
            _check(row is not None and row["state"]["S"] == "bound", f"its row is {row}")
            keys = self._keys(second)
            for name in [*second["derivatives"], "master"]:
                _check(sum(f"/{name}-" in key for key in keys) == 1, f"no {name} among {keys}")
            _check(self._shown(slot) == second["derivatives"], "the profile does not show the second picture")
        with step("no original is left"):
            left = self._list(self.state["buckets"]["UploadsBucket"], "incoming/")
            _check(not left, f"remaining: {left}")

    def _row(self, upload: dict[str, Any]) -> dict[str, Any] | None:
        key = {
            "owner_id": {"S": self.state["users"][USER]["user_id"]},
            "upload_id": {"S": upload["uploadId"]},
        }
        dynamodb = aws.client("dynamodb", self.state["aws_endpoint"])
        found: dict[str, Any] | None = dynamodb.get_item(
            TableName=self.state["tables"]["UploadsTable"], Key=key, ConsistentRead=True
        ).get("Item")
        return found

    def _keys(self, upload: dict[str, Any]) -> list[str]:
        return self._list(self.state["buckets"]["MediaBucket"], f"media/{upload['uploadId']}/")

    def _list(self, bucket: str, prefix: str) -> list[str]:
        s3 = aws.client("s3", self.state["aws_endpoint"])
        return [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]


def check_picture(name: str, content: bytes, size: tuple[int, int], original: bytes) -> None:
    """Check size, orientation, colours, and that the file has no metadata."""
    with Image.open(io.BytesIO(content), formats=["WEBP"]) as picture, Image.open(io.BytesIO(original)) as source:
        _check(picture.size == size, f"{name}: {picture.size}, not {size}")
        kept = {"exif", "icc_profile", "xmp", "XML:com.adobe.xmp", "comment"} & picture.info.keys()
        _check(not kept and not picture.getexif(), f"{name}: metadata {kept}")
        expected = ImageOps.fit(ImageOps.exif_transpose(source).convert("RGB"), size)
        difference = ImageStat.Stat(ImageChops.difference(picture.convert("RGB"), expected)).mean
    _check(max(difference) < LARGEST_DIFFERENCE, f"{name}: another picture, or rotated: {difference}")
    chunks = [chunk for chunk in (b"EXIF", b"XMP ", b"ICCP") if chunk in content[:64]]
    _check(not chunks, f"{name}: {chunks}")


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print a step, its result and its duration."""
    print(f"  {what} … ", end="", flush=True)
    began = time.monotonic()
    try:
        yield
    except CheckFailed:
        print("failed", flush=True)
        raise
    print(f"ok, {(time.monotonic() - began) * 1000:,.0f} ms", flush=True)


def _expect(answer: Answer, status: int) -> dict[str, Any]:
    _check(answer.status == status, f"{answer.status} instead of {status}: {answer.body.decode(errors='replace')}")
    return answer.json()


def _check(passed: object, message: str) -> None:
    if not passed:
        raise CheckFailed(message)


def _wait_until(condition: Callable[[], bool], seconds: float, message: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise CheckFailed(message())
        time.sleep(0.1)


@contextmanager
def _a_stack(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the running stack, if its purge delay is short enough, or a stack of the demo's own."""
    try:
        state = read_state(folder)
        if float(state["parameters"]["PurgeDelaySeconds"]) <= MAX_PURGE_DELAY:
            print(f"Using the running stack at {state['api']}.")
            yield state
            return
    except StackNotRunning:
        pass
    print("Starting a stack for the demo …", flush=True)
    with launched({"PurgeDelaySeconds": "1"}) as state:
        yield state


def main(arguments: list[str]) -> int:
    """Run the demo. Return 1 if a check failed."""
    parser = argparse.ArgumentParser(
        prog="make demo", description="Walk through the whole service, checking every step."
    )
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder of a running stack's stack.json")
    folder = parser.parse_args(arguments).state
    try:
        with _a_stack(folder) as state:
            Demo(state).run()
    except (CheckFailed, LaunchFailed) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
