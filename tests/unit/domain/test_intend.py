"""Intents: idempotency, limits and presigned POSTs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from profile_media.domain import access
from profile_media.domain.cancel import cancel
from profile_media.domain.errors import IdempotencyConflict, Limit, LimitExceeded, Unavailable, UploadTooLarge
from profile_media.domain.intend import Intent, IntentIssuer, PendingUploads
from profile_media.domain.model import AutoBind, Caller, Slot, State, Upload
from profile_media.domain.policy import Lifetimes, Limits
from profile_media.domain.ports import QuotaExceeded
from tests.builders import ADA, GRACE, NOW, an_intent_request
from tests.fakes import FakeClock, FakePresigner, FakeProfiles, FakeTables, FakeUploads

OPEN = Limits().open_intents


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def intents(tables: FakeTables, clock: FakeClock) -> IntentIssuer:
    return IntentIssuer(PendingUploads(FakeUploads(tables), clock, Limits(), Lifetimes()), FakePresigner())


def issue(intents: IntentIssuer, owner_id: str = ADA, actor_id: str = ADA, **changes: object) -> Intent:
    """Issue an intent of an administrator's."""
    permission = access.grant_for_intent(
        FakeProfiles(FakeTables()), Caller(actor_id, is_admin=True, tenant="acme"), owner_id
    )
    return intents.issue(permission, an_intent_request(**changes))


def keyed(key: str = "key") -> dict[str, Any]:
    return {"idempotency_key": key}


def test_intent_creates_pending_row_that_expires(intents: IntentIssuer, tables: FakeTables) -> None:
    intent = issue(intents, slot=Slot.COVER_IMAGE)
    [row] = tables.uploads.values()
    assert intent.upload == row
    assert (row.state, row.slot, row.created_at, row.expires_at) == (
        State.PENDING,
        Slot.COVER_IMAGE,
        NOW,
        NOW + timedelta(hours=1),
    )
    assert intent.post.expires_at == NOW + timedelta(minutes=5)


def test_intent_to_bind_records_who_asked(intents: IntentIssuer) -> None:
    assert issue(intents, bind=True, actor_id=GRACE).upload.auto_bind == AutoBind(GRACE, "acme")
    assert issue(intents).upload.auto_bind is None


def test_expiry_is_rounded_up_to_whole_seconds(intents: IntentIssuer, clock: FakeClock) -> None:
    clock.pass_(milliseconds=1)
    upload = issue(intents).upload
    assert upload.expires_at == NOW + timedelta(hours=1, seconds=1)


def test_presigned_post_expires_with_its_upload_at_the_latest(tables: FakeTables, clock: FakeClock) -> None:
    short = Lifetimes(pending=timedelta(seconds=5))
    intents = IntentIssuer(PendingUploads(FakeUploads(tables), clock, Limits(), short), FakePresigner())
    assert issue(intents).post.expires_at == NOW + timedelta(seconds=5)


def test_repeated_key_within_a_minute_returns_identical_intent(
    intents: IntentIssuer, clock: FakeClock, tables: FakeTables
) -> None:
    first = issue(intents, **keyed())
    clock.pass_(seconds=59)
    assert issue(intents, **keyed()) == first
    assert len(tables.uploads) == 1


def test_repeated_key_later_returns_new_presigned_post_for_same_upload(intents: IntentIssuer, clock: FakeClock) -> None:
    first = issue(intents, **keyed())
    clock.pass_(minutes=10, seconds=30)
    again = issue(intents, **keyed())
    assert again.upload == first.upload
    assert again.post.expires_at == NOW + timedelta(minutes=15)


@pytest.mark.parametrize("seconds", [2, 30, 60, 90])
def test_short_presigned_post_is_renewed_before_it_expires(clock: FakeClock, tables: FakeTables, seconds: int) -> None:
    lifetime = timedelta(seconds=seconds)
    pending_uploads = PendingUploads(FakeUploads(tables), clock, Limits(), Lifetimes(grant=lifetime))
    for _ in range(4 * seconds):
        post = issue(IntentIssuer(pending_uploads, FakePresigner()), **keyed()).post
        assert clock.now() + lifetime / 2 < post.expires_at <= clock.now() + lifetime
        clock.pass_(seconds=0.75)


@pytest.mark.parametrize(
    "change",
    [{"slot": Slot.COVER_IMAGE}, {"content_length": 7}, {"checksum_sha256": "x"}, {"owner_id": GRACE}, {"bind": True}],
)
def test_repeated_key_with_another_request_is_a_conflict(intents: IntentIssuer, change: dict[str, Any]) -> None:
    issue(intents, **keyed())
    with pytest.raises(IdempotencyConflict):
        issue(intents, **keyed(), **change)


def test_keys_of_two_callers_are_independent(intents: IntentIssuer) -> None:
    mine = issue(intents, **keyed())
    by_admin = issue(intents, **keyed(), actor_id=GRACE)
    other = issue(intents, **keyed("other"))
    assert len({intent.upload.upload_id for intent in (mine, by_admin, other)}) == 3


def test_repeated_key_creates_new_upload_after_the_first_is_gone(
    intents: IntentIssuer, clock: FakeClock, tables: FakeTables
) -> None:
    first = issue(intents, **keyed())
    clock.pass_(hours=1, seconds=1)
    second = issue(intents, **keyed())
    assert second.upload.upload_id != first.upload.upload_id
    del tables.uploads[ADA, second.upload.upload_id]
    third = issue(intents, **keyed())
    assert issue(intents, **keyed()) == third


