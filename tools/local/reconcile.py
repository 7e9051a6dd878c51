"""Holds buckets and tables against each other, and prints what does not fit: `make reconcile ARGS="--mend"`.

Of the local stack that is running, or with --stack of one on AWS, by the credentials and the region of the environment.
It is what the function `reconcile` does, without its checkpoints and without waiting: what is on its way to the purge
is printed as well. Lost events are sent again in any case. Exit status 1 where anything was found.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session

from profile_media.domain.ports import Checkpoint
from profile_media.domain.reconcile import Finding, GracePeriods
from tools.local.state import StackNotRunning, read_state

OUTPUTS = {
    "USERS_TABLE": "UsersTableName",
    "UPLOADS_TABLE": "UploadsTableName",
    "UPLOADS_BUCKET": "UploadsBucketName",
    "MEDIA_BUCKET": "MediaBucketName",
    "PURGE_QUEUE_URL": "PurgeQueueUrl",
    "REDRIVE_QUEUE_URL": "RedriveQueueUrl",
}
"""The settings, and which outputs of the deployed stack they are."""

PLENTY = timedelta(days=365)


class InMemory:
    """Checkpoints that end with the command."""

    def __init__(self) -> None:
        self._kept: dict[str, Checkpoint] = {}

    def load(self, name: str) -> Checkpoint | None:
        """The pass's last one."""
        return self._kept.get(name)

    def save(self, checkpoint: Checkpoint, expires_at: datetime) -> bool:
        """Keeps it."""
        self._kept[checkpoint.name] = checkpoint
        return True


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """What to look at, and what to do about it."""
    parser = argparse.ArgumentParser(prog="reconcile", description=__doc__)
    parser.add_argument("--mend", action="store_true", help="put right what is left over or missing")
    parser.add_argument("--patience", type=int, metavar="SECONDS", help="how long anything may be as it is, at most")
    parser.add_argument("--stack", help="a deployed stack's name; the local one unless given")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="where the local stack keeps stack.json")
    return parser.parse_args(arguments)


def local_settings(state: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The environment in which the running stack is the one that is meant."""
    return {
        "USERS_TABLE": state["tables"]["UsersTable"],
        "UPLOADS_TABLE": state["tables"]["UploadsTable"],
        "UPLOADS_BUCKET": state["buckets"]["UploadsBucket"],
        "MEDIA_BUCKET": state["buckets"]["MediaBucket"],
        "PURGE_QUEUE_URL": state["queues"]["PurgeQueue"],
        "REDRIVE_QUEUE_URL": state["queues"]["RedriveQueue"],
        "AWS_ENDPOINT_URL": str(state["aws_endpoint"]),
        "AWS_DEFAULT_REGION": str(state["region"]),
        "AWS_REGION": str(state["region"]),
        "AWS_ACCESS_KEY_ID": state["credentials"]["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": state["credentials"]["secret_access_key"],
        "AWS_SESSION_TOKEN": "",
    }


def deployed_settings(stack: str) -> dict[str, str]:
    """What a deployed stack says its parts are called."""
    cloudformation: Any = botocore.session.get_session().create_client("cloudformation")
    [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    return {setting: outputs[output] for setting, output in OUTPUTS.items()}


def reconcile(patience: GracePeriods, *, mends: bool) -> list[Finding]:
    """One pass over everything."""
    from profile_media.wiring.reconciling import reconciling  # noqa: PLC0415 - the environment is set by now

    findings: list[Finding] = []
    run = reconciling(findings.append, lambda _: None, InMemory(), mends=mends, patience=patience)
    run.run(lambda: PLENTY)
    return findings


def patience_of(seconds: int | None) -> GracePeriods:
    """The function's own, cut to so many seconds; and none for the purge, which nobody waits for here."""
    usual, most = GracePeriods(), timedelta.max if seconds is None else timedelta(seconds=seconds)
    return GracePeriods(min(usual.event, most), min(usual.original, most), min(usual.objects, most), timedelta())


def table_of(findings: list[Finding]) -> str:
    """A line for each, in columns."""
    rows = [("what", "owner", "upload or key", "slot", "detail", "done")]
    for found in findings:
        subject = found.upload_id or found.key or ""
        rows.append(
            (found.kind.value, found.owner_id or "", subject, found.slot or "", found.detail, found.mended or "")
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Prints what was found; exit status 1 if that is anything, or if there is no stack."""
    chosen = parse_arguments(arguments)
    try:
        os.environ.update(deployed_settings(chosen.stack) if chosen.stack else local_settings(read_state(chosen.state)))
    except StackNotRunning as error:
        print(error, file=sys.stderr)
        return 1
    findings = reconcile(patience_of(chosen.patience), mends=chosen.mend)
    if not findings:
        print("Everything fits together.")
        return 0
    print(table_of(findings))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
