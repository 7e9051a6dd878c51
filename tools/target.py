"""The stack that a command works on: the running local stack, or with `--stack` a stack on AWS.

On AWS the command uses the environment's credentials and region.
"""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from tools.local.state import read_state

OUTPUTS = {
    "USERS_TABLE": "UsersTableName",
    "UPLOADS_TABLE": "UploadsTableName",
    "UPLOADS_BUCKET": "UploadsBucketName",
    "MEDIA_BUCKET": "MediaBucketName",
    "PURGE_QUEUE_URL": "PurgeQueueUrl",
    "REDRIVE_QUEUE_URL": "RedriveQueueUrl",
}
"""Environment variables, and the outputs of a deployed stack that contain their values."""

PURGE_DELAY = {"PURGE_DELAY_SECONDS": "0"}
"""The command does not wait for purges."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the stack."""
    parser.add_argument("--stack", help="name of a deployed stack; default: the local stack")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="folder of the local stack's stack.json")


def use_stack(chosen: argparse.Namespace) -> dict[str, str]:
    """Set the environment variables for the chosen stack and return them. Raise StackNotRunning."""
    found = deployed_settings(chosen.stack) if chosen.stack else local_settings(read_state(chosen.state))
    os.environ.update(found)
    return found


def local_settings(state: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the environment variables for the running local stack."""
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
        **PURGE_DELAY,
    }


def deployed_settings(stack: str) -> dict[str, str]:
    """Return the environment variables for a deployed stack."""
    cloudformation: Any = boto3.client("cloudformation")
    [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    return {**{setting: outputs[output] for setting, output in OUTPUTS.items()}, **PURGE_DELAY}
