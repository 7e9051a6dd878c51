"""The Incoming, Media, PurgeQueue and RedriveQueue ports."""

import pytest

from profile_media.domain.keys import incoming_key, media_key
from profile_media.domain.ports import PurgeRequest
from tests.builders import ADA, GRACE, a_derivative, an_id
from tests.contract.conftest import Ports

ONE, OTHER = an_id(1), an_id(2)
FULL, THUMB = a_derivative(content=b"a"), a_derivative(name="thumb", content=b"b")
CONTENTS = [(FULL, b"a"), (THUMB, b"b")]


def test_incoming_fetch_returns_one_byte_beyond_the_limit_at_most(ports: Ports) -> None:
    ports.receive(ADA, ONE, b"picture")
    assert ports.incoming.fetch(ADA, ONE, 7) == b"picture"
    assert ports.incoming.fetch(ADA, ONE, 3) == b"pict"
    assert ports.incoming.fetch(GRACE, ONE, 7) is None
    assert ports.incoming.fetch(ADA, OTHER, 7) is None


def test_incoming_delete_is_repeatable_and_keeps_others(ports: Ports) -> None:
    ports.receive(ADA, ONE, b"picture")
    ports.receive(GRACE, ONE, b"hers")
    for _ in range(2):
        ports.incoming.delete(ADA, ONE)
    assert ports.incoming.fetch(ADA, ONE, 9) is None
    assert ports.incoming.fetch(GRACE, ONE, 9) == b"hers"


def test_media_store_is_repeatable(ports: Ports) -> None:
    for _ in range(2):
        ports.media.store(ONE, CONTENTS)
    ports.media.store(ONE, [])
    assert ports.media_keys() == {media_key(ONE, derivative) for derivative, _ in CONTENTS}


def test_media_fetch_returns_whole_derivative(ports: Ports) -> None:
    ports.media.store(ONE, [(FULL, b"webp")])
    assert ports.media.fetch(ONE, FULL) == b"webp"
    assert ports.media.fetch(ONE, THUMB) is None


def test_media_delete_removes_only_the_named_keys(ports: Ports) -> None:
    ports.media.store(ONE, CONTENTS)
    for _ in range(2):
        ports.media.delete([media_key(ONE, THUMB)])
    ports.media.delete([])
    assert ports.media_keys() == {media_key(ONE, FULL)}


def test_media_delete_prefix_removes_all_of_one_upload(ports: Ports) -> None:
    neighbour = ONE[:-1] + "1"
    for upload_id in (ONE, OTHER, neighbour):
        ports.media.store(upload_id, CONTENTS)
    assert ports.media.delete_prefix(ONE) == 2
    assert ports.media.delete_prefix(ONE) == 0
    kept = {media_key(upload_id, derivative) for upload_id in (OTHER, neighbour) for derivative, _ in CONTENTS}
    assert ports.media_keys() == kept


@pytest.mark.parametrize("count", [0, 1, 10, 23])
def test_purge_queue_takes_all_requests(ports: Ports, count: int) -> None:
    requests = [PurgeRequest(ADA, an_id(number)) for number in range(count)]
    assert not ports.purge_queue.enqueue(requests)
    assert sorted(ports.queued(), key=lambda each: each.upload_id) == requests


@pytest.mark.parametrize(
    "request_",
    [
        PurgeRequest(ADA, ONE, (media_key(ONE, FULL), media_key(ONE, THUMB))),
        PurgeRequest(ADA, ONE, ()),
        PurgeRequest(None, ONE),
    ],
    ids=["keys", "no derivatives", "unknown owner"],
)
def test_purge_queue_keeps_owner_and_keys(ports: Ports, request_: PurgeRequest) -> None:
    assert ports.purge_queue.enqueue([request_]) == []
    assert ports.queued() == [request_]


def test_redrive_queue_takes_events_of_all_keys(ports: Ports) -> None:
    keys = [*(incoming_key(ADA, an_id(number)) for number in range(12)), "incoming/one +%41/\u00e9"]
    assert ports.redrive_queue.redrive(keys) == []
    assert sorted(ports.redriven()) == sorted(keys)
