"""Delete the objects of a removed upload."""

from profile_media.domain.keys import with_former_keys
from profile_media.domain.ports import Incoming, Media, PurgeRequest


def purge(incoming: Incoming, media: Media, request: PurgeRequest) -> int:
    """Delete the objects of an upload whose row is gone. Return the number of derivatives.

    With keys from the removed row, one call is enough: a row with keys was processed, and processing deletes the
    original.
    Without keys the prefixes are listed, and the original is deleted too if the owner is known.

    Upload ids are never used twice, so this cannot delete the pictures of another upload.
    """
    if request.media_keys is not None:
        media.delete(with_former_keys(request.media_keys))
        return len(request.media_keys)
    deleted = media.delete_prefix(request.upload_id)
    if request.owner_id is not None:
        incoming.delete(request.owner_id, request.upload_id)
    return deleted
