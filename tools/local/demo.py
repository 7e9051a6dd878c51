"""Walk through the whole service without a browser, checking every step: `make demo`.

For avatar and cover image: create an upload intent, post a photograph, wait until it is ready, fetch its derivatives,
bind it and read the profile. Then replace it with a second photograph, and check that the first one's row and objects
are deleted after the purge delay. Exit status 0 only if every check passed.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from profile_media.domain.keys import media_prefixes
from tools.local import aws
from tools.local.browser import Browser, send
from tools.local.launch import LaunchFailed, launched
from tools.local.state import StackNotRunning, read_state
from tools.main_job import SLOTS, MainJob, Runbook, StepFailed, check, photograph, step, wait_until

USER = "grace"

MAX_PURGE_DELAY = 60
"""Seconds. If the running stack's purge delay is longer, the demo starts a stack of its own."""

DEADLINE_SECONDS = 300
"""Maximum wait for something that happens in the background. It takes a second on an idle machine."""


@dataclass
class Demo:
    """One run of the demo."""

    state: dict[str, Any]
    _began: float = 0.0

    def run(self) -> None:
        """Run all steps. Raise StepFailed at the first one that fails."""
        self._began = time.monotonic()
        for slot in SLOTS:
            print(f"\n{slot}")
            job = MainJob(Browser.of(self.state, USER), slot, self.state["page"])
            first = self._picture(job, "portrait.jpg")
            second = self._picture(job, "second.jpg")
            self._replaced(job, first, second)
        print(f"\nAll checks passed in {time.monotonic() - self._began:.1f} seconds.")

    def _picture(self, job: MainJob, name: str) -> dict[str, Any]:
        """Take a photograph from its file to the profile. Return the upload."""
        content = photograph(name)
        upload = job.upload(name, content)
        job.check_derivatives(upload, content, upload["derivatives"])
        job.bind(upload)
        return upload

    def _replaced(self, job: MainJob, first: dict[str, Any], second: dict[str, Any]) -> None:
        """Check that the first picture is deleted and the second is kept."""
        delay = float(self.state["parameters"]["PurgeDelaySeconds"])
        with step("the first upload's row is deleted", Runbook.BIND):
            check(self._row(first) is None, "the row still exists")
        with step(f"its objects are deleted after {delay:.0f} s", Runbook.PURGE):
            wait_until(
                lambda: not self._keys(first), delay + DEADLINE_SECONDS, lambda: f"remaining: {self._keys(first)}"
            )
            for derivative in first["derivatives"].values():
                check(send("GET", derivative["url"]).status in (403, 404), f"{derivative['url']} is still served")
        with step("the second upload's row and objects exist", Runbook.FINDINGS):
            row = self._row(second)
            check(row is not None and row["state"]["S"] == "bound", f"its row is {row}")
            keys = self._keys(second)
            for name in [*second["derivatives"], "master"]:
                check(sum(f"/{name}-" in key for key in keys) == 1, f"no {name} among {keys}")
            check(job.derivatives() == second["derivatives"], "the profile does not show the second picture")
        with step("no original is left", Runbook.PROCESS):
            left = self._list(self.state["buckets"]["UploadsBucket"], "incoming/")
            check(not left, f"remaining: {left}")

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
        bucket = self.state["buckets"]["MediaBucket"]
        return [key for prefix in media_prefixes(upload["uploadId"]) for key in self._list(bucket, prefix)]

    def _list(self, bucket: str, prefix: str) -> list[str]:
        s3 = aws.client("s3", self.state["aws_endpoint"])
        return [found["Key"] for found in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]


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
    except (StepFailed, LaunchFailed) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
