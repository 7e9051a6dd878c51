"""DELETE /media/uploads/{uploadId}."""

import pytest

from profile_media.domain.model import Reason, State
from profile_media.domain.policy import Limits
from tests import cloud
from tests.builders import ADA, GRACE, an_id
from tests.functions.conftest import Answer, Call, Rows

CANCEL = "cancel_upload"


def cancel(call: Call, upload_id: str) -> Answer:
    return call(CANCEL, pathParameters={"uploadId": upload_id})


def rejected(rows: Rows) -> None:
    rows.processed(rows.pending(), state=State.REJECTED, reason=Reason.CORRUPT)


@pytest.mark.parametrize("add", [Rows.pending, Rows.ready, rejected], ids=["pending", "ready", "rejected"])
def test_cancel_deletes_the_row_and_is_repeatable(call: Call, rows: Rows, aws: cloud.Cloud, add: object) -> None:
    assert callable(add)
    add(rows)
    for _ in range(2):
        answer = cancel(call, an_id(1))
        assert (answer.status, answer.body) == (204, {})
        assert [row["upload_id"]["S"] for row in aws.rows(cloud.UPLOADS_TABLE)] == ["quota"]
    assert call("get_upload", pathParameters={"uploadId": an_id(1)}).status == 404


def test_unknown_and_foreign_uploads_are_answered_alike_and_stay(call: Call, rows: Rows) -> None:
    rows.pending(owner_id=GRACE, upload_id=an_id(2))
    for upload_id in (an_id(2), an_id(3)):
        answer = cancel(call, upload_id)
        assert (answer.status, answer.body) == (204, {})
    assert rows.uploads.get(GRACE, an_id(2))


@pytest.mark.parametrize("text", ["1", an_id(0xABCDEF12).upper()])
def test_text_that_is_no_upload_id_is_a_404(call: Call, text: str) -> None:
    assert cancel(call, text).status == 404


def test_bound_upload_is_a_409_and_stays(call: Call, rows: Rows) -> None:
    rows.bound()
    answer = cancel(call, an_id(1))
    assert (answer.status, answer.body["error"]["code"]) == (409, "UPLOAD_BOUND")
    assert call("get_profile").body["avatar"]["uploadId"] == an_id(1)


def test_cancelled_uploads_free_their_places_at_once(call: Call) -> None:
    limit = Limits().open_intents
    made = [call("create_upload_intent", headers={"Idempotency-Key": None}).body["uploadId"] for _ in range(limit)]
    refused = call("create_upload_intent", headers={"Idempotency-Key": None})
    assert refused.body["error"]["i18nVars"]["limit"] == "open_intents"
    for upload_id in made:
        cancel(call, upload_id)
    assert call("create_upload_intent", headers={"Idempotency-Key": None}).status == 201


def test_key_of_cancelled_upload_makes_a_new_one(call: Call) -> None:
    made = call("create_upload_intent").body["uploadId"]
    cancel(call, made)
    again = call("create_upload_intent")
    assert (again.status, again.body["state"]) == (201, "pending")
    assert again.body["uploadId"] != made


def test_quota_item_always_expires(call: Call, rows: Rows, aws: cloud.Cloud) -> None:
    rows.pending()
    aws.dynamodb.delete_item(TableName=cloud.UPLOADS_TABLE, Key={"owner_id": {"S": ADA}, "upload_id": {"S": "quota"}})
    assert cancel(call, an_id(1)).status == 204
    assert all("expires_at" in row for row in aws.rows(cloud.UPLOADS_TABLE))
