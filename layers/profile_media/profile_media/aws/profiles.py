"""The `Profiles` port. Needs dynamodb:GetItem and UpdateItem on the users table."""

from datetime import datetime

from profile_media.aws.models import IdentityMap, UserItem, use_tables
from profile_media.aws.tables import Update, read, write
from profile_media.domain.model import Identity, Profile


class DynamoProfiles:
    """Users, in their table."""

    def __init__(self, table: str) -> None:
        use_tables(users=table)

    def get(self, user_id: str) -> Profile:
        """Return the profile, strongly consistent; an empty one for a user without a row."""
        item = read(UserItem, user_id)
        return item.profile() if item else Profile(user_id)

    def save_identity(self, user_id: str, tenant: str | None, identity: Identity, now: datetime) -> bool:
        """Write the identity in one conditional write: an existing row must be of the same tenant."""
        actions = [
            UserItem.identity.set(IdentityMap.of(identity)),
            UserItem.created_at.set(UserItem.created_at | now),
        ]
        same_tenant = UserItem.tenant.does_not_exist()
        if tenant:
            actions.append(UserItem.tenant.set(tenant))
            same_tenant = UserItem.created_at.does_not_exist() | (UserItem.tenant == tenant)
        return write(Update(UserItem(user_id), actions, same_tenant))
