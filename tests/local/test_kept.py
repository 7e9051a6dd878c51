"""Kept state: what is saved comes back, an interrupted save changes nothing, and only its own files are deleted."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tools.local import aws
from tools.local.browser import send
from tools.local.kept import Kept, kept_tokens, reset, saved_in
from tools.local.resources import create_all
from tools.local.state import StackRunning, locked
from tools.template import Template

pytestmark = pytest.mark.enable_socket

ReadTemplate = Callable[..., Template]

TEMPLATE = """
    Resources:
      Rows:
        Type: AWS::DynamoDB::Table
        Properties:
          BillingMode: PAY_PER_REQUEST
          AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
          KeySchema: [{AttributeName: id, KeyType: HASH}]
      Pictures: {Type: AWS::S3::Bucket}
      Jobs: {Type: AWS::SQS::Queue}
"""
TOKENS = {"keys": {"RS256": "pem"}, "ports": {"api": 3000}}
ROW = {"id": {"S": "1"}, "sizes": {"L": [{"N": "512"}, {"NULL": True}]}}


@pytest.fixture
def kept(empty_aws: str, read_template: ReadTemplate, tmp_path: Path) -> Kept:
    template = read_template(TEMPLATE, endpoint=empty_aws)
    create_all(template)
    return Kept(tmp_path / "kept", template, TOKENS)


def _put(kept: Kept, key: str, body: bytes) -> None:
    s3 = aws.client("s3", kept.template.endpoint)
    headers = {"ContentType": "image/webp", "CacheControl": "immutable", "StorageClass": "STANDARD_IA"}
    s3.put_object(Bucket=kept.template.name("Pictures"), Key=key, Body=body, **headers)


def test_saved_state_is_restored_into_an_empty_stack(kept: Kept) -> None:
    endpoint, template = kept.template.endpoint, kept.template
    s3, sqs = aws.client("s3", endpoint), aws.client("sqs", endpoint)
    dynamodb, queue = aws.client("dynamodb", endpoint), {"QueueUrl": template.queue_url("Jobs")}
    assert not kept.restore()
    dynamodb.put_item(TableName=template.name("Rows"), Item=ROW)
    _put(kept, "media/a", b"first")
    kept.save()
    _put(kept, "media/b", b"second")
    sqs.send_message(**queue, MessageBody="purge")
    kept.save(with_messages=True)

    send("POST", f"{endpoint}/moto-api/reset", b"")
    create_all(template)
    assert kept.restore()

    assert dynamodb.scan(TableName=template.name("Rows"))["Items"] == [ROW]
    for key, body in (("media/a", b"first"), ("media/b", b"second")):
        found = s3.get_object(Bucket=template.name("Pictures"), Key=key)
        headers = (found["ContentType"], found["CacheControl"], found["StorageClass"])
        assert (found["Body"].read(), *headers) == (body, "image/webp", "immutable", "STANDARD_IA")
    [message] = sqs.receive_message(**queue)["Messages"]
    assert message["Body"] == "purge"
    assert kept_tokens(kept.folder) == TOKENS


def test_state_that_has_not_changed_is_not_saved_again(kept: Kept) -> None:
    _put(kept, "media/a", b"first")
    kept.save()
    saved = saved_in(kept.folder)
    kept.save()
    assert saved_in(kept.folder) == saved
    _put(kept, "media/a", b"other")
    kept.save()
    assert saved_in(kept.folder) != saved


def test_interrupted_save_leaves_the_last_complete_one(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.save()
    saved = saved_in(kept.folder)
    _put(kept, "media/a", b"first")
    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_text", _fail)
        with pytest.raises(OSError, match="disk full"):
            kept.save()
    assert saved_in(kept.folder) == saved
    assert kept.restore()


def _fail(*_: object) -> None:
    raise OSError("disk full")


def test_reset_deletes_only_what_was_saved_and_not_under_a_running_stack(kept: Kept) -> None:
    kept.save()
    (kept.folder / "mine").touch()
    with locked(kept.folder), pytest.raises(StackRunning):
        reset(kept.folder)
    reset(kept.folder)
    assert not kept.restore()
    assert sorted(path.name for path in kept.folder.iterdir()) == ["lock", "mine"]
