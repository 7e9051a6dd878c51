"""User rows: the `Profiles` port on DynamoDB. Needs dynamodb:GetItem and UpdateItem on the users table."""

from datetime import datetime

from profile_media.aws.dynamodb import get, update, write
from profile_media.aws.tables import identity_attribute, milliseconds, profile_of, user_key
from profile_media.domain.model import Identity, Profile


class DynamoProfiles:
    """Users, in their table."""

    def __init__(self, table: str) -> None:
        self._table = table

    def get(self, user_id: str) -> Profile:
        """The profile, read strongly; the empty one for an unknown user."""
        return profile_of(user_id, get(self._table, user_key(user_id)))

    def identify(self, user_id: str, tenant: str | None, identity: Identity, now: datetime) -> bool:
        """One conditional write: a row that exists must be of the same tenant."""
        changes = "SET #identity = :identity, #created_at = if_not_exists(#created_at, :now)"
        same, of = "attribute_not_exists(#tenant)", {}
        if tenant:
            changes += ", #tenant = :tenant"
            same, of = "attribute_not_exists(#created_at) OR #tenant = :tenant", {"tenant": tenant}
        said = identity_attribute(identity)
        return write(update(self._table, user_key(user_id), changes, same, identity=said, now=milliseconds(now), **of))
