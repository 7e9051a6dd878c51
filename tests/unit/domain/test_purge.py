"""Purging: which objects are deleted, and which requests are invalid."""

import pytest

from profile_media.domain.keys import incoming_key, media_key, possible_keys
from profile_media.domain.model import MASTER
from profile_media.domain.ports import PurgeRequest
from profile_media.domain.purge import purge
from tests.builders import ADA, a_derivative, an_id
from tests.fakes import FakeIncoming, FakeMedia

KEY = media_key(an_id(1), a_derivative())
OTHER = media_key(an_id(2), a_derivative())


class UnlistedMedia(FakeMedia):
    """Derivatives that must not be listed."""

    def delete_prefix(self, upload_id: str) -> int:
        raise AssertionError("listed")


def test_purge_with_keys_deletes_exactly_those_without_listing() -> None:
    media, incoming = UnlistedMedia(), FakeIncoming()
    media.objects = dict.fromkeys((KEY, OTHER), b"")
    assert purge(incoming, media, PurgeRequest(ADA, an_id(1), (KEY,))) == 1
    assert set(media.objects) == {OTHER}


def test_purge_deletes_master_at_its_key_of_version_0_1_0() -> None:
    media, master = UnlistedMedia(), a_derivative(name=MASTER)
    media.objects = dict.fromkeys((*possible_keys(an_id(1), master), KEY), b"")
    assert purge(FakeIncoming(), media, PurgeRequest(ADA, an_id(1), (media_key(an_id(1), master),))) == 1
    assert set(media.objects) == {KEY}


def test_purge_without_keys_lists_the_prefix_and_deletes_the_original() -> None:
    media, incoming = FakeMedia(), FakeIncoming()
    media.objects = dict.fromkeys((KEY, OTHER), b"")
    incoming.objects = {incoming_key(ADA, an_id(number)): b"" for number in (1, 2)}
    assert purge(incoming, media, PurgeRequest(ADA, an_id(1))) == 1
    assert (set(media.objects), set(incoming.objects)) == ({OTHER}, {incoming_key(ADA, an_id(2))})


def test_purge_without_owner_leaves_originals() -> None:
    incoming = FakeIncoming()
    incoming.objects = {incoming_key(ADA, an_id(1)): b""}
    assert purge(incoming, FakeMedia(), PurgeRequest(None, an_id(1))) == 0
    assert incoming.objects


@pytest.mark.parametrize("key", [OTHER, "media/", f"media/{an_id(1)}/a/b", f"incoming/{an_id(1)}/x", ""])
def test_request_with_key_outside_the_uploads_prefix_is_invalid(key: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        PurgeRequest(ADA, an_id(1), (KEY, key))
