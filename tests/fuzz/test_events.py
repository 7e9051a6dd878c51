"""Parse any event of S3, the stream and the queue: each record names what it says, or nothing."""

import json
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_media.aws.purge_queue import parse_body
from profile_media.domain.keys import incoming_key, is_upload_id, parse_incoming_key
from profile_media.domain.ports import PurgeRequest
from profile_media.triggers.messages import each_message
from profile_media.triggers.records import created_objects, removed_uploads
from tests.fuzz.grammars import json_values, mutated, owners, upload_ids, whole

texts = st.text(whole, max_size=20)
incoming_keys = st.builds(incoming_key, owners, upload_ids)
event_names = st.sampled_from(
    ("ObjectCreated:Post", "ObjectCreated:Put", "ObjectRemoved:Delete", "ObjectCreated", "s3:TestEvent", "", None)
)
stored = st.tuples(event_names, texts, incoming_keys | mutated(incoming_keys) | texts)


def an_s3_record(name: str | None, bucket: str, key: str) -> dict[str, Any]:
    return {"eventName": name, "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 0}}}


@given(st.lists(stored, max_size=4))
def test_created_objects_are_named_by_their_decoded_keys(records: list[tuple[str | None, str, str]]) -> None:
    keys = [key.encode(errors="replace").decode() for *_, key in records]
    event = {
        "Records": [
            an_s3_record(name, bucket, quote_plus(key)) for (name, bucket, _), key in zip(records, keys, strict=True)
        ]
    }
    assert list(created_objects(event)) == [
        (bucket, key, None)
        for (name, bucket, _), key in zip(records, keys, strict=True)
        if name and name.startswith("ObjectCreated:")
    ]


@given(mutated(incoming_keys.map(quote_plus)))
def test_encoded_key_is_an_original_or_ignored(encoded: str) -> None:
    for _, key, _ in created_objects({"Records": [an_s3_record("ObjectCreated:Post", "uploads", encoded)]}):
        parsed = parse_incoming_key(key)
        assert parsed is None or incoming_key(*parsed) == key


@pytest.mark.parametrize(
    "event", [{}, {"Records": None}, {"Records": []}, {"Service": "Amazon S3", "Event": "s3:TestEvent"}]
)
def test_an_event_without_records_does_nothing(event: dict[str, Any]) -> None:
    assert list(created_objects(event)) == []
    assert removed_uploads(event) == {}


gone = st.tuples(
    st.sampled_from(("REMOVE", "INSERT", "MODIFY", "remove", "")),
    owners,
    upload_ids | mutated(upload_ids) | texts.map("idempotency#{}".format) | texts,
)


@given(st.lists(gone, max_size=5))
def test_exactly_the_removed_uploads_are_released(records: list[tuple[str, str, str]]) -> None:
    event = {
        "Records": [
            {
                "eventName": name,
                "dynamodb": {
                    "SequenceNumber": str(number),
                    "Keys": {"owner_id": {"S": owner}, "upload_id": {"S": row}},
                },
            }
            for number, (name, owner, row) in enumerate(records)
        ]
    }
    assert removed_uploads(event) == {
        str(number): PurgeRequest(owner, row)
        for number, (name, owner, row) in enumerate(records)
        if name == "REMOVE" and is_upload_id(row)
    }


messages = st.builds(lambda owner, upload: json.dumps({"owner_id": owner, "upload_id": upload}), owners, upload_ids)


@given(st.lists(messages | mutated(messages) | json_values().map(json.dumps), min_size=1, max_size=5))
def test_only_messages_that_name_an_upload_are_handled(bodies: list[str]) -> None:
    handled = []
    records = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]

    failed = each_message({"Records": records}, lambda body: handled.append(parse_body(body)))

    assert len(handled) + len(failed["batchItemFailures"]) == len(bodies)
    for removed in handled:
        assert parse_body(json.dumps(vars_of(removed))) == removed


def vars_of(removed: PurgeRequest) -> dict[str, object]:
    return {"owner_id": removed.owner_id, "upload_id": removed.upload_id}


@given(mutated(messages) | st.text())
def test_message_names_an_upload_or_raises_value_error(body: str) -> None:
    try:
        removed = parse_body(body)
    except ValueError:
        return
    assert json.loads(body) == vars_of(removed)


@pytest.mark.parametrize("opening", ["[", '{"owner_id":', '{"a":['])
def test_deeply_nested_message_raises_value_error(opening: str) -> None:
    with pytest.raises(ValueError, match="not a purge request"):
        parse_body(opening * 100_000)