def test_key_is_valid_for_a_day(intents: IntentIssuer, clock: FakeClock, tables: FakeTables) -> None:
    upload = issue(intents, **keyed()).upload
    tables.uploads[ADA, upload.upload_id] = replace(upload, state=State.BOUND, expires_at=None)
    clock.pass_(hours=23, minutes=59)
    assert issue(intents, **keyed()).upload.upload_id == upload.upload_id
    clock.pass_(minutes=2)
    assert issue(intents, **keyed()).upload.upload_id != upload.upload_id


def test_length_limit_is_inclusive(intents: IntentIssuer) -> None:
    limit = 20 * 1024 * 1024
    issue(intents, content_length=limit)
    with pytest.raises(UploadTooLarge) as refused:
        issue(intents, content_length=limit + 1)
    assert refused.value.limit == limit


def refused_limit(intents: IntentIssuer) -> tuple[Limit, int]:
    """Return the limit that refuses an intent, and the seconds to wait."""
    with pytest.raises(LimitExceeded) as refused:
        issue(intents)
    return refused.value.limit, refused.value.retry_after


def test_open_intents_are_limited_until_the_form_of_the_first_is_over(intents: IntentIssuer, clock: FakeClock) -> None:
    for _ in range(OPEN):
        issue(intents)
        clock.pass_(seconds=1)
    limit, wait = refused_limit(intents)
    assert (limit, wait) == (Limit.OPEN_INTENTS, 6 * 60 - OPEN)
    clock.pass_(seconds=wait)
    issue(intents)
    assert refused_limit(intents) == (Limit.OPEN_INTENTS, 1)


@pytest.mark.parametrize(("left", "told"), [(2.5, 3), (1.001, 2), (1.0, 1), (0.001, 1)])
def test_retry_after_is_rounded_up(intents: IntentIssuer, clock: FakeClock, left: float, told: int) -> None:
    for _ in range(OPEN):
        issue(intents)
    clock.pass_(seconds=360 - left)
    assert refused_limit(intents) == (Limit.OPEN_INTENTS, told)
    clock.pass_(seconds=told)
    issue(intents)


def test_processed_or_removed_upload_does_not_count_as_open(intents: IntentIssuer, tables: FakeTables) -> None:
    made = [issue(intents).upload for _ in range(OPEN)]
    tables.uploads[ADA, made[0].upload_id] = replace(made[0], state=State.REJECTED)
    tables.uploads[ADA, made[1].upload_id] = replace(made[1], state=State.READY)
    del tables.uploads[ADA, made[2].upload_id]
    for _ in range(3):
        issue(intents)
    assert refused_limit(intents)[0] is Limit.OPEN_INTENTS


def test_rows_of_old_intents_are_not_read(clock: FakeClock, tables: FakeTables) -> None:
    class Counting(FakeUploads):
        reads = 0

        def get(self, owner_id: str, upload_id: str) -> Upload | None:
            self.reads += 1
            return super().get(owner_id, upload_id)

    uploads = Counting(tables)
    intents = IntentIssuer(PendingUploads(uploads, clock, Limits(), Lifetimes()), FakePresigner())
    for _ in range(OPEN):
        issue(intents)
    clock.pass_(minutes=6)
    issue(intents)
    assert uploads.reads == 0


@pytest.mark.parametrize("settles", [State.READY, None], ids=["used", "cancelled"])
def test_twenty_uploads_in_a_row_are_within_the_default_limits(
    intents: IntentIssuer, tables: FakeTables, settles: State | None
) -> None:
    for _ in range(2 * 20):
        upload = issue(intents).upload
        if settles:
            tables.uploads[ADA, upload.upload_id] = replace(upload, state=settles)
        else:
            cancel(FakeUploads(tables), access.grant_own(Caller(ADA)), upload.upload_id)


def test_cancelled_uploads_count_towards_the_hour(intents: IntentIssuer, clock: FakeClock, tables: FakeTables) -> None:
    per_hour = Limits().intents_per_hour
    for _ in range(per_hour):
        cancel(FakeUploads(tables), access.grant_own(Caller(ADA)), issue(intents).upload.upload_id)
        clock.pass_(seconds=10)
    limit, wait = refused_limit(intents)
    assert (limit, wait) == (Limit.INTENTS_PER_HOUR, 3600 - 10 * per_hour)
    issue(intents, owner_id=GRACE)
    clock.pass_(seconds=wait)
    issue(intents)
    assert refused_limit(intents) == (Limit.INTENTS_PER_HOUR, 10)


def test_repeated_key_is_not_counted(intents: IntentIssuer) -> None:
    for _ in range(40):
        issue(intents, **keyed())


def test_create_gives_up_when_quota_stays_full(clock: FakeClock) -> None:
    class Contended(FakeUploads):
        def create(self, *_args: object, **_limits: object) -> None:
            raise QuotaExceeded

    intents = IntentIssuer(PendingUploads(Contended(FakeTables()), clock, Limits(), Lifetimes()), FakePresigner())
    with pytest.raises(Unavailable):
        issue(intents)
