"""User rows: the `Profiles` port on DynamoDB. Needs dynamodb:GetItem on the users table."""

from pynamodb.exceptions import DoesNotExist

from profile_media.aws.tables import UserRow, available, name_tables, profile_of
from profile_media.domain.model import Profile


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
