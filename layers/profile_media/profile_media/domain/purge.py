"""Delete what a removed upload left behind."""

from profile_media.domain.ports import Incoming, Media, PurgeRequest


def purge(incoming: Incoming, media: Media, removed: PurgeRequest) -> int:
    """Deletes the upload's derivatives, found by listing its prefix, and its original; returns how many derivatives.

    Without an owner nothing is known of an original, and S3's lifecycle takes it, if there is one.

    Only ever called for an upload whose row is gone, and upload ids are never used twice: nothing bound can be hit.
    """
    deleted = media.purge(removed.upload_id)
    if removed.owner_id is not None:
        incoming.discard(removed.owner_id, removed.upload_id)
    return deleted
