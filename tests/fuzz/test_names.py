"""Parse any reference to an upload, a user or an object: it is read exactly or refused."""

from urllib.parse import quote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from profile_media.domain import keys
from profile_media.domain.errors import ReferenceInvalid, UserNotFound
from profile_media.domain.formats import ContentType
from profile_media.domain.model import Caller, Slot
from profile_media.domain.references import (
    MAX_URL_LENGTH,
    Reference,
    bound_public_id,
    parse_media_url,
    parse_public_id,
    temporary_public_id,
)
from profile_media.http.request import Request
from profile_media.http.user_id import parse_user_id
from tests.builders import ADA, a_derivative
from tests.fuzz.grammars import mutated, owners, slots, upload_ids
from tests.requests import LINKS

BASE = "https://media.example.com"

public_ids = st.builds(temporary_public_id, st.sampled_from(("app", "other", "app2")), owners, upload_ids) | st.builds(
    bound_public_id, st.sampled_from(("app", "other", "")), owners, slots, upload_ids
)
media_urls = st.builds(
    lambda upload_id, name, content, kind: (
        f"{BASE}/{keys.media_key(upload_id, a_derivative(name=name, content=content, content_type=kind))}"
    ),
    upload_ids,
    st.sampled_from(("full", "thumb", "master", "a")),
    st.binary(max_size=3),
    st.sampled_from(list(ContentType)),
)
labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
other_urls = st.builds(
    lambda host, port, path, query: (
        "https://" + ".".join(host) + port + "".join(f"/{segment}" for segment in path) + query
    ),
    st.lists(labels, min_size=1, max_size=4),
    st.just("") | st.integers(0, 70_000).map(":{}".format),
    st.lists(st.text("abcXYZ019._~!$&*+,=:@%-();2Ff", max_size=8), max_size=3),
    st.just("") | st.text("abc019._~/?&=%-();#", max_size=12).map("?{}".format),
)


@given(public_ids | mutated(public_ids) | st.text())
def test_parsed_public_id_is_written_back_unchanged(text: str) -> None:
    try:
        reference = parse_public_id("app", text)
    except ReferenceInvalid:
        return
    named = "app", reference.owner_id
    slot = reference.bound_slot
    again = (
        bound_public_id(*named, slot, reference.upload_id) if slot else temporary_public_id(*named, reference.upload_id)
    )
    assert text == again


@given(owners, slots, upload_ids)
def test_written_public_id_is_parsed(owner: str, slot: Slot, upload_id: str) -> None:
    for text in (temporary_public_id("app", owner, upload_id), bound_public_id("app", owner, slot, upload_id)):
        reference = parse_public_id("app", text)
        assert (reference.owner_id, reference.upload_id) == (owner, upload_id)


@given(media_urls | mutated(media_urls) | other_urls | mutated(other_urls) | st.text())
def test_url_is_ours_exactly_or_external_or_refused(url: str) -> None:
    try:
        reference = parse_media_url(BASE, ADA, url)
    except ReferenceInvalid:
        return
    if isinstance(reference, Reference):
        assert url == f"{BASE}/{reference.media_key}"
        assert (reference.media_key or "").startswith(f"media/{reference.upload_id}/")
        return
    read = urlsplit(url)
    assert url.isascii()
    assert url.isprintable()
    assert read.scheme == "https"
    assert (read.username, read.password) == (None, None)
    assert read.hostname == reference.host == url.split("/")[2].partition(":")[0]
    assert read.netloc.removeprefix(reference.host) in ("", f":{read.port}")
    assert reference.url == url.partition("#")[0]
    assert read.hostname != urlsplit(BASE).hostname
    assert ".." not in read.path.split("/")
    assert len(url) <= MAX_URL_LENGTH


@given(st.builds(keys.incoming_key, owners, upload_ids), st.data())
def test_parsed_key_is_built_back_unchanged(good: str, data: st.DataObject) -> None:
    text = data.draw(mutated(st.just(good)) | st.text())
    assert keys.parse_incoming_key(good)
    parsed = keys.parse_incoming_key(text)
    assert parsed is None or keys.incoming_key(*parsed) == text


@given(owners.map(keys.encode_owner) | mutated(owners.map(keys.encode_owner)) | st.text())
def test_owner_has_one_encoding(text: str) -> None:
    owner = keys.decode_owner(text)
    assert owner is None or keys.encode_owner(owner) == text


@given(owners.map(quote) | mutated(owners.map(quote)) | st.text())
def test_user_id_of_path_is_quoted_back_unchanged(text: str) -> None:
    def parse(path: str) -> str:
        return parse_user_id(Request(Caller(ADA), "correlation", LINKS, path={"user_id": path}))

    try:
        user_id = parse(text)
    except UserNotFound:
        return
    assert user_id.isprintable()
    assert len(user_id.encode()) <= 255
    assert parse(quote(user_id)) == user_id
