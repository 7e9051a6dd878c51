"""`make reconcile` against moto: output, repairs and exit status."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from profile_media.aws import settings
from profile_media.domain.findings import Finding, FindingKind, GracePeriods
from profile_media.domain.keys import incoming_key, media_key
from tests.builders import ADA, a_derivative, an_id
from tests.template.document import text
from tools import target
from tools.local import aws, reconcile
from tools.local.addresses import Addresses
from tools.local.reconcile import patience_of
from tools.local.resources import create_all
from tools.local.state import write_state
from tools.target import OUTPUTS, local_settings
from tools.template import BUCKET, QUEUE, ROOT, TABLE, Template, read, written

pytestmark = pytest.mark.enable_socket

CONSTANT = {"RECONCILE_MENDS", "PURGE_DELAY_SECONDS"}
"""Settings that the command does not take from the stack."""


@dataclass
class Stack:
    """The template's tables, buckets and queues, and a state file with their names."""

    template: Template
    folder: Path

    def client(self, service: str) -> Any:
        return aws.client(service, self.template.endpoint)

    def put(self, bucket: str, key: str) -> None:
        self.client("s3").put_object(Bucket=self.template.name(bucket), Key=key, Body=b"x")

    def queued(self, queue: str) -> list[Any]:
        url = self.template.queue_url(queue)
        messages = self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    def reconcile(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command in a process."""
        command = [sys.executable, "-m", "tools.local.reconcile", "--state", str(self.folder), *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def stack(empty_aws: str, tmp_path: Path) -> Stack:
    local = Addresses("", "http://p", "", "http://127.0.0.1:1", "").local_parameters()
    template = read(
        ROOT / "template.yaml", {"PurgeDelaySeconds": "0", "MediaBaseUrl": ""}, empty_aws, aws.REGION, local
    )
    create_all(template)

    def names(type_: str) -> dict[str, str]:
        return {found.logical_id: template.name(found.logical_id) for found in template.of_type(type_)}

    queues = {name: template.queue_url(name) for name in names(QUEUE)}
    state = {"tables": names(TABLE), "buckets": names(BUCKET), "queues": queues, "credentials": aws.CREDENTIALS}
    write_state(tmp_path, {**state, "aws_endpoint": empty_aws, "region": aws.REGION, "pid": os.getpid()})
    return Stack(template, tmp_path)


def test_findings_are_printed_as_a_table_and_repaired_with_mend(stack: Stack) -> None:
    stack.put("MediaBucket", media_key(an_id(2), a_derivative()))
    stack.put("UploadsBucket", incoming_key(ADA, an_id(1)))
    ended = stack.reconcile("--patience", "0", "--mend")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert [line.split() for line in ended.stdout.splitlines()] == [
        ["what", "owner", "upload", "or", "key", "slot", "detail", "done"],
        ["original_left", ADA, an_id(1), "no", "row", "redriven"],
        ["objects_without_row", an_id(2), "1", "objects", "queued"],
    ]
    [event] = stack.queued("RedriveQueue")
    assert event["Records"][0]["s3"]["object"]["key"] == incoming_key(ADA, an_id(1))
    [request] = stack.queued("PurgeQueue")
    assert (request["owner_id"], request["upload_id"]) == (None, an_id(2))


@dataclass
class Recorder:
    """Replaces the reconcile pass and records its arguments."""

    answer: list[Finding]
    calls: list[tuple[GracePeriods, bool]] = field(default_factory=list)

    def reconcile(self, patience: GracePeriods, *, mends: bool) -> list[Finding]:
        self.calls.append((patience, mends))
        return self.answer


@pytest.mark.parametrize(
    ("findings", "status", "printed"),
    [([], 0, "Nothing is orphaned or missing."), ([Finding(FindingKind.KEY_UNKNOWN, key="media/x")], 1, "key_unknown")],
)
def test_exit_status_is_one_if_anything_was_found(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    findings: list[Finding],
    status: int,
    printed: str,
) -> None:
    asked = Recorder(findings)
    environment: dict[str, str] = {}
    monkeypatch.setattr(target, "os", SimpleNamespace(environ=environment))
    monkeypatch.setattr(reconcile, "reconcile", asked.reconcile)
    monkeypatch.setattr(target, "deployed_settings", lambda stack: {"UPLOADS_TABLE": f"{stack}-uploads"})
    assert reconcile.main(["--stack", "pictures"]) == status
    assert reconcile.main(["--stack", "pictures", "--mend"]) == status
    assert environment == {"UPLOADS_TABLE": "pictures-uploads"}
    assert asked.calls == [(patience_of(None), False), (patience_of(None), True)]
    assert printed in capsys.readouterr().out


def test_command_needs_a_running_stack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert reconcile.main(["--state", str(tmp_path)]) == 1
    assert "make up" in capsys.readouterr().err


def test_deployed_stack_has_an_output_for_every_setting() -> None:
    environment = written()["Resources"]["ReconcileFunction"]["Properties"]["Environment"]["Variables"]
    outputs = {setting: text(written()["Outputs"][output]["Value"]) for setting, output in OUTPUTS.items()}
    needed = {name: text(value) for name, value in environment.items() if name not in CONSTANT}
    assert outputs == needed


def test_local_stack_has_every_setting(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in local_settings(json.loads((stack.folder / "stack.json").read_text())).items():
        monkeypatch.setenv(name, value)
    assert settings.load(settings.ReconcilingSettings).redrive_queue_url == stack.template.queue_url("RedriveQueue")


def test_patience_limits_grace_periods_and_never_waits_for_a_purge() -> None:
    usual = GracePeriods()
    assert patience_of(None) == GracePeriods(usual.event, usual.original, usual.objects, patience_of(0).event)
    assert len({patience_of(0).event, patience_of(0).objects, patience_of(None).purge}) == 1
    assert patience_of(1800).event == usual.event
    assert patience_of(1800).original == patience_of(1800).objects
