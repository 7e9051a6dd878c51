"""How much of a form is kept, and for how long."""

from io import BytesIO

import pytest

from tests.local.s3_edge.forms import ACCESS_KEY, BOUNDARY, NOW, REGION, SECRET, UPLOADS, Form, closed, part
from tools.local.s3_edge import form
from tools.local.s3_edge.evaluation import Permission, evaluate
from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.form import read_form
from tools.local.s3_edge.refusal import Refusal
from tools.local.s3_edge.signature import Keys

CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


class Spool(BytesIO):
    """A spool that remembers what it held, and that it was closed."""

    made: "list[Spool]"

    def __init__(self, _in_memory: int) -> None:
        super().__init__()
        self.held = 0
        self.made.append(self)

    def __class_getitem__(cls, _: type) -> "type[Spool]":
        return cls

    def close(self) -> None:
        self.held = len(self.getvalue()) if not self.closed else self.held
        super().close()


@pytest.fixture
def spools(monkeypatch: pytest.MonkeyPatch) -> list[Spool]:
    """Every spool that reading a form makes."""
    Spool.made = []
    monkeypatch.setattr(form, "SpooledTemporaryFile", Spool)
    return Spool.made


def admit(fields: Fields, filename: str | None) -> Permission:
    """As the edge does."""
    return evaluate(fields, filename, bucket=UPLOADS, keys=Keys({ACCESS_KEY: SECRET}, REGION), now=NOW)


def code_of(body: bytes) -> str:
    """What reading this form is refused with."""
    with pytest.raises(Refusal) as caught:
        read_form(BytesIO(body), CONTENT_TYPE, admit)
    return caught.value.code


def test_nothing_is_kept_of_a_file_whose_form_is_refused(spools: list[Spool]) -> None:
    assert code_of(Form(secret="guessed", file=bytes(500_000)).body()) == "SignatureDoesNotMatch"
    assert spools == []


def test_no_more_is_kept_than_the_policy_allows(spools: list[Spool]) -> None:
    limited = Form(file=bytes(5_000_000), conditions=[["content-length-range", 1, 100_000]])
    assert code_of(limited.body()) == "EntityTooLarge"
    assert [spool.closed and spool.held <= 100_000 for spool in spools] == [True]


def test_no_more_is_kept_than_a_laptop_should(spools: list[Spool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "LARGEST_FILE", 100_000)
    with pytest.raises(Refusal) as caught:
        read_form(BytesIO(Form(file=bytes(100_001)).body()), CONTENT_TYPE, admit)
    assert caught.value.details == {"ProposedSize": "100001", "MaxSizeAllowed": "100000"}
    assert [spool.closed and spool.held <= 100_000 for spool in spools] == [True]


@pytest.mark.parametrize(
    "body",
    [
        Form(file=bytes(200_000)).body()[:150_000],
        Form(after=[("file", "another")]).body(),
        Form(conditions=[["content-length-range", 1, 2]]).body(),
    ],
)
def test_what_was_kept_is_let_go_when_the_form_turns_out_wrong(spools: list[Spool], body: bytes) -> None:
    code_of(body)
    assert [spool.closed for spool in spools] == [True]


def test_a_file_is_handed_over_from_its_start(spools: list[Spool]) -> None:
    received = read_form(BytesIO(Form(file=b"picture").body()), CONTENT_TYPE, admit)
    assert (received.content.read(), received.size) == (b"picture", 7)
    assert not spools[0].closed


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 1000])
def test_a_form_may_arrive_in_pieces(chunk: int) -> None:
    class Slow(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(chunk, size or 0))

    file = b"\r\n--" + BOUNDARY[:-1].encode() + b"\r\r\n"
    body = Form(file=file).body()
    received = read_form(Slow(body), CONTENT_TYPE, admit)
    with received.content as content:
        assert content.read() == file


@pytest.mark.parametrize(
    "content_type",
    [
        f"Multipart/Form-Data; Boundary={BOUNDARY}",
        f'multipart/form-data; charset=utf-8; boundary="{BOUNDARY}"',
        f"multipart/form-data;boundary={BOUNDARY}",
    ],
)
def test_spellings_of_the_type(content_type: str) -> None:
    with read_form(BytesIO(Form().body()), content_type, admit).content as content:
        assert content.read() == Form().file


def test_what_surrounds_the_form_is_ignored() -> None:
    body = b"a preamble\r\n" + Form().body() + b"an epilogue"
    with read_form(BytesIO(body), CONTENT_TYPE, admit).content as content:
        assert content.read() == Form().file


def test_exactly_20_kilobytes_of_fields_may_come_before_the_file() -> None:
    empty = closed([part("x-ignore-a", b""), *(part(name, value.encode()) for name, value in Form().sent_fields())])
    room = form.MOST_BEFORE_FILE - (len(empty) - len(f"--{BOUNDARY}--\r\n"))
    read_form(BytesIO(Form(before=[("x-ignore-a", "a" * room)]).body()), CONTENT_TYPE, admit).content.close()
    assert code_of(Form(before=[("x-ignore-a", "a" * (room + 1))]).body()) == "MaxPostPreDataLengthExceeded"
