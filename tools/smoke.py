"""Run the main job against a deployed API and remove what it left: `make smoke URL=https://… TOKEN=…`.

TOKEN is a token of a user made for tests. The command uploads two pictures for it, binds one after the other as the
avatar, and puts back what the avatar was before. It checks through the CDN that the objects of the pictures it no
longer needs are purged. Exit status 0 only if every step passed and everything that can be removed is removed. What
stays: the user's row and its quota entry, which expires within two hours.

The CDN keeps an answer for a day, so a URL that was fetched before a purge proves nothing after it. Each picture
therefore keeps some derivatives that are never fetched while its objects should exist.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count, takewhile
from typing import Any
from urllib.parse import urlsplit

from tools.local.browser import Answer, Browser, send
from tools.main_job import MainJob, Runbook, StepFailed, check, expect, photograph, step
from tools.stages import StageInvalid, deployed, read_stage

MAX_PURGE_DELAY = 900
"""Seconds: the default, and the largest value, of the template's PurgeDelaySeconds."""

FIRST_LOOK = 30
"""Seconds from the end of the purge delay to the first look through a CDN. The stream and the queue take about ten."""

POLL_SECONDS = 0.5

CACHE_HEADERS = ("Age", "CF-Cache-Status", "Via", "X-Cache")
"""Headers of answers that passed a cache."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Removed:
    """An upload that nothing points at any more."""

    name: str
    unfetched: Sequence[str]
    """URLs of derivatives that were never fetched."""
    at: float
    """When it was removed, on the monotonic clock."""


@dataclass
class Smoke:
    """One run of the command."""

    job: MainJob
    purge_delay: float = MAX_PURGE_DELAY
    patience: float = 300.0
    """Seconds after the purge delay until objects must be gone."""
    is_cached: bool = False
    """Whether pictures are fetched through a cache."""
    is_changed: bool = False
    """Whether the slot may hold a picture of this run."""
    removed: list[Removed] = field(default_factory=list)

    def run(self) -> None:
        """Run all steps. Raise StepFailed at the first one that fails, after putting the slot back."""
        began = time.monotonic()
        with step("read the profile", Runbook.BIND):
            before = self.job.held()
            copy = _fetch_picture(before)
        try:
            self._run(before, copy)
        except StepFailed as failed:
            raise StepFailed(f"{failed}\n{self._put_back_after_failure(before, copy)}") from failed
        print(f"\nAll steps passed and their traces are removed, in {time.monotonic() - began:,.1f} seconds.")

    def _run(self, before: Mapping[str, Any] | None, copy: bytes | None) -> None:
        first, first_left = self._place("portrait.jpg", 0)
        second, second_left = self._place("second.jpg", 1)
        self._remove(first, "the first picture", first_left)
        self._put_back(before, copy)
        self._remove(second, "the second picture", second_left)
        for each in self.removed:
            with step(f"wait until the objects of {each.name} are purged", Runbook.PURGE):
                self._wait_until_purged(each)

    def _place(self, name: str, offset: int) -> tuple[dict[str, Any], list[str]]:
        """Take a photograph to the profile. Return the upload, and the URLs of the half that is not fetched."""
        content = photograph(name)
        upload = self.job.upload(name, content)
        names = list(upload["derivatives"])
        fetched = self.job.check_derivatives(upload, content, names[offset::2])
        self.is_cached = self.is_cached or any(map(_passed_cache, fetched))
        self.is_changed = True
        self.job.bind(upload)
        return upload, [upload["derivatives"][name]["url"] for name in names[1 - offset :: 2]]

    def _remove(self, upload: Mapping[str, Any], name: str, unfetched: Sequence[str]) -> None:
        """Check that the upload's row was deleted when another picture took its place."""
        with step(f"{name} is no longer an upload", Runbook.RELEASE):
            expect(self.job.browser.call("GET", f"/media/uploads/{upload['uploadId']}"), HTTPStatus.NOT_FOUND)
        self.removed.append(Removed(name, unfetched, time.monotonic()))

    def _put_back(self, before: Mapping[str, Any] | None, copy: bytes | None) -> None:
        """Make the avatar what it was: empty, an external picture, or a copy of its largest derivative."""
        if copy:
            upload = self.job.upload("a copy of the former picture", copy, "image/webp")
            self.job.bind(upload)
            self.is_changed = False
            print("  The former picture was uploaded again from its largest derivative, so its URLs are new.")
            return
        with step("put the former avatar back" if before else "empty the avatar", Runbook.BIND):
            call = self.job.browser.call
            if before:
                expect(call("PATCH", "/api/v1/users/avatar", {"avatarUrl": before["url"]}), HTTPStatus.OK)
            else:
                expect(call("PATCH", "/api/v1/users/me/profile-picture", {"uploadId": None}), HTTPStatus.OK)
            check(self.job.held() == before, f"the profile shows {self.job.held()}")
        self.is_changed = False

    def _put_back_after_failure(self, before: Mapping[str, Any] | None, copy: bytes | None) -> str:
        """Put the slot back if it changed. Return what an operator must know about what is left."""
        left = "Uploads that were not bound expire on their own (PendingTtlSeconds, SettledTtlSeconds)."
        try:
            if self.is_changed:
                self._put_back(before, copy)
        except StepFailed as failed:
            return f"The avatar could not be put back: {failed}\n{left}"
        return f"The avatar is as it was. {left}"

    def _wait_until_purged(self, removed: Removed) -> None:
        """Look at derivatives that were not fetched before, until none of them is served."""
        waiting = list(removed.unfetched)
        for moment in self._moments(removed.at + self.purge_delay):
            time.sleep(max(0.0, moment - time.monotonic()))
            while waiting and _is_gone(waiting[0]):
                waiting.pop(0)
            if not waiting:
                return
            if self.is_cached and len(waiting) > 1:
                waiting.pop(0)  # the CDN keeps the answer from now on
        seconds = time.monotonic() - removed.at
        check(False, f"{waiting[0]} is still served {seconds:,.0f} s after its upload was removed")

    def _moments(self, due: float) -> Iterator[float]:
        """Yield the times of looks: two through a CDN, else all the time."""
        deadline = max(due + self.patience, time.monotonic() + POLL_SECONDS)
        if self.is_cached:
            return iter((min(due + FIRST_LOOK, deadline), deadline))
        return takewhile(lambda moment: moment < deadline, count(time.monotonic(), POLL_SECONDS))


