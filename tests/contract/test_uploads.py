"""The Uploads port."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profile_media.domain.model import AutoBind, Reason, State, Upload
from profile_media.domain.ports import IdempotencyKeyInUse, IdempotencyRecord, QuotaEntry, QuotaExceeded, QuotaUsage
from tests.builders import ADA, GRACE, NOW, a_bound_upload, a_ready_upload, an_id, an_upload
from tests.contract.conftest import Ports
from tests.fakes import a_slot_change

LIMITS = {"open_limit": 2, "recent_limit": 3}


def a_record(upload: Upload, **changes: object) -> IdempotencyRecord:
    tomorrow = NOW + timedelta(hours=24)
    record = IdempotencyRecord(upload.owner_id, "k" * 64, "r" * 64, upload.upload_id, tomorrow)
    return replace(record, **changes)  # type: ignore[arg-type]


def create(ports: Ports, upload: Upload, record: IdempotencyRecord | None = None) -> None:
    ports.uploads.create(upload, record, **LIMITS)


@pytest.mark.parametrize(
    "changes",
    [
        {"checksum_sha256": "c" * 43 + "=", "created_at": NOW + timedelta(milliseconds=7)},
        {"auto_bind": AutoBind("auth0|admin", "acme")},
        {"auto_bind": AutoBind(ADA, None)},
    ],
    ids=["checksum", "auto-bind with tenant", "auto-bind"],
)
def test_get_returns_upload_as_created(ports: Ports, changes: dict[str, object]) -> None:
    upload = an_upload(**changes)
    create(ports, upload)
    assert ports.uploads.get(ADA, upload.upload_id) == upload


def test_get_finds_upload_only_by_its_owner_and_id(ports: Ports) -> None:
    create(ports, an_upload())
    assert ports.uploads.get(GRACE, an_id(1)) is None
    assert ports.uploads.get(ADA, an_id(2)) is None


def test_create_same_upload_again_succeeds_and_counts_once(ports: Ports) -> None:
    upload = an_upload()
    create(ports, upload, a_record(upload))
    create(ports, upload, a_record(upload))
    assert ports.uploads.quota_usage(ADA).open == {QuotaEntry(NOW, upload.upload_id)}


def test_create_with_used_key_raises_and_writes_nothing(ports: Ports) -> None:
    first, second = an_upload(), an_upload(upload_id=an_id(2))
    create(ports, first, a_record(first))
    with pytest.raises(IdempotencyKeyInUse):
        create(ports, second, a_record(second))
    assert ports.uploads.get(ADA, an_id(2)) is None
    assert ports.uploads.quota_usage(ADA).recent == {QuotaEntry(NOW, first.upload_id)}
    assert ports.uploads.find_idempotency_record(ADA, "k" * 64) == a_record(first)


def test_create_with_used_key_and_full_quota_raises_key_in_use(ports: Ports) -> None:
    first, second, third = (an_upload(upload_id=an_id(n)) for n in (1, 2, 3))
    create(ports, first, a_record(first))
    create(ports, second)
    with pytest.raises(IdempotencyKeyInUse):
        create(ports, third, a_record(third))


def test_callers_may_use_the_same_key(ports: Ports) -> None:
    mine, hers = an_upload(), an_upload(owner_id=GRACE, upload_id=an_id(2))
    create(ports, mine, a_record(mine))
    create(ports, hers, a_record(hers))
    assert ports.uploads.find_idempotency_record(GRACE, "k" * 64) == a_record(hers)


def test_idempotency_record_belongs_to_caller_not_to_owner(ports: Ports) -> None:
    hers = an_upload(owner_id=GRACE)
    create(ports, hers, a_record(hers, actor_id=ADA))
    mine = an_upload(upload_id=an_id(2))
    with pytest.raises(IdempotencyKeyInUse):
        create(ports, mine, a_record(mine))
    assert ports.uploads.find_idempotency_record(GRACE, "k" * 64) is None


def test_create_replaces_expired_idempotency_record(ports: Ports) -> None:
    first, later = an_upload(), NOW + timedelta(hours=25)
    create(ports, first, a_record(first))
    second = an_upload(upload_id=an_id(2), created_at=later, expires_at=later + timedelta(hours=1))
    create(ports, second, a_record(second, expires_at=later + timedelta(hours=24)))
    found = ports.uploads.find_idempotency_record(ADA, "k" * 64)
    assert found
    assert found.upload_id == an_id(2)


def test_delete_idempotency_record_keeps_record_of_another_upload(ports: Ports) -> None:
    first = an_upload()
    create(ports, first, a_record(first))
    ports.uploads.delete_idempotency_record(a_record(first, upload_id=an_id(9)))
    assert ports.uploads.find_idempotency_record(ADA, "k" * 64)
    for _ in range(2):
        ports.uploads.delete_idempotency_record(a_record(first))
        assert ports.uploads.find_idempotency_record(ADA, "k" * 64) is None


def test_create_raises_at_open_limit_of_owner(ports: Ports) -> None:
    for number in (1, 2):
        create(ports, an_upload(upload_id=an_id(number)))
    with pytest.raises(QuotaExceeded):
        create(ports, an_upload(upload_id=an_id(3)))
    assert ports.uploads.get(ADA, an_id(3)) is None
    create(ports, an_upload(owner_id=GRACE, upload_id=an_id(4)))


def test_create_raises_at_recent_limit_until_entries_are_removed(ports: Ports) -> None:
    for number in (1, 2, 3):
        create(ports, an_upload(upload_id=an_id(number)))
        ports.uploads.remove_quota_entries(ADA, QuotaUsage(open=ports.uploads.quota_usage(ADA).open))
    with pytest.raises(QuotaExceeded):
        create(ports, an_upload(upload_id=an_id(4)))
    stale = frozenset({QuotaEntry(NOW, an_id(1)), QuotaEntry(NOW, an_id(99))})
    ports.uploads.remove_quota_entries(ADA, QuotaUsage(recent=stale))
    create(ports, an_upload(upload_id=an_id(4)))
    assert {entry.upload_id for entry in ports.uploads.quota_usage(ADA).recent} == {an_id(2), an_id(3), an_id(4)}


def test_quota_of_unknown_owner_is_empty(ports: Ports) -> None:
    assert ports.uploads.quota_usage(ADA) == QuotaUsage()
    ports.uploads.remove_quota_entries(ADA, QuotaUsage())


@pytest.mark.parametrize(
    "result", [a_ready_upload(), an_upload(state=State.REJECTED, reason=Reason.CORRUPT)], ids=["ready", "rejected"]
)
def test_save_result_writes_once(ports: Ports, result: Upload) -> None:
    create(ports, an_upload())
    assert ports.uploads.save_result(result, NOW)
    assert ports.uploads.get(ADA, an_id(1)) == result
    assert not ports.uploads.save_result(replace(result, state=State.REJECTED, reason=Reason.TOO_SMALL), NOW)
    assert ports.uploads.get(ADA, an_id(1)) == result


def test_save_result_keeps_auto_bind(ports: Ports) -> None:
    auto_bind = AutoBind(ADA, "acme")
    create(ports, an_upload(auto_bind=auto_bind))
    assert ports.uploads.save_result(a_ready_upload(auto_bind=auto_bind), NOW)
    assert ports.uploads.get(ADA, an_id(1)) == a_ready_upload(auto_bind=auto_bind)


def test_save_result_rejects_expired_upload(ports: Ports) -> None:
    create(ports, an_upload())
    assert not ports.uploads.save_result(a_ready_upload(), NOW + timedelta(hours=1))
    assert ports.uploads.save_result(a_ready_upload(), NOW + timedelta(minutes=59, seconds=59))


@pytest.mark.parametrize("result", [None, a_ready_upload(), an_upload(state=State.REJECTED, reason=Reason.CORRUPT)])
def test_delete_removes_row_and_open_entry_but_not_recent_one(ports: Ports, result: Upload | None) -> None:
    create(ports, an_upload())
    create(ports, an_upload(upload_id=an_id(2)))
    assert result is None or ports.uploads.save_result(result, NOW)
    for _ in range(2):
        assert ports.uploads.delete(result or an_upload())
        assert ports.uploads.get(ADA, an_id(1)) is None
        assert ports.uploads.quota_usage(ADA).open == {QuotaEntry(NOW, an_id(2))}
    assert len(ports.uploads.quota_usage(ADA).recent) == 2


def test_delete_of_missing_row_without_quota_succeeds(ports: Ports) -> None:
    assert ports.uploads.delete(an_upload())
    assert ports.uploads.quota_usage(ADA) == QuotaUsage()


def test_delete_refuses_bound_upload(ports: Ports) -> None:
    create(ports, an_upload())
    assert ports.uploads.save_result(a_ready_upload(), NOW)
    assert ports.attachments.change_slot(a_slot_change(a_ready_upload()))
    entries = ports.uploads.quota_usage(ADA)
    assert not ports.uploads.delete(a_ready_upload())
    assert ports.uploads.get(ADA, an_id(1)) == a_bound_upload()
    assert ports.uploads.quota_usage(ADA) == entries


def test_save_result_does_not_recreate_missing_row(ports: Ports) -> None:
    assert not ports.uploads.save_result(a_ready_upload(), NOW)
    assert ports.uploads.get(ADA, an_id(1)) is None
