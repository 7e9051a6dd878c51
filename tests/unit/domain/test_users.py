"""Who users are: just in time, and only within their tenant."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from profile_media.domain import users
from profile_media.domain.errors import OwnerForbidden, UserNotFound
from profile_media.domain.model import Caller, Identity, Profile, Slot
from tests.builders import ADA, GRACE, NOW, a_ready_upload
from tests.fakes import FakeClock, FakeProfiles, FakeTables, attachment_of

CALLER = Caller(ADA, identity=Identity(first_name="Ada", picture_url="https://example.com/ada.png"))
ADMIN = Caller("auth0|admin", is_admin=True)


@pytest.fixture
def tables() -> FakeTables:
    return FakeTables()


def test_the_first_call_writes_the_user_and_later_ones_only_what_is_new(tables: FakeTables) -> None:
    class Counting(FakeProfiles):
        written = 0

        def identify(self, *who: object) -> bool:
            self.written += 1
            return super().identify(*who)  # type: ignore[arg-type]

    profiles, clock = Counting(tables), FakeClock()
    first = users.load_own_profile(profiles, clock, CALLER)
    assert (first.identity, first.created_at) == (CALLER.identity, NOW)
    clock.pass_(hours=1)
    assert users.load_own_profile(profiles, clock, CALLER) == first
    assert profiles.written == 1
    married = replace(CALLER, identity=replace(CALLER.identity, last_name="Lovelace"))
    assert users.load_own_profile(profiles, clock, married).identity == married.identity
    assert tables.profiles[ADA].created_at == NOW
    assert profiles.written == 2


def test_what_a_later_token_does_not_mention_stays(tables: FakeTables) -> None:
    profiles, clock = FakeProfiles(tables), FakeClock()
    users.load_own_profile(profiles, clock, CALLER)
    terse = replace(CALLER, identity=Identity(last_name="Lovelace"))
    assert users.load_own_profile(profiles, clock, terse).identity == replace(CALLER.identity, last_name="Lovelace")


def test_a_new_provider_picture_never_replaces_an_uploaded_one(tables: FakeTables) -> None:
    bound = Profile(ADA).with_attachment(Slot.AVATAR, attachment_of(a_ready_upload()), NOW)
    tables.profiles[ADA] = bound
    profile = users.load_own_profile(FakeProfiles(tables), FakeClock(), CALLER)
    assert profile.attachments == bound.attachments
    assert profile.identity.picture_url == "https://example.com/ada.png"


def test_a_user_acts_for_itself_and_an_administrator_for_any_existing_user(tables: FakeTables) -> None:
    profiles, clock = FakeProfiles(tables), FakeClock()
    assert users.find(profiles, clock, CALLER, ADA).user_id == ADA
    assert users.find(profiles, clock, ADMIN, ADA).identity == CALLER.identity
    with pytest.raises(OwnerForbidden):
        users.find(profiles, clock, CALLER, GRACE)
    with pytest.raises(UserNotFound):
        users.find(profiles, clock, ADMIN, GRACE)
    assert set(tables.profiles) == {ADA}


@pytest.mark.parametrize(("mine", "theirs"), [("acme", "evil"), ("acme", None), (None, "acme")])
def test_another_tenants_user_is_not_there(tables: FakeTables, mine: str | None, theirs: str | None) -> None:
    profiles, clock = FakeProfiles(tables), FakeClock()
    users.load_own_profile(profiles, clock, replace(CALLER, tenant=theirs))
    before = dict(tables.profiles)
    acts: list[Callable[[], Profile]] = [
        lambda: users.find(profiles, clock, replace(ADMIN, tenant=mine), ADA),
        lambda: users.load_own_profile(profiles, clock, replace(CALLER, tenant=mine)),
        lambda: users.write(profiles, clock, ADA, mine, Identity(first_name="Eve")),
    ]
    for act in acts:
        with pytest.raises(UserNotFound):
            act()
    assert tables.profiles == before


def test_an_administrator_writes_a_user_who_has_not_signed_in_yet(tables: FakeTables) -> None:
    profiles, clock = FakeProfiles(tables), FakeClock()
    written = users.write(profiles, clock, GRACE, "acme", Identity(first_name="Grace"))
    assert (written.identity.first_name, written.tenant, written.created_at) == ("Grace", "acme", NOW)
    signed_in = Caller(GRACE, tenant="acme", identity=Identity(first_name="Grace", email="grace@example.com"))
    assert users.load_own_profile(profiles, clock, signed_in).identity == signed_in.identity
