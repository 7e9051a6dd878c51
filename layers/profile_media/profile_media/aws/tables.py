"""The two tables, row by row, and how rows turn into the domain's nouns.

Users:   hash `user_id`.
Uploads: hash `owner_id`, range `upload_id`. Beside an owner's uploads it holds `idempotency#<hash>` items and one
`quota` item, beside a caller's `writes#<minute>` counts, and `reconcile#<pass>` checkpoints. All kinds carry
`expires_at`, the table's TTL, and only uploads release anything when they go.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Any

import botocore.session
from botocore.parsers import JSONParser, ResponseParserFactory
from pynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    JSONAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.connection import Connection, TableConnection
from pynamodb.constants import LIST
from pynamodb.exceptions import PynamoDBException, TransactGetError, TransactWriteError
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from profile_media.aws import session
from profile_media.domain.errors import Unavailable
from profile_media.domain.model import (
    Attachment,
    ContentType,
    Derivative,
    ExternalPicture,
    Identity,
    Profile,
    Reason,
    Slot,
    State,
    Upload,
)

_CONFLICTS = 5
_CONFLICT_PAUSE = 0.02
"""Seconds; a transaction takes some 10 ms, so the one in the way is gone after a few."""

_CONDITION_FAILED = "ConditionalCheckFailed"
_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Reasons of a cancelled transaction that go away by themselves."""

IDEMPOTENCY_PREFIX = "idempotency#"
QUOTA = "quota"
WRITES_PREFIX = "writes#"
RECONCILE_PREFIX = "reconcile#"


class _Items(JSONParser):
    """Leaves items as they came: botocore asks of each value, ten times, which type it has, to decode binary ones."""

    def _parse_shape(self, shape: Any, node: Any) -> Any:
        return node if shape.name == "AttributeValue" else super()._parse_shape(shape, node)  # type: ignore[misc]  # stubs leave it out


class _Parsers(ResponseParserFactory):
    def create_parser(self, protocol_name: str) -> Any:
        return _Items() if protocol_name == "json" else super().create_parser(protocol_name)


class _SharedConnection(Connection):
    """A connection that takes the function's session instead of opening another."""

    @property
    def session(self) -> botocore.session.Session:
        shared = session.session()
        shared.register_component("response_parser_factory", _Parsers())
        return shared


@cache
def connection() -> Connection:
    """The one connection to DynamoDB, for all tables and for transactions across them."""
    return _SharedConnection(
        connect_timeout_seconds=session.CONNECT_TIMEOUT,
        read_timeout_seconds=session.READ_TIMEOUT,
        retry_configuration={"mode": "standard", "total_max_attempts": session.ATTEMPTS},
    )


class Row(Model):
    """Any of our rows: its table's name comes from the settings, at first use."""

    class Meta:
        table_name: str

    @classmethod
    def _get_connection(cls) -> TableConnection:
        """Lets all models share one client; PynamoDB would make one for each, and each loads DynamoDB's description."""
        if cls._connection is None:
            table = super()._get_connection()
            with suppress(ValueError):  # known already: the rows of one table share its keys
                connection().add_meta_table(table.get_meta_table())
            table.connection = connection()
        assert cls._connection is not None  # noqa: S101 - for the type checker: the call above has set it
        return cls._connection


class DerivativesAttribute(Attribute[list[Derivative]]):
    """Derivatives inside a row, as a list of maps; read and written at once, which is a quarter of a warm call less."""

    attr_type = LIST

    def serialize(self, value: list[Derivative]) -> list[dict[str, Any]]:
        """As they go over the wire."""
        return [
            {
                "M": {
                    "name": {"S": each.name},
                    "digest": {"S": each.digest},
                    "content_type": {"S": each.content_type.value},
                    "width": {"N": str(each.width)},
                    "height": {"N": str(each.height)},
                    "size": {"N": str(each.size)},
                }
            }
            for each in value
        ]

    def deserialize(self, value: list[dict[str, Any]]) -> list[Derivative]:
        """As they came."""
        return [
            Derivative(
                name=each["name"]["S"],
                digest=each["digest"]["S"],
                content_type=ContentType(each["content_type"]["S"]),
                width=int(each["width"]["N"]),
                height=int(each["height"]["N"]),
                size=int(each["size"]["N"]),
            )
            for each in (entry["M"] for entry in value)
        ]


class AttachmentMap(MapAttribute[str, object]):
    """A slot's picture inside a user's row: an upload, or a picture elsewhere."""

    upload_id = UnicodeAttribute(null=True)
    derivatives = DerivativesAttribute(null=True)
    url = UnicodeAttribute(null=True)


