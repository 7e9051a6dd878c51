"""Requests to DynamoDB: strongly consistent reads, conditional writes, and transactions.

Every PynamoDB model opens a connection, a botocore session and a client of its own, and a transaction another: 90
million instructions and a TLS handshake each. Here the models make the arguments of a request, and one `Connection`
sends it.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from botocore.exceptions import ClientError
from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist, PynamoDBException, VerboseClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactGet, TransactWrite

from profile_media.aws.session import CONNECT_TIMEOUT, READ_TIMEOUT, RETRIES, adopt, available
from profile_media.domain.errors import Unavailable

_ATTEMPTS = 5
"""Attempts of one transaction while others conflict with it."""

_PAUSE = 0.02
"""Seconds; the longest first pause between attempts. A transaction takes some 10 ms, so a conflict ends soon."""

_CONDITION_FAILED = "ConditionalCheckFailed"
_TRANSIENT = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Transient reasons for a cancelled transaction."""


class Save(NamedTuple):
    """Write an item in place of the one with the same key."""

    item: Model
    condition: Condition | None = None


class Update(NamedTuple):
    """Change an item, or create it."""

    item: Model
    actions: Sequence[Action]
    condition: Condition | None = None


class Delete(NamedTuple):
    """Remove an item; a missing item is no error."""

    item: Model
    condition: Condition | None = None


@cache
def connection() -> Connection:
    """Return the only connection to DynamoDB; its session serves the other clients too."""
    made = Connection(
        connect_timeout_seconds=CONNECT_TIMEOUT, read_timeout_seconds=READ_TIMEOUT, retry_configuration=RETRIES
    )
    adopt(made.session)
    return made


def request(operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Send one request. Raises the error of botocore that PynamoDB wraps, and Unavailable for a transient one."""
    with botocore_errors():
        answer: dict[str, Any] = connection().dispatch(operation, arguments)
    return answer


def read[Item: Model](model: type[Item], hash_key: str, range_key: str | None = None) -> Item | None:
    """Read an item, strongly consistent; None if there is none."""
    answer = request("GetItem", {**model.get_operation_kwargs_from_class(hash_key, range_key), "ConsistentRead": True})
    return model.from_raw_data(answer["Item"]) if "Item" in answer else None


def read_both[First: Model, Second: Model](
    first: tuple[type[First], tuple[str, ...]], second: tuple[type[Second], tuple[str, ...]]
) -> tuple[First | None, Second | None]:
    """Read two items as they were at one instant, in one request."""

    def attempt() -> tuple[Any, Any]:
        with TransactGet(connection=connection()) as transaction:
            found = [transaction.get(model, *key) for model, key in (first, second)]
        return _item(found[0]), _item(found[1])

    return _without_conflict(attempt)


def write(change: Save | Update | Delete) -> bool:
    """Write one item. Return False if its condition failed."""
    try:
        match change:
            case Save(item, condition):
                request("PutItem", item.get_save_kwargs_from_instance(condition))
            case Update(item, actions, condition):
                request("UpdateItem", item.get_update_kwargs_from_instance(list(actions), condition))
            case Delete(item, condition):
                request("DeleteItem", item.get_delete_kwargs_from_instance(condition))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def transact(
    *, deletes: Sequence[Delete] = (), saves: Sequence[Save] = (), updates: Sequence[Update] = ()
) -> tuple[Model, ...]:
    """Commit all writes or none. Return the items whose conditions failed; nothing if the writes were committed."""

    def attempt() -> None:
        with TransactWrite(connection=connection()) as transaction:
            for delete in deletes:
                transaction.delete(*delete)
            for save in saves:
                transaction.save(*save)
            for update in updates:
                transaction.update(update.item, list(update.actions), update.condition)

    try:
        _without_conflict(attempt)
    except VerboseClientError as error:
        # PynamoDB sends deletes, then puts, then updates, whatever the order of the calls; the reasons follow.
        sent = [change.item for changes in (deletes, saves, updates) for change in changes]
        failed = [item for item, code in zip(sent, _reasons(error), strict=False) if code == _CONDITION_FAILED]
        if not failed:
            raise
        return tuple(failed)
    return ()


@contextmanager
def botocore_errors() -> Iterator[None]:
    """Raise the error of botocore that PynamoDB wraps, and Unavailable for one that is transient."""
    with available():
        try:
            yield
        except DoesNotExist:
            raise
        except PynamoDBException as error:
            raise error.cause or error from error


def pause(attempt: int) -> None:
    """Wait a random time before the next attempt, longer after each."""
    time.sleep(random.uniform(0, _PAUSE * 2**attempt))  # noqa: S311 - jitter, not a secret


def _item(found: Any) -> Any:
    """Return the item that a transaction found; None if there is none."""
    try:
        return found.get()
    except DoesNotExist:
        return None


def _without_conflict[Result](attempt: Callable[[], Result]) -> Result:
    """Run a transaction, again after a pause while other transactions conflict with it or requests are throttled."""
    for number in range(_ATTEMPTS):
        try:
            with botocore_errors():
                return attempt()
        except VerboseClientError as error:
            reasons = _reasons(error)
            if _CONDITION_FAILED in reasons or not _TRANSIENT.intersection(reasons):
                raise
            pause(number)
    raise Unavailable("transactions kept conflicting")


def _reasons(error: VerboseClientError) -> list[str]:
    """Return why each write of a cancelled transaction failed; an empty text for one that did not."""
    return [reason.code if reason else "" for reason in error.cancellation_reasons]
