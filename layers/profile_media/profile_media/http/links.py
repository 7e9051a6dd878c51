"""How clients are told of pictures: by public id and by URL."""

from dataclasses import dataclass
from datetime import UTC, datetime

from profile_media.domain import references
from profile_media.domain.keys import media_key
from profile_media.domain.model import Attachment, Derivative, ExternalPicture, Profile, Slot, State, Upload
from profile_media.domain.policy import default_derivative


@dataclass(frozen=True, slots=True)
class Links:
    """Names and addresses, in this deployment."""

    app: str
    media_base_url: str

    def url(self, upload_id: str, derivative: Derivative) -> str:
        """Where a derivative is served."""
        return f"{self.media_base_url.rstrip('/')}/{media_key(upload_id, derivative)}"

    def picture_url(self, profile: Profile, slot: Slot) -> str | None:
        """What is shown of a slot: the default derivative, a picture elsewhere, or the avatar the provider has."""
        match profile.attachments.get(slot):
            case Attachment() as attachment:
                return self.url(attachment.upload_id, default_derivative(slot, attachment.derivatives))
            case ExternalPicture(url=url):
                return url
            case None:
                return profile.identity.picture_url if slot is Slot.AVATAR else None

    def public_id(self, upload: Upload) -> str:
        """The upload's public id: the temporary one until it is bound."""
        if upload.state is State.BOUND:
            return self.bound_public_id(upload.owner_id, upload.slot, upload.upload_id)
        return references.temporary_public_id(self.app, upload.owner_id, upload.upload_id)

    def bound_public_id(self, owner_id: str, slot: Slot, upload_id: str) -> str:
        """The public id of what a slot holds."""
        return references.bound_public_id(self.app, owner_id, slot, upload_id)


def iso(moment: datetime) -> str:
    """A time on the wire: ISO 8601, UTC, milliseconds, `Z`.

    >>> iso(datetime(2026, 1, 30, 14, 57, 36, 365000, tzinfo=UTC))
    '2026-01-30T14:57:36.365Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
