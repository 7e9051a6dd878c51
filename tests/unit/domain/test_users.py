"""Users: saved when they first call, and visible only within their tenant."""

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


def test_load_own_profile_writes_only_news(tables: FakeTables) -> None:
    class Counting(FakeProfiles):
        written = 0

        def save_identity(self, *who: object) -> bool:
            self.written += 1
            return super().save_identity(*who)  # type: ignore[arg-type]

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


def test_load_own_profile_keeps_fields_that_a_later_token_leaves_out(tables: FakeTables) -> None:
    profiles, clock = FakeProfiles(tables), FakeClock()
    users.load_own_profile(profiles, clock, CALLER)
    terse = replace(CALLER, identity=Identity(last_name="Lovelace"))
    assert users.load_own_profile(profiles, clock, terse).identity == replace(CALLER.identity, last_name="Lovelace")


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (Identity(last_name="Lovelace"), True),
        (Identity(email="new@example.com"), False),
        (Identity(email="new@example.com", email_verified=True), True),
    ],
    ids=["no e-mail", "unverified e-mail", "verified e-mail"],
)
def test_email_verified_changes_only_with_an_email(token: Identity, expected: bool) -> None:
    known = Identity(email="ada@example.com", email_verified=True)

    assert known.merged_with(token).email_verified is expected
    assert replace(known, email_verified=False).merged_with(token).email_verified is (token.email_verified)


def test_load_own_profile_keeps_the_slots(tables: FakeTables) -> None:
    bound = Profile(ADA).with_attachment(Slot.AVATAR, attachment_of(a_ready_upload()), NOW)
    tables.profiles[ADA] = bound
    profile = users.load_own_profile(FakeProfiles(tables), FakeClock(), CALLER)
    assert profile.attachments == bound.attachments
    assert profile.identity.picture_url == "https://example.com/ada.png"


def test_find_returns_own_user_or_any_existing_user_to_administrator(tables: FakeTables) -> None:
    profiles, clock = FakeProfiles(tables), FakeClock()
    assert users.find(profiles, clock, CALLER, ADA).user_id == ADA
    assert users.find(profiles, clock, ADMIN, ADA).identity == CALLER.identity
    with pytest.raises(OwnerForbidden):
        users.find(profiles, clock, CALLER, GRACE)
    with pytest.raises(UserNotFound):
        users.find(profiles, clock, ADMIN, GRACE)
    assert set(tables.profiles) == {ADA}


@pytest.mark.parametrize(("mine", "theirs"), [("acme", "evil"), ("acme", None), (None, "acme")])
def test_user_of_another_tenant_is_not_found(tables: FakeTables, mine: str | None, theirs: str | None) -> None:
    profiles, clock = FakeProfiles(tables), FakeClock()
    users.load_own_profile(profiles, clock, replace(CALLER, tenant=theirs))
    before = dict(tables.profiles)
    acts: list[Callable[[], Profile]] = [
        lambda: users.find(profiles, clock, replace(ADMIN, tenant=mine), ADA),
        lambda: users.load_own_profile(profiles, clock, replace(CALLER, tenant=mine)),
        lambda: users.write(profiles, clock, replace(ADMIN, tenant=mine), ADA, Identity(first_name="Eve")),
    ]
    for act in acts:
        with pytest.raises(UserNotFound):
            act()
    assert tables.profiles == before


def test_administrator_writes_user_before_first_sign_in(tables: FakeTables) -> None:
    profiles, clock = FakeProfiles(tables), FakeClock()
    written = users.write(profiles, clock, replace(ADMIN, tenant="acme"), GRACE, Identity(first_name="Grace"))
    assert (written.identity.first_name, written.tenant, written.created_at) == ("Grace", "acme", NOW)
    signed_in = Caller(GRACE, tenant="acme", identity=Identity(first_name="Grace", email="grace@example.com"))
    assert users.load_own_profile(profiles, clock, signed_in).identity == signed_in.identity


def test_only_administrators_write_users(tables: FakeTables) -> None:
    with pytest.raises(OwnerForbidden):
        users.write(FakeProfiles(tables), FakeClock(), CALLER, ADA, Identity())
    assert tables.profiles == {}