class IdentityMap(MapAttribute[str, object]):
    """What the identity provider says of a user, inside its row."""

    email = UnicodeAttribute(null=True)
    email_verified = BooleanAttribute(null=True)
    first_name = UnicodeAttribute(null=True)
    last_name = UnicodeAttribute(null=True)
    phone_number = UnicodeAttribute(null=True)
    username = UnicodeAttribute(null=True)
    picture_url = UnicodeAttribute(null=True)
    role = UnicodeAttribute(null=True)
    last_login = NumberAttribute(null=True)
    """Seconds."""


class UserRow(Row):
    """A user."""

    class Meta:
        table_name: str

    user_id = UnicodeAttribute(hash_key=True)
    avatar = AttachmentMap(null=True)  # type: ignore[no-untyped-call]
    cover_image = AttachmentMap(null=True)  # type: ignore[no-untyped-call]
    identity = IdentityMap(null=True)  # type: ignore[no-untyped-call]
    tenant = UnicodeAttribute(null=True)
    created_at = NumberAttribute(null=True)
    updated_at = NumberAttribute(null=True)
    """Milliseconds, both."""


class UploadRow(Row):
    """An upload."""

    class Meta:
        table_name: str

    owner_id = UnicodeAttribute(hash_key=True)
    upload_id = UnicodeAttribute(range_key=True)
    slot = UnicodeAttribute()
    state = UnicodeAttribute()
    content_type = UnicodeAttribute()
    content_length = NumberAttribute()
    checksum_sha256 = UnicodeAttribute(null=True)
    created_at = NumberAttribute()
    """Milliseconds."""
    expires_at = NumberAttribute(null=True)
    """Seconds, as DynamoDB's TTL wants them."""
    width = NumberAttribute(null=True)
    height = NumberAttribute(null=True)
    derivatives = DerivativesAttribute(null=True)
    reason = UnicodeAttribute(null=True)


class IdempotencyRow(Row):
    """An idempotency key that was used."""

    class Meta:
        table_name: str

    owner_id = UnicodeAttribute(hash_key=True)
    upload_id = UnicodeAttribute(range_key=True)
    made = UnicodeAttribute()
    """The upload the key made."""
    request_hash = UnicodeAttribute()
    expires_at = NumberAttribute()


class WritesRow(Row):
    """How many changes a caller made within one minute; the range key is `writes#<minute>`, the hash key the caller."""

    class Meta:
        table_name: str

    owner_id = UnicodeAttribute(hash_key=True)
    upload_id = UnicodeAttribute(range_key=True)
    changes = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class CheckpointRow(Row):
    """Where a pass of reconciling stands; the range key is `reconcile#<pass>`, the hash key nobody's."""

    class Meta:
        table_name: str

    owner_id = UnicodeAttribute(hash_key=True)
    upload_id = UnicodeAttribute(range_key=True)
    version = NumberAttribute()
    checkpoint = JSONAttribute()
    expires_at = NumberAttribute()


class QuotaRow(Row):
    """What an owner asked for lately; entries are `<milliseconds>#<upload id>`."""

    class Meta:
        table_name: str

    owner_id = UnicodeAttribute(hash_key=True)
    upload_id = UnicodeAttribute(range_key=True)
    open = UnicodeSetAttribute(null=True)
    recent = UnicodeSetAttribute(null=True)
    expires_at = NumberAttribute(null=True)


_UPLOADS_ROWS = (UploadRow, IdempotencyRow, QuotaRow, WritesRow, CheckpointRow)


def name_tables(uploads: str | None = None, users: str | None = None) -> None:
    """Says what the tables are called in this deployment."""
    for rows, name in ((_UPLOADS_ROWS, uploads), ((UserRow,), users)):
        for row in rows:
            if name and getattr(row.Meta, "table_name", None) != name:
                row.Meta.table_name = name
                row._connection = None


@contextmanager
def available() -> Iterator[None]:
    """`session.available` for calls through PynamoDB, which wraps botocore's errors in its own."""
    with session.available():
        try:
            yield
        except PynamoDBException as error:
            if error.cause is None or (code := error.cause_response_code) is None:
                # No answer at all: botocore has tried again already.
                raise Unavailable(type(error.cause or error).__name__) from error
            if session.is_passing(code):
                raise Unavailable(code) from error
            raise


