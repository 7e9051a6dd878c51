"""Giving up uploads."""

from dataclasses import replace

import pytest

from profile_media.domain import access
from profile_media.domain.cancel import cancel
from profile_media.domain.errors import UploadBound
from profile_media.domain.model import Caller, State, Upload
from profile_media.domain.ports import QuotaUsage
from tests.builders import ADA, GRACE, a_bound_upload, a_ready_upload, an_id, an_upload
from tests.fakes import FakeTables, FakeUploads


class Racing(FakeUploads):
    """Uploads of which one is bound just before it is deleted."""

    def delete(self, upload: Upload) -> bool:
        self._tables.uploads[upload.owner_id, upload.upload_id] = replace(upload, state=State.BOUND, expires_at=None)
        return super().delete(upload)


@pytest.mark.parametrize(
    "row", [an_upload(), a_ready_upload(), an_upload(state=State.REJECTED)], ids=lambda upload: upload.state
)
def test_cancel_deletes_unbound_upload_and_its_quota_entry_once(row: Upload) -> None:
    uploads = FakeUploads(tables := FakeTables())
    uploads.create(an_upload(), None, open_limit=1, recent_limit=1)
    tables.uploads[ADA, an_id(1)] = row
    assert cancel(uploads, access.grant_own(Caller(ADA)), an_id(1)) == row
    assert cancel(uploads, access.grant_own(Caller(ADA)), an_id(1)) is None
    assert (tables.uploads, uploads.quota_usage(ADA).open) == ({}, QuotaUsage().open)
    assert uploads.quota_usage(ADA).recent != QuotaUsage().recent


def test_cancel_leaves_uploads_of_others() -> None:
    tables = FakeTables(uploads={(ADA, an_id(1)): an_upload()})
    assert cancel(FakeUploads(tables), access.grant_own(Caller(GRACE, is_admin=True)), an_id(1)) is None
    assert tables.uploads


@pytest.mark.parametrize(("adapter", "row"), [(FakeUploads, a_bound_upload()), (Racing, a_ready_upload())])
def test_cancel_refuses_bound_upload(adapter: type[FakeUploads], row: Upload) -> None:
    tables = FakeTables(uploads={(ADA, an_id(1)): row})
    with pytest.raises(UploadBound):
        cancel(adapter(tables), access.grant_own(Caller(ADA)), an_id(1))
    assert tables.uploads[ADA, an_id(1)].state is State.BOUND
