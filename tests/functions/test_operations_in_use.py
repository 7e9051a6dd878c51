"""The operations that botocore knows in Lambda are those that handlers call: none is missing, and none is spare."""

import pytest

from profile_media.aws import session
from tests import cloud, rights
from tests.rights import DESCRIBED, SELECTION, Right, Watch


@pytest.mark.usefixtures("aws")
def test_a_call_that_the_layer_does_not_describe_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(lambda _: [Right("sqs:PurgeQueue", "PurgeQueue.Arn")])
    monkeypatch.setattr(rights, "WATCH", watch)

    with rights.calling("some_function"):
        session.sqs().purge_queue(QueueUrl=cloud.QUEUE_URL)

    assert watch.denied == ["some_function calls sqs.PurgeQueue: not in layers/dependencies/operations.json"]


def test_no_operation_is_spare(request: pytest.FixtureRequest) -> None:
    if not request.config.stash[SELECTION].is_whole:
        pytest.skip("only some of the tests were asked for")

    described = {f"{service}.{operation}" for service, operations in DESCRIBED.items() for operation in operations}

    assert described - rights.WATCH.operations == set()
