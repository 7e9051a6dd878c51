"""Public ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_media.domain.errors import ReferenceInvalid
from profile_media.domain.model import Slot
from profile_media.domain.references import Reference, bound_public_id, parse_public_id, temporary_public_id
from tests.builders import ADA, an_id


def test_public_ids_round_trip() -> None:
    assert parse_public_id("app", temporary_public_id("app", ADA, an_id(1))) == Reference(ADA, an_id(1))
    for slot in Slot:
        text = bound_public_id("app", ADA, slot, an_id(1))
        assert parse_public_id("app", text) == Reference(ADA, an_id(1), slot)


@given(st.text())
def test_accepted_text_is_a_public_id_that_we_write(text: str) -> None:
    try:
        reference = parse_public_id("app", text)
    except ReferenceInvalid:
        return
    assert text in {
        temporary_public_id("app", reference.owner_id, reference.upload_id),
        *(bound_public_id("app", reference.owner_id, slot, reference.upload_id) for slot in Slot),
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "suffa/temp/user_69831b4bc58eff75b4210b8e/images/1770147195",
        temporary_public_id("other", ADA, an_id(1)),
        temporary_public_id("app", ADA, an_id(1)) + "\n",
        temporary_public_id("app", ADA, an_id(1)) + "/..",
        temporary_public_id("app", ADA, an_id(1)).replace("/images/", "/images/../images/"),
        temporary_public_id("app", ADA, an_id(1)).replace("temp/", ""),
        bound_public_id("app", ADA, Slot.AVATAR, an_id(1)).replace("avatar", "banner"),
        "app/temp/user______/images/" + an_id(1),
    ],
)
def test_foreign_public_ids_are_refused(text: str) -> None:
    with pytest.raises(ReferenceInvalid):
        parse_public_id("app", text)
