"""Intents: idempotency, limits, grants."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profile_media.domain.errors import IdempotencyConflict, LimitExceeded, Unavailable, UploadTooLarge
from profile_media.domain.intend import IntentIssuer, PendingUploads
from profile_media.domain.model import Slot, State
from profile_media.domain.policy import Lifetimes, Limits
from profile_media.domain.ports import QuotaExceeded
from tests.builders import ADA, GRACE, NOW, an_intent_request
from tests.fakes import FakeClock, FakeGrants, FakeTables, FakeUploads


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def intents(tables: FakeTables, clock: FakeClock) -> IntentIssuer:
    return IntentIssuer(PendingUploads(FakeUploads(tables), clock, Limits(), Lifetimes()), FakeGrants())


def keyed(key: str = "key", **changes: object) -> dict[str, object]:
    return {"idempotency_key": key, **changes}


def test_an_intent_is_a_pending_row_that_expires(intents: IntentIssuer, tables: FakeTables) -> None:
    intent = intents.issue(an_intent_request(slot=Slot.COVER_IMAGE))
    [row] = tables.uploads.values()
    assert intent.upload == row
    assert (row.state, row.slot, row.created_at, row.expires_at) == (
        State.PENDING,
        Slot.COVER_IMAGE,
        NOW,
        NOW + timedelta(hours=1),
    )
    assert intent.grant.expires_at == NOW + timedelta(minutes=5)


def test_an_expiry_is_never_cut_short_by_the_rows_whole_seconds(intents: IntentIssuer, clock: FakeClock) -> None:
    clock.pass_(milliseconds=1)
    upload = intents.issue(an_intent_request()).upload
    assert upload.expires_at == NOW + timedelta(hours=1, seconds=1)


def test_a_grant_never_outlives_its_upload(tables: FakeTables, clock: FakeClock) -> None:
    short = Lifetimes(pending=timedelta(seconds=5))
    intents = IntentIssuer(PendingUploads(FakeUploads(tables), clock, Limits(), short), FakeGrants())
    assert intents.issue(an_intent_request()).grant.expires_at == NOW + timedelta(seconds=5)


def test_a_replay_within_a_minute_is_the_same_intent(
    intents: IntentIssuer, clock: FakeClock, tables: FakeTables
) -> None:
    first = intents.issue(an_intent_request(**keyed()))
    clock.pass_(seconds=59)
    assert intents.issue(an_intent_request(**keyed())) == first
    assert len(tables.uploads) == 1


def test_a_later_replay_renews_the_grant_of_the_same_upload(intents: IntentIssuer, clock: FakeClock) -> None:
    first = intents.issue(an_intent_request(**keyed()))
    clock.pass_(minutes=10, seconds=30)
    again = intents.issue(an_intent_request(**keyed()))
    assert again.upload == first.upload
    assert again.grant.expires_at == NOW + timedelta(minutes=15)


@pytest.mark.parametrize("seconds", [2, 30, 60, 90])
def test_a_grant_that_lives_for_less_than_minutes_is_renewed_before_it_is_over(
    clock: FakeClock, tables: FakeTables, seconds: int
) -> None:
    lifetime = timedelta(seconds=seconds)
    promises = PendingUploads(FakeUploads(tables), clock, Limits(), Lifetimes(grant=lifetime))
    for _ in range(4 * seconds):
        grant = IntentIssuer(promises, FakeGrants()).issue(an_intent_request(**keyed())).grant
        assert clock.now() + lifetime / 2 < grant.expires_at <= clock.now() + lifetime
        clock.pass_(seconds=0.75)


@pytest.mark.parametrize(
    "change", [{"slot": Slot.COVER_IMAGE}, {"content_length": 7}, {"checksum_sha256": "x"}, {"owner_id": GRACE}]
)
def test_a_key_with_another_request_is_a_conflict(intents: IntentIssuer, change: dict[str, object]) -> None:
    intents.issue(an_intent_request(**keyed()))
    with pytest.raises(IdempotencyConflict):
        intents.issue(an_intent_request(**keyed(), **change))


def test_keys_are_each_callers_own(intents: IntentIssuer) -> None:
    mine = intents.issue(an_intent_request(**keyed()))
    by_admin = intents.issue(an_intent_request(**keyed(), actor_id=GRACE))
    other = intents.issue(an_intent_request(**keyed("other")))
    assert len({intent.upload.upload_id for intent in (mine, by_admin, other)}) == 3


def test_a_key_whose_upload_is_gone_makes_a_new_one(
    intents: IntentIssuer, clock: FakeClock, tables: FakeTables
) -> None:
    first = intents.issue(an_intent_request(**keyed()))
    clock.pass_(hours=1, seconds=1)
    second = intents.issue(an_intent_request(**keyed()))
    assert second.upload.upload_id != first.upload.upload_id
    del tables.uploads[ADA, second.upload.upload_id]
    third = intents.issue(an_intent_request(**keyed()))
    assert intents.issue(an_intent_request(**keyed())) == third


def test_a_key_stands_for_its_upload_for_a_day(intents: IntentIssuer, clock: FakeClock, tables: FakeTables) -> None:
    upload = intents.issue(an_intent_request(**keyed())).upload
    tables.uploads[ADA, upload.upload_id] = replace(upload, state=State.BOUND, expires_at=None)
    clock.pass_(hours=23, minutes=59)
    assert intents.issue(an_intent_request(**keyed())).upload.upload_id == upload.upload_id
    clock.pass_(minutes=2)
    assert intents.issue(an_intent_request(**keyed())).upload.upload_id != upload.upload_id


def test_the_slots_limit_is_inclusive(intents: IntentIssuer) -> None:
    limit = 10 * 1024 * 1024
    intents.issue(an_intent_request(content_length=limit))
    with pytest.raises(UploadTooLarge) as refused:
        intents.issue(an_intent_request(content_length=limit + 1))
    assert refused.value.limit == limit


def test_five_may_be_open_and_the_sixth_is_told_when(intents: IntentIssuer, clock: FakeClock) -> None:
    for _ in range(5):
        intents.issue(an_intent_request())
        clock.pass_(minutes=1)
    with pytest.raises(LimitExceeded) as refused:
        intents.issue(an_intent_request())
    assert refused.value.limit == "open_intents"
    assert refused.value.retry_after == 55 * 60
    clock.pass_(seconds=refused.value.retry_after)
    intents.issue(an_intent_request())


@pytest.mark.parametrize(("left", "told"), [(2.5, 3), (1.001, 2), (1.0, 1), (0.001, 1)])
def test_who_comes_back_as_told_comes_late_enough(
    intents: IntentIssuer, clock: FakeClock, left: float, told: int
) -> None:
    for _ in range(5):
        intents.issue(an_intent_request())
    clock.pass_(seconds=3600 - left)
    with pytest.raises(LimitExceeded) as refused:
        intents.issue(an_intent_request())
    assert refused.value.retry_after == told
    clock.pass_(seconds=told)
    intents.issue(an_intent_request())


def test_a_settled_or_removed_upload_is_not_open_any_more(intents: IntentIssuer, tables: FakeTables) -> None:
    made = [intents.issue(an_intent_request()).upload for _ in range(5)]
    tables.uploads[ADA, made[0].upload_id] = replace(made[0], state=State.REJECTED)
    del tables.uploads[ADA, made[1].upload_id]
    intents.issue(an_intent_request())
    intents.issue(an_intent_request())
    with pytest.raises(LimitExceeded):
        intents.issue(an_intent_request())


def test_thirty_an_hour_in_a_sliding_window(intents: IntentIssuer, clock: FakeClock, tables: FakeTables) -> None:
    for _ in range(30):
        upload = intents.issue(an_intent_request()).upload
        tables.uploads[ADA, upload.upload_id] = replace(upload, state=State.REJECTED)
        clock.pass_(minutes=1)
    with pytest.raises(LimitExceeded) as refused:
        intents.issue(an_intent_request())
    assert (refused.value.limit, refused.value.retry_after) == ("intents_per_hour", 30 * 60)
    intents.issue(an_intent_request(owner_id=GRACE))
    clock.pass_(seconds=refused.value.retry_after)
    intents.issue(an_intent_request())
    with pytest.raises(LimitExceeded):
        intents.issue(an_intent_request())


def test_a_replay_is_not_counted(intents: IntentIssuer) -> None:
    for _ in range(40):
        intents.issue(an_intent_request(**keyed()))


def test_when_others_keep_filling_the_quota_the_caller_is_asked_to_come_back(clock: FakeClock) -> None:
    class Contended(FakeUploads):
        def create(self, *_args: object, **_limits: object) -> None:
            raise QuotaExceeded

    intents = IntentIssuer(PendingUploads(Contended(FakeTables()), clock, Limits(), Lifetimes()), FakeGrants())
    with pytest.raises(Unavailable):
        intents.issue(an_intent_request())
