"""The tables of docs/architecture.md agree with the code."""

from profile_media.domain import keys
from profile_media.domain.model import Slot
from profile_media.domain.policy import SIZES
from tests.docs.markdown import code, table

NAME = "docs/architecture.md"


def test_object_keys_are_written_as_in_the_code() -> None:
    for row in table(NAME, header="Key"):
        (key,) = code(row["Key"])

        assert key in (keys.__doc__ or "")


def test_derivatives_are_those_of_the_size_table() -> None:
    documented = {Slot(code(row["Slot"])[0]): row["Derivatives"] for row in table(NAME, header="Slot")}

    assert documented == {
        slot: ", ".join(f"`{size.name}` {size.width} \N{MULTIPLICATION SIGN} {size.height}" for size in sizes)
        for slot, sizes in SIZES.items()
    }
