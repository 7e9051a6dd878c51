"""Access: the rules that decide whose pictures a caller may change."""

import pytest

from profile_media.domain import access
from profile_media.domain.access import Access
from profile_media.domain.errors import OwnerForbidden, UserNotFound
from profile_media.domain.model import AutoBind, Caller, Profile
from tests.builders import ADA, GRACE, NOW
from tests.fakes import FakeClock, FakeProfiles, FakeTables

ADMIN = Caller("auth0|admin", is_admin=True, tenant="acme")


@pytest.fixture
def profiles() -> FakeProfiles:
    rows = {user: Profile(user, tenant=tenant, created_at=NOW) for user, tenant in ((ADA, "acme"), (GRACE, "other"))}
    return FakeProfiles(FakeTables(profiles=rows))


def test_access_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError):
        Access(Caller(ADA), GRACE, object())
    with pytest.raises(TypeError):
        Access(Caller(ADA), GRACE)  # type: ignore[call-arg]


def test_every_caller_has_access_to_its_own_pictures() -> None:
    assert access.grant_own(Caller(ADA)).owner_id == ADA


def test_access_to_user_of_same_tenant(profiles: FakeProfiles) -> None:
    assert access.grant_for_user(profiles, FakeClock(), Caller(ADA, tenant="acme"), ADA).owner_id == ADA
    assert access.grant_for_user(profiles, FakeClock(), ADMIN, ADA).owner_id == ADA
    assert access.grant_for_intent(profiles, ADMIN, ADA).owner_id == ADA


@pytest.mark.parametrize(
    ("caller", "user_id", "error"),
    [
        (Caller(ADA, tenant="acme"), GRACE, OwnerForbidden),
        (ADMIN, GRACE, UserNotFound),
        (Caller(ADA, tenant="evil"), ADA, UserNotFound),
        (ADMIN, "unknown", UserNotFound),
    ],
)
def test_access_to_user_is_refused(
    profiles: FakeProfiles, caller: Caller, user_id: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        access.grant_for_user(profiles, FakeClock(), caller, user_id)


@pytest.mark.parametrize(
    ("caller", "user_id", "error"),
    [(Caller(ADA, tenant="acme"), GRACE, OwnerForbidden), (ADMIN, GRACE, UserNotFound)],
)
def test_access_for_intent_is_refused(
    profiles: FakeProfiles, caller: Caller, user_id: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        access.grant_for_intent(profiles, caller, user_id)


def test_intents_are_allowed_for_users_without_a_row(profiles: FakeProfiles) -> None:
    assert access.grant_for_intent(profiles, ADMIN, "unknown").owner_id == "unknown"


def test_own_intent_reads_no_profile() -> None:
    assert access.grant_for_intent(None, Caller(ADA), ADA).owner_id == ADA  # type: ignore[arg-type]


def test_recorded_access_acts_for_the_actor_of_the_intent() -> None:
    recorded = access.grant_recorded(AutoBind(GRACE, "acme"), ADA)
    assert (recorded.owner_id, recorded.caller) == (ADA, Caller(GRACE, tenant="acme"))