def _fetch_picture(held: Mapping[str, Any] | None) -> bytes | None:
    """Return the largest derivative of the upload that a slot holds; None if it holds none."""
    if not held or not held.get("derivatives"):
        return None
    largest = max(held["derivatives"].values(), key=lambda each: int(each["width"]))
    fetched = send("GET", largest["url"])
    check(fetched.status == HTTPStatus.OK, f"{fetched.status} for the present avatar")
    return fetched.body


def _passed_cache(answer: Answer) -> bool:
    return any(answer.headers[name] for name in CACHE_HEADERS)


def _is_gone(url: str) -> bool:
    """Return whether the picture is not served. S3 answers 403 if the CDN has no right to list the bucket."""
    return send("GET", url).status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the options. Exit with status 2 if an argument is invalid."""
    parser = argparse.ArgumentParser(
        prog="make smoke", description="Run the main job against a deployed API. The variable TOKEN has the token."
    )
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--url", help="base URL of the API: the stack's output ApiUrl")
    target.add_argument("--stage", help="stage of samconfig.toml; URL and purge delay are those of its stack")
    parser.add_argument("--purge-delay", type=float, default=MAX_PURGE_DELAY, metavar="SECONDS",
                        help="the stack's PurgeDelaySeconds (%(default)s)")  # fmt: skip
    parser.add_argument("--patience", type=float, default=300.0, metavar="SECONDS",
                        help="time after the purge delay until objects must be gone (%(default)s)")  # fmt: skip
    parser.add_argument("--origin", help="origin of a web page, to check that it may read S3's answer")
    chosen = parser.parse_args(arguments)
    if chosen.stage:
        chosen.url, chosen.purge_delay = deployed(read_stage(chosen.stage))
    url = urlsplit(chosen.url)
    if url.scheme != "https" and url.hostname not in LOOPBACK:
        parser.error("URL must start with https://, because the token is sent to it")
    return chosen


def main(arguments: list[str]) -> int:
    """Run the command. Return 1 if a step failed."""
    try:
        chosen = parse_arguments(arguments)
    except StageInvalid as error:
        print(error, file=sys.stderr)
        return 2
    token = os.environ.get("TOKEN", "").strip()
    if not token:
        print("TOKEN is empty: give it a token of a user made for tests.", file=sys.stderr)
        return 2
    browser = Browser({"api": chosen.url.rstrip("/")}, token)
    print(f"Checking {chosen.url}")
    try:
        Smoke(MainJob(browser, "avatar", chosen.origin), chosen.purge_delay, chosen.patience).run()
    except StepFailed as failed:
        print(f"\n{failed}".replace(token, "…"), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
