"""The whole flow without a browser, every step checked and timed: `make demo`.

For avatar and cover image: ask for an upload, post a photograph to the S3 edge, wait until it is ready, fetch what
was made of it, bind it, see it in the profile; then a second photograph takes its place, and after the delay the first
one's objects and row are gone while the second's are all there. Exit status 0 only if all of it was so.
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

PATIENT = 60
"""Seconds of purge delay above which a stack of the demo's own is quicker than the running one."""

PURGE_SECONDS = 30
"""For a purge to happen, beyond the queue's delay: streams and queues are polled, and machines may be busy."""

LARGEST_DIFFERENCE = 12.0
"""Of 255, on average, between a derivative and the same made here; lying on its side it is above 40."""


class NotSo(Exception):
    """A step had another outcome than it should have; says which."""


@dataclass
class Demo:
    """One run against a stack."""

    state: dict[str, Any]
    _began: float = 0.0

    def run(self) -> None:
        """Everything; raises NotSo at the first thing that is not as it should be."""
        self._began = time.monotonic()
        for slot in SLOTS:
            print(f"\n{slot}")
            first = self._picture(slot, "portrait.jpg")
            second = self._picture(slot, "second.jpg")
            self._replaced(slot, first, second)
        print(f"\nAll of it is so, after {time.monotonic() - self._began:.1f} seconds.")

    @property
    def _browser(self) -> Browser:
        return Browser.of(self.state, USER)

    def _picture(self, slot: str, name: str) -> dict[str, Any]:
        """Takes a photograph from its file to the profile; gives the upload."""
        content = (PHOTOGRAPHS / name).read_bytes()
        with step(f"{name}: ask for an upload of {len(content):,} bytes"):
            intent = _expect(self._browser.intend(slot, content), 201)
        with step("post it to the storage, from the page's origin"):
            stored = post_form(intent["upload"], content, self.state["page"])
            _be(stored.status == 201 and stored.headers["ETag"], f"the storage said {stored.status}: {stored.body!r}")
            _be(stored.headers["Access-Control-Allow-Origin"] == self.state["page"], "the page may not read the answer")
        with step("wait until it is ready"):
            upload = _expect(self._browser.settled(intent["uploadId"]), 200)
            _be(upload["state"] == "ready", f"it is {upload['state']}: {upload.get('reason')}")
        with step(f"fetch what was made of it: {', '.join(upload['derivatives'])}"):
            self._check_derivatives(slot, upload, content)
        with step("make it the profile's"):
            bound = _expect(self._browser.bind(slot, upload["publicId"]), 200)
            largest = SIZES[SLOTS[slot]][0].name
            _be(bound[slot]["url"] == upload["derivatives"][largest]["url"], "the profile shows another picture")
            _be(self._shown(slot) == upload["derivatives"], "the profile does not show these derivatives")
        return upload

    def _check_derivatives(self, slot: str, upload: dict[str, Any], original: bytes) -> None:
        sizes = {size.name: (size.width, size.height) for size in SIZES[SLOTS[slot]]}
        _be(upload["derivatives"].keys() == sizes.keys(), f"there are {list(upload['derivatives'])}")
        for name, derivative in upload["derivatives"].items():
            fetched = send("GET", derivative["url"])
            _be(fetched.status == 200, f"{name}: {fetched.status}")
            _be(fetched.headers["Content-Type"] == derivative["contentType"] == "image/webp", f"{name}: not WebP")
            _be("immutable" in fetched.headers["Cache-Control"], f"{name}: caches may not keep it")
            _be(len(fetched.body) == derivative["bytes"], f"{name}: {len(fetched.body)} bytes")
            check_picture(name, fetched.body, sizes[name], original)

    def _shown(self, slot: str) -> Any:
        return (self._browser.profile()[slot] or {}).get("derivatives")

    def _replaced(self, slot: str, first: dict[str, Any], second: dict[str, Any]) -> None:
        """The first picture goes, the second stays."""
        delay = float(self.state["parameters"]["PurgeDelaySeconds"])
        with step("the first one's row is gone"):
            _be(self._row(first) is None, "it is still there")
        with step(f"after the delay of {delay:.0f} s, its objects are gone"):
            _eventually(lambda: not self._keys(first), delay + PURGE_SECONDS, lambda: f"left: {self._keys(first)}")
            for derivative in first["derivatives"].values():
                _be(send("GET", derivative["url"]).status in (403, 404), f"{derivative['url']} is still served")
        with step("the second one's row and objects are all there"):
            row = self._row(second)
            _be(row is not None and row["state"]["S"] == "bound", f"its row is {row}")
            keys = self._keys(second)
            for name in [*second["derivatives"], "master"]:
                _be(sum(f"/{name}-" in key for key in keys) == 1, f"no {name} among {keys}")
            _be(self._shown(slot) == second["derivatives"], "the profile does not show it")
        with step("no original was kept"):
            left = self._list(self.state["buckets"]["UploadsBucket"], "incoming/")
            _be(not left, f"left: {left}")

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
    """The size it should have, upright, in the colours of the original, and with nothing in it but pixels."""
    with Image.open(io.BytesIO(content), formats=["WEBP"]) as picture, Image.open(io.BytesIO(original)) as source:
        _be(picture.size == size, f"{name}: {picture.size}, not {size}")
        kept = {"exif", "icc_profile", "xmp", "XML:com.adobe.xmp", "comment"} & picture.info.keys()
        _be(not kept and not picture.getexif(), f"{name}: metadata {kept}")
        expected = ImageOps.fit(ImageOps.exif_transpose(source).convert("RGB"), size)
        difference = ImageStat.Stat(ImageChops.difference(picture.convert("RGB"), expected)).mean
    _be(max(difference) < LARGEST_DIFFERENCE, f"{name}: not the picture that was sent, or not upright: {difference}")
    chunks = [chunk for chunk in (b"EXIF", b"XMP ", b"ICCP") if chunk in content[:64]]
    _be(not chunks, f"{name}: {chunks}")


@contextmanager
def step(what: str) -> Iterator[None]:
    """Prints what is done, then how it went and how long it took."""
    print(f"  {what} … ", end="", flush=True)
    began = time.monotonic()
    try:
        yield
    except NotSo:
        print("no", flush=True)
        raise
    print(f"ok, {(time.monotonic() - began) * 1000:,.0f} ms", flush=True)


def _expect(answer: Answer, status: int) -> dict[str, Any]:
    _be(answer.status == status, f"{answer.status} instead of {status}: {answer.body.decode(errors='replace')}")
    return answer.json()


def _be(is_so: object, otherwise: str) -> None:
    if not is_so:
        raise NotSo(otherwise)


def _eventually(is_so: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise NotSo(otherwise())
        time.sleep(0.1)


@contextmanager
def _a_stack(folder: Path) -> Iterator[dict[str, Any]]:
    """The running stack if it forgets pictures soon enough to watch, or else one of the demo's own."""
    try:
        state = read_state(folder)
        if float(state["parameters"]["PurgeDelaySeconds"]) <= PATIENT:
            print(f"With the stack that runs, at {state['api']}.")
            yield state
            return
    except StackNotRunning:
        pass
    print("Starting a stack for the demo …", flush=True)
    with launched({"PurgeDelaySeconds": "1"}) as state:
        yield state


def main(arguments: list[str]) -> int:
    """Runs the demo; exit status 1 if anything was not so."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--state", type=Path, default=Path(".local"), help="where a running stack keeps stack.json")
    folder = parser.parse_args(arguments).state
    try:
        with _a_stack(folder) as state:
            Demo(state).run()
    except (NotSo, LaunchFailed) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
