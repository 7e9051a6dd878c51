"""Which errors of AWS are transient, how transactions are repeated, and which of their writes failed."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from profile_media.aws import session, tables
from profile_media.aws.models import UploadItem, UserItem, use_tables
from profile_media.aws.tables import Delete, Save, Update
from profile_media.domain.errors import Unavailable
from tests import cloud
from tests.builders import ADA, GRACE, NOW, an_id, an_upload

TRANSIENT = [
    "503",
    "InternalError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottlingException",
    "TransactionConflictException",
]
DELETE = Delete(UploadItem(ADA, an_id(1)))
SAVE = Save(UploadItem.of(an_upload(upload_id=an_id(2))))
UPDATE = Update(UserItem(ADA), [UserItem.updated_at.set(NOW)])
OTHER_UPDATE = Update(UserItem(GRACE), [UserItem.updated_at.set(NOW)])


@pytest.fixture
def dynamodb() -> Iterator[Stubber]:
    """Answer the requests to DynamoDB from a list; every answer has to be used."""
    use_tables(users=cloud.USERS_TABLE, uploads=cloud.UPLOADS_TABLE)
    with Stubber(tables.connection().client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the waiting between attempts. Return the times."""
    waited: list[float] = []
    monkeypatch.setattr("profile_media.aws.tables.time.sleep", waited.append)
    return waited


def cancel(dynamodb: Stubber, *reasons: str, operation: str = "transact_write_items") -> None:
    """Let the next transaction be cancelled; one reason for each item, "None" for an item that is no reason."""
    codes = [{"Code": reason} for reason in reasons]
    dynamodb.add_client_error(operation, "TransactionCanceledException", modeled_fields={"CancellationReasons": codes})


@pytest.mark.parametrize("code", TRANSIENT)
def test_transient_error_is_unavailable(dynamodb: Stubber, code: str) -> None:
    dynamodb.add_client_error("get_item", code)
    with pytest.raises(Unavailable, match=code):
        tables.read(UserItem, ADA)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "ResourceNotFoundException"])
def test_permanent_error_is_not_changed(dynamodb: Stubber, code: str) -> None:
    for operation in ("get_item", "update_item", "transact_write_items"):
        dynamodb.add_client_error(operation, code)
    for attempt in (
        lambda: tables.read(UserItem, ADA),
        lambda: tables.write(UPDATE),
        lambda: tables.transact(updates=[UPDATE]),
    ):
        with pytest.raises(ClientError, match=code):
            attempt()


def test_missing_answer_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="EndpointConnectionError"), session.available():
        raise EndpointConnectionError(endpoint_url="https://dynamodb.example.com")


def test_transaction_is_repeated_after_conflict_and_throttling(dynamodb: Stubber, pauses: list[float]) -> None:
    cancel(dynamodb, "None", "TransactionConflict")
    cancel(dynamodb, "ThrottlingError", "None")
    dynamodb.add_response("transact_write_items", {})
    assert tables.transact(updates=[UPDATE, OTHER_UPDATE]) == ()
    assert len(pauses) == 2
    assert all(0 <= pause < 0.1 for pause in pauses)


def test_reading_transaction_is_repeated_after_conflict(dynamodb: Stubber, pauses: list[float]) -> None:
    cancel(dynamodb, "None", "TransactionConflict", operation="transact_get_items")
    dynamodb.add_response("transact_get_items", {"Responses": [{"Item": {"user_id": {"S": ADA}}}, {}]})
    user, upload = tables.read_both((UserItem, (ADA,)), (UploadItem, (ADA, an_id(1))))
    assert user
    assert (user.user_id, upload, len(pauses)) == (ADA, None, 1)


def test_transaction_with_failed_condition_is_not_repeated(dynamodb: Stubber, pauses: list[float]) -> None:
    cancel(dynamodb, "ConditionalCheckFailed", "TransactionConflict")
    assert tables.transact(updates=[UPDATE, OTHER_UPDATE]) == (UPDATE.item,)
    assert pauses == []


def test_invalid_transaction_is_not_repeated(dynamodb: Stubber, pauses: list[float]) -> None:
    cancel(dynamodb, "ValidationError")
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        tables.transact(updates=[UPDATE])
    assert pauses == []


def test_transaction_is_given_up_after_five_attempts(dynamodb: Stubber, pauses: list[float]) -> None:
    for _ in range(5):
        cancel(dynamodb, "TransactionConflict")
    with pytest.raises(Unavailable):
        tables.transact(updates=[UPDATE])
    assert len(pauses) == 5


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("failing", [DELETE.item, SAVE.item, UPDATE.item, OTHER_UPDATE.item])
def test_failed_condition_names_its_item_whatever_the_kinds_of_writes(failing: Model) -> None:
    use_tables(users=cloud.USERS_TABLE, uploads=cloud.UPLOADS_TABLE)

    def unless_failing(item: Model) -> Condition:
        key = UserItem.user_id if isinstance(item, UserItem) else UploadItem.upload_id
        return key.exists() if item is failing else key.does_not_exist()

    failed = tables.transact(
        updates=[each._replace(condition=unless_failing(each.item)) for each in (UPDATE, OTHER_UPDATE)],
        saves=[SAVE._replace(condition=unless_failing(SAVE.item))],
        deletes=[DELETE._replace(condition=unless_failing(DELETE.item))],
    )
    assert [item is failing for item in failed] == [True]
