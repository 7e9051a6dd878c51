"""User rows: the `Profiles` port on DynamoDB. Needs dynamodb:GetItem and UpdateItem on the users table."""

from datetime import datetime

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.update import Action

from profile_media.aws.tables import UserRow, available, identity_map, milliseconds, name_tables, profile_of
from profile_media.domain.model import Identity, Profile


class DynamoProfiles:
    """Users, in their table."""

    def __init__(self, table: str) -> None:
        name_tables(users=table)

    def get(self, user_id: str) -> Profile:
        """The profile, read strongly; the empty one for an unknown user."""
        with available():
            try:
                return profile_of(user_id, UserRow.get(user_id, consistent_read=True))
            except DoesNotExist:
                return Profile(user_id)

    def identify(self, user_id: str, tenant: str | None, identity: Identity, now: datetime) -> bool:
        """One conditional write: a row that exists must be of the same tenant."""
        actions: list[Action] = [
            UserRow.identity.set(identity_map(identity)),
            UserRow.created_at.set(UserRow.created_at | milliseconds(now)),
        ]
        same = UserRow.tenant.does_not_exist()
        if tenant:
            actions.append(UserRow.tenant.set(tenant))
            same = UserRow.created_at.does_not_exist() | (UserRow.tenant == tenant)
        with available():
            try:
                UserRow(user_id).update(actions, condition=same)
            except UpdateError as error:
                if error.cause_response_code != "ConditionalCheckFailedException":
                    raise
                return False
        return True
