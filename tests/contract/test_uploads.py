"""The Uploads port."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profile_media.domain.model import Reason, State, Upload
from profile_media.domain.ports import IdempotencyKeyInUse, IdempotencyRecord, QuotaEntry, QuotaExceeded, QuotaUsage
from tests.builders import ADA, GRACE, NOW, a_ready_upload, an_id, an_upload
from tests.contract.conftest import Ports

LIMITS = {"open_limit": 2, "recent_limit": 3}


def remembered(upload: Upload, **changes: object) -> IdempotencyRecord:
    day = NOW + timedelta(hours=24)
    return replace(IdempotencyRecord(upload.owner_id, "k" * 64, "r" * 64, upload.upload_id, day), **changes)  # type: ignore[arg-type]


def create(ports: Ports, upload: Upload, key: IdempotencyRecord | None = None) -> None:
    ports.uploads.create(upload, key, **LIMITS)


def test_what_was_created_is_read_back_whole(ports: Ports) -> None:
    upload = an_upload(checksum_sha256="c" * 43 + "=", created_at=NOW + timedelta(milliseconds=7))
    create(ports, upload)
    assert ports.uploads.get(ADA, upload.upload_id) == upload


def test_an_upload_is_found_under_its_owner_only(ports: Ports) -> None:
    create(ports, an_upload())
    assert ports.uploads.get(GRACE, an_id(1)) is None
    assert ports.uploads.get(ADA, an_id(2)) is None


def test_creating_the_same_upload_again_succeeds_and_counts_once(ports: Ports) -> None:
    upload = an_upload()
    create(ports, upload, remembered(upload))
    create(ports, upload, remembered(upload))
    assert ports.uploads.quota_usage(ADA).open == {QuotaEntry(NOW, upload.upload_id)}


def test_a_key_in_use_is_taken_and_nothing_is_written(ports: Ports) -> None:
    first, second = an_upload(), an_upload(upload_id=an_id(2))
    create(ports, first, remembered(first))
    with pytest.raises(IdempotencyKeyInUse):
        create(ports, second, remembered(second))
    assert ports.uploads.get(ADA, an_id(2)) is None
    assert ports.uploads.quota_usage(ADA).recent == {QuotaEntry(NOW, first.upload_id)}
    assert ports.uploads.find_idempotency_record(ADA, "k" * 64) == remembered(first)


def test_a_taken_key_wins_over_a_full_quota(ports: Ports) -> None:
    first, second, third = (an_upload(upload_id=an_id(n)) for n in (1, 2, 3))
    create(ports, first, remembered(first))
    create(ports, second)
    with pytest.raises(IdempotencyKeyInUse):
        create(ports, third, remembered(third))


def test_keys_are_the_callers_own(ports: Ports) -> None:
    mine, hers = an_upload(), an_upload(owner_id=GRACE, upload_id=an_id(2))
    create(ports, mine, remembered(mine))
    create(ports, hers, remembered(hers))
    assert ports.uploads.find_idempotency_record(GRACE, "k" * 64) == remembered(hers)


def test_a_key_is_kept_with_who_used_it_not_with_the_owner(ports: Ports) -> None:
    hers = an_upload(owner_id=GRACE)
    create(ports, hers, remembered(hers, actor_id=ADA))
    mine = an_upload(upload_id=an_id(2))
    with pytest.raises(IdempotencyKeyInUse):
        create(ports, mine, remembered(mine))
    assert ports.uploads.find_idempotency_record(GRACE, "k" * 64) is None


def test_an_expired_key_is_free(ports: Ports) -> None:
    first, later = an_upload(), NOW + timedelta(hours=25)
    create(ports, first, remembered(first))
    second = an_upload(upload_id=an_id(2), created_at=later, expires_at=later + timedelta(hours=1))
    create(ports, second, remembered(second, expires_at=later + timedelta(hours=24)))
    found = ports.uploads.find_idempotency_record(ADA, "k" * 64)
    assert found
    assert found.upload_id == an_id(2)


def test_forgetting_frees_a_key_only_while_it_names_that_upload(ports: Ports) -> None:
    first = an_upload()
    create(ports, first, remembered(first))
    ports.uploads.delete_idempotency_record(remembered(first, upload_id=an_id(9)))
    assert ports.uploads.find_idempotency_record(ADA, "k" * 64)
    ports.uploads.delete_idempotency_record(remembered(first))
    ports.uploads.delete_idempotency_record(remembered(first))
    assert ports.uploads.find_idempotency_record(ADA, "k" * 64) is None


def test_the_open_limit_holds(ports: Ports) -> None:
    for number in (1, 2):
        create(ports, an_upload(upload_id=an_id(number)))
    with pytest.raises(QuotaExceeded):
        create(ports, an_upload(upload_id=an_id(3)))
    assert ports.uploads.get(ADA, an_id(3)) is None
    create(ports, an_upload(owner_id=GRACE, upload_id=an_id(4)))


def test_the_recent_limit_holds_when_open_ones_are_pruned(ports: Ports) -> None:
    for number in (1, 2, 3):
        create(ports, an_upload(upload_id=an_id(number)))
        ports.uploads.remove_quota_entries(ADA, QuotaUsage(open=ports.uploads.quota_usage(ADA).open))
    with pytest.raises(QuotaExceeded):
        create(ports, an_upload(upload_id=an_id(4)))
    ports.uploads.remove_quota_entries(
        ADA, QuotaUsage(recent=frozenset({QuotaEntry(NOW, an_id(1)), QuotaEntry(NOW, an_id(99))}))
    )
    create(ports, an_upload(upload_id=an_id(4)))
    assert {asked.upload_id for asked in ports.uploads.quota_usage(ADA).recent} == {an_id(2), an_id(3), an_id(4)}


def test_an_owner_who_never_asked_has_an_empty_quota(ports: Ports) -> None:
    assert ports.uploads.quota_usage(ADA) == QuotaUsage()
    ports.uploads.remove_quota_entries(ADA, QuotaUsage())


@pytest.mark.parametrize(
    "settled", [a_ready_upload(), an_upload(state=State.REJECTED, reason=Reason.CORRUPT)], ids=["ready", "rejected"]
)
def test_a_pending_upload_is_settled_once(ports: Ports, settled: Upload) -> None:
    create(ports, an_upload())
    assert ports.uploads.settle(settled, NOW)
    assert ports.uploads.get(ADA, an_id(1)) == settled
    assert not ports.uploads.settle(replace(settled, state=State.REJECTED, reason=Reason.TOO_SMALL), NOW)
    assert ports.uploads.get(ADA, an_id(1)) == settled


def test_an_expired_upload_is_not_settled(ports: Ports) -> None:
    create(ports, an_upload())
    assert not ports.uploads.settle(a_ready_upload(), NOW + timedelta(hours=1))
    assert ports.uploads.settle(a_ready_upload(), NOW + timedelta(minutes=59, seconds=59))


def test_an_upload_that_is_gone_is_not_settled_back_into_being(ports: Ports) -> None:
    assert not ports.uploads.settle(a_ready_upload(), NOW)
    assert ports.uploads.get(ADA, an_id(1)) is None