def transact(fill: Callable[[TransactWrite], None]) -> tuple[bool, ...]:
    """Commits what `fill` adds.

    Returns nothing where it was committed, else which items' conditions failed: deletes, puts, updates, in this order.
    """

    def commit() -> None:
        with TransactWrite(connection=connection()) as transaction:
            fill(transaction)

    try:
        unhindered(commit)
    except TransactWriteError as error:
        reasons = _reasons(error)
        if _CONDITION_FAILED not in reasons:
            raise
        return tuple(reason == _CONDITION_FAILED for reason in reasons)
    return ()


def unhindered[Result](attempt: Callable[[], Result]) -> Result:
    """Runs a transaction, reading or writing, again while other transactions are in its way."""
    for number in range(_CONFLICTS):
        try:
            with available():
                return attempt()
        except (TransactGetError, TransactWriteError) as error:
            reasons = _reasons(error)
            if _CONDITION_FAILED in reasons or not _PASSING.intersection(reasons):
                raise
            time.sleep(random.uniform(0, _CONFLICT_PAUSE * 2**number))  # noqa: S311 - jitter, not a secret
    raise Unavailable("transactions kept conflicting")


def _reasons(error: TransactGetError | TransactWriteError) -> list[str | None]:
    """Why each item was in the way of a cancelled transaction."""
    return [reason.code if reason else None for reason in error.cancellation_reasons]


def milliseconds(moment: datetime) -> int:
    """A time as the rows keep it."""
    return round(moment.timestamp() * 1000)


def seconds(moment: datetime) -> int:
    """A time as TTL attributes keep it."""
    return int(moment.timestamp())


def time_of(milliseconds: float) -> datetime:
    """The time behind a row's number."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def upload_of(row: UploadRow) -> Upload:
    """The upload a row describes."""
    return Upload(
        owner_id=row.owner_id,
        upload_id=row.upload_id,
        slot=Slot(row.slot),
        state=State(row.state),
        content_type=ContentType(row.content_type),
        content_length=int(row.content_length),
        checksum_sha256=row.checksum_sha256,
        created_at=time_of(row.created_at),
        expires_at=None if row.expires_at is None else time_of(row.expires_at * 1000),
        width=None if row.width is None else int(row.width),
        height=None if row.height is None else int(row.height),
        derivatives=tuple(row.derivatives or ()),
        reason=Reason(row.reason) if row.reason else None,
    )


def profile_of(user_id: str, row: UserRow | None) -> Profile:
    """The profile a user's row describes."""
    if row is None:
        return Profile(user_id)
    maps = {Slot.AVATAR: row.avatar, Slot.COVER_IMAGE: row.cover_image}
    return Profile(
        user_id,
        MappingProxyType({slot: attachment_of(map_) for slot, map_ in maps.items() if map_}),
        None if row.updated_at is None else time_of(row.updated_at),
        identity_of(row.identity),
        row.tenant,
        None if row.created_at is None else time_of(row.created_at),
    )


def attachment_of(map_: AttachmentMap) -> Attachment | ExternalPicture:
    """What a slot holds."""
    if map_.url:
        return ExternalPicture(map_.url)
    return Attachment(map_.upload_id, tuple(map_.derivatives or ()))


def attachment_map(attachment: Attachment | ExternalPicture) -> AttachmentMap:
    """What a slot holds, as a row keeps it."""
    if isinstance(attachment, ExternalPicture):
        return AttachmentMap(url=attachment.url)  # type: ignore[no-untyped-call]
    derivatives = list(attachment.derivatives)
    return AttachmentMap(upload_id=attachment.upload_id, derivatives=derivatives)  # type: ignore[no-untyped-call]


def identity_of(map_: IdentityMap | None) -> Identity:
    """Who a row says the user is."""
    if map_ is None:
        return Identity()
    return Identity(
        email=map_.email,
        email_verified=bool(map_.email_verified),
        first_name=map_.first_name,
        last_name=map_.last_name,
        phone_number=map_.phone_number,
        username=map_.username,
        picture_url=map_.picture_url,
        role=map_.role,
        last_login=None if map_.last_login is None else time_of(map_.last_login * 1000),
    )


def identity_map(identity: Identity) -> IdentityMap:
    """Who the user is, as a row keeps it."""
    return IdentityMap(  # type: ignore[no-untyped-call]
        email=identity.email,
        email_verified=identity.email_verified,
        first_name=identity.first_name,
        last_name=identity.last_name,
        phone_number=identity.phone_number,
        username=identity.username,
        picture_url=identity.picture_url,
        role=identity.role,
        last_login=seconds(identity.last_login) if identity.last_login else None,
    )
