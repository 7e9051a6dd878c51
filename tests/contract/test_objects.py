"""The Incoming, Media and PurgeQueue ports."""

import pytest

from profile_media.domain.keys import media_key
from profile_media.domain.ports import PurgeRequest
from tests.builders import ADA, GRACE, a_derivative, an_id
from tests.contract.conftest import Ports

ONE, OTHER = an_id(1), an_id(2)


def test_an_original_is_fetched_up_to_a_limit(ports: Ports) -> None:
    ports.receive(ADA, ONE, b"picture")
    assert ports.incoming.fetch(ADA, ONE, 7) == b"picture"
    assert ports.incoming.fetch(ADA, ONE, 3) == b"pict"
    assert ports.incoming.fetch(GRACE, ONE, 7) is None
    assert ports.incoming.fetch(ADA, OTHER, 7) is None


def test_discarding_an_original_is_idempotent_and_leaves_others(ports: Ports) -> None:
    ports.receive(ADA, ONE, b"picture")
    ports.receive(GRACE, ONE, b"hers")
    ports.incoming.discard(ADA, ONE)
    ports.incoming.discard(ADA, ONE)
    assert ports.incoming.fetch(ADA, ONE, 9) is None
    assert ports.incoming.fetch(GRACE, ONE, 9) == b"hers"


def test_storing_the_same_again_changes_nothing(ports: Ports) -> None:
    contents = [(a_derivative(content=b"a"), b"a"), (a_derivative(name="thumb", content=b"b"), b"b")]
    for _ in range(2):
        ports.media.store(ONE, contents)
    assert ports.media_keys() == {media_key(ONE, derivative) for derivative, _ in contents}
    ports.media.store(ONE, [])


def test_discarding_derivatives_takes_only_those(ports: Ports) -> None:
    kept, dropped = a_derivative(content=b"a"), a_derivative(content=b"b")
    ports.media.store(ONE, [(kept, b"a"), (dropped, b"b")])
    for _ in range(2):
        ports.media.discard(ONE, [dropped])
    ports.media.discard(ONE, [])
    assert ports.media_keys() == {media_key(ONE, kept)}


def test_a_purge_takes_everything_of_one_upload_and_nothing_of_its_siblings(ports: Ports) -> None:
    neighbour = ONE[:-1] + "1"
    for upload_id in (ONE, OTHER, neighbour):
        ports.media.store(upload_id, [(a_derivative(content=b"a"), b"a"), (a_derivative(content=b"b"), b"b")])
    assert ports.media.purge(ONE) == 2
    assert ports.media.purge(ONE) == 0
    kept = [a_derivative(content=content) for content in (b"a", b"b")]
    assert ports.media_keys() == {media_key(upload_id, each) for upload_id in (OTHER, neighbour) for each in kept}


@pytest.mark.parametrize("count", [0, 1, 10, 23])
def test_everything_removed_is_queued(ports: Ports, count: int) -> None:
    removed = [PurgeRequest(ADA, an_id(number)) for number in range(count)]
    assert not ports.purge_queue.enqueue(removed)
    assert {message["upload_id"] for message in ports.queued()} == {each.upload_id for each in removed}
