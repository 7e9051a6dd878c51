"""Public ids and URLs of pictures, as clients see them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from profile_media.domain import references
from profile_media.domain.keys import media_key
from profile_media.domain.model import Attachment, Derivative, ExternalPicture, Profile, Slot, State, Upload
from profile_media.domain.policy import default_derivative


@dataclass(frozen=True, slots=True)
class Links:
    """Builds public ids and URLs with this deployment's app name and media host."""

    app: str
    media_base_url: str

    def url(self, upload_id: str, derivative: Derivative) -> str:
        """Return the URL of a derivative."""
        return f"{self.media_base_url.rstrip('/')}/{media_key(upload_id, derivative)}"

    def picture_url(self, profile: Profile, slot: Slot) -> str | None:
        """Return the URL of the picture to show for a slot, or None.

        That is the bound upload's default derivative, the external picture, or for the avatar the provider's picture.
        """
        match profile.attachments.get(slot):
            case Attachment() as attachment:
                return self.url(attachment.upload_id, default_derivative(slot, attachment.derivatives))
            case ExternalPicture(url=url):
                return url
            case None:
                return profile.identity.picture_url if slot is Slot.AVATAR else None

    def public_id(self, upload: Upload) -> str:
        """Return the upload's public id: the temporary one until the upload is bound."""
        if upload.state is State.BOUND:
            return self.bound_public_id(upload.owner_id, upload.slot, upload.upload_id)
        return references.temporary_public_id(self.app, upload.owner_id, upload.upload_id)

    def bound_public_id(self, owner_id: str, slot: Slot, upload_id: str) -> str:
        """Return the public id of the upload bound to a slot."""
        return references.bound_public_id(self.app, owner_id, slot, upload_id)


def known_since(profile: Profile) -> datetime:
    """Return when the user was first seen. Raise ValueError for a user without a row, whom no answer shows."""
    if profile.created_at is None:
        raise ValueError("the user has no row")
    return profile.created_at


def iso(moment: datetime) -> str:
    """Format a time for the wire: ISO 8601 in UTC with milliseconds and `Z`.

    >>> iso(datetime(2026, 1, 30, 14, 57, 36, 365000, tzinfo=UTC))
    '2026-01-30T14:57:36.365Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
