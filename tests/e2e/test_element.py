"""The element <profile-media-picker> in Chromium, against the local stack, under a strict Content-Security-Policy."""

import io
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Locator, Page, Route, expect

from tests.e2e.clients import CLIENT, Stack, client_page, open_example
from tests.pictures import a_jpeg, a_picture
from tools.local.browser import Browser as Person
from tools.local.browser import send

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.enable_socket]

DELIVER = """(picker, [kind, name, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  picker.focus();
  const event = kind === "drop"
    ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true, composed: true })
    : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true, composed: true });
  picker.dispatchEvent(event);
}"""
"""Drop or paste a file. Scripts cannot do it in another way."""

HIDE = """() => {
  Object.defineProperty(document, "hidden", { value: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
"""Do what the browser does before the page is closed. Playwright cannot answer a preflight of a page that is gone."""


@pytest.fixture
def page(browser: Browser, stack: Stack, errors: list[str]) -> Iterator[Page]:
    """A page that can load the example."""
    with client_page(browser, stack, errors) as opened:
        yield opened


@pytest.fixture
def avatar(page: Page, stack: Stack, built: Path) -> Locator:
    """The avatar's element on the example's page, of a person without pictures."""
    for slot in ("avatar", "cover-image"):
        Person.of(stack, "grace").call("DELETE", f"/media/profile/{slot}")
    open_example(page, stack, built, "element")
    return element(page)


def element(page: Page, slot: str = "avatar") -> Locator:
    return page.locator(f"profile-media-picker[slot-name={slot}]")


def choose(picker: Locator, content: bytes, name: str = "me.jpg") -> None:
    file = FilePayload(name=name, mimeType="image/jpeg", buffer=content)
    picker.locator("input[type=file]").first.set_input_files(file)


def confirm(picker: Locator) -> None:
    picker.get_by_role("button", name="Set picture").click()
    expect(picker.get_by_text("The picture was set.")).to_be_visible()


def shown(picker: Locator) -> str:
    """Return the URL of the current picture, once it is visible."""
    image = picker.get_by_role("img", name="Grace Hopper")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", True)
    return image.get_attribute("src") or ""


def focused(page: Page) -> str:
    text: str = page.evaluate("document.activeElement.shadowRoot?.activeElement?.textContent ?? ''")
    return text


def axe(page: Page) -> list[str]:
    """Return axe-core's findings."""
    page.evaluate((CLIENT / "node_modules/axe-core/axe.min.js").read_text())
    found: list[str] = page.evaluate(
        "async () => (await axe.run()).violations.map((each) => each.id + ' ' + each.nodes.map((node) => node.html))"
    )
    return found


def test_avatar_is_cropped_and_set_with_the_keyboard_alone(
    page: Page, stack: Stack, avatar: Locator, errors: list[str]
) -> None:
    scene = a_picture(900, 1200)
    with page.expect_file_chooser() as chooser:
        avatar.get_by_role("button", name="Choose picture").press("Enter")
    chooser.value.set_files(FilePayload(name="me.jpg", mimeType="image/jpeg", buffer=a_jpeg(picture=scene, quality=95)))
    expect(avatar.get_by_role("application")).to_be_focused()
    for key in ["+"] * 6 + ["Shift+ArrowRight"] * 9 + ["Shift+ArrowDown"] * 9:
        page.keyboard.press(key)
    for _ in ["slider and buttons"] * 6:
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    first = shown(avatar)

    assert focused(page) == "Replace picture"
    picture = Person.of(stack, "grace").profile()["avatar"]
    side = round(900 / 1.1**6)
    assert picture["crop"] == {"x": 0, "y": 0, "width": side, "height": side}  # the picture moved to the right and down
    derivative = Image.open(io.BytesIO(send("GET", first).body)).convert("RGB")
    expected = scene.crop((0, 0, side, side)).resize(derivative.size, Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(derivative, dtype=int) - np.asarray(expected, dtype=int)).mean() < 4
    page.reload()
    assert shown(avatar) == first
    assert errors == []


def test_turned_picture_replaces_the_cover_image(page: Page, stack: Stack, avatar: Locator, errors: list[str]) -> None:
    cover = element(page, "coverImage")
    for width in (600, 602):
        choose(cover, a_jpeg(width, 900))
        cover.get_by_role("button", name="Rotate right").click()
        confirm(cover)
        shown(cover)

    bound = Person.of(stack, "grace").profile()["coverImage"]
    upload = Person.of(stack, "grace").call("GET", f"/media/uploads/{bound['uploadId']}").json()
    assert (upload["width"], upload["height"]) == (900, 602)
    assert bound["crop"] == {"x": 0, "y": 151, "width": 900, "height": 300}
    assert errors == []


def test_removal_can_be_undone_until_the_page_is_hidden(page: Page, stack: Stack, avatar: Locator) -> None:
    choose(avatar, a_jpeg())
    confirm(avatar)
    before = shown(avatar)
    for button, focus in [("Remove", "Undo"), ("Undo", "Replace picture")]:
        avatar.get_by_role("button", name=button).click()
        assert focused(page) == focus
    assert shown(avatar) == before
    assert Person.of(stack, "grace").profile()["avatar"] is not None

    avatar.get_by_role("button", name="Remove").click()
    expect(avatar.get_by_role("img", name="Grace Hopper")).to_have_count(0)
    with page.expect_response(lambda response: response.request.method == "DELETE") as answer:
        page.evaluate(HIDE)

    assert answer.value.status == 204


def test_removal_is_sent_after_six_seconds(page: Page, stack: Stack, built: Path, avatar: Locator) -> None:
    page.clock.install()
    page.reload()
    choose(avatar, a_jpeg())
    page.clock.run_for(1000)
    confirm(avatar)
    avatar.get_by_role("button", name="Remove").click()
    with page.expect_response(lambda response: response.request.method == "DELETE") as answer:
        page.clock.run_for(6000)

    assert answer.value.status == 204
    expect(avatar.get_by_role("button", name="Undo")).to_have_count(0)
    assert focused(page) == "Choose picture"


def test_stopped_upload_can_be_started_again(page: Page, stack: Stack, avatar: Locator, errors: list[str]) -> None:
    held: list[Route] = []
    page.route(stack["uploads"], lambda route: held.append(route) if not held else route.fallback())
    choose(avatar, a_jpeg())
    avatar.get_by_role("button", name="Set picture").click()
    expect(avatar.locator(".phase")).to_have_text("Uploading …")
    avatar.get_by_role("button", name="Stop").click()

    expect(avatar.get_by_role("button", name="Set picture")).to_be_focused()
    confirm(avatar)
    shown(avatar)
    assert errors == []


@pytest.mark.parametrize(
    ("language", "message"), [("en", "This file is not a picture"), ("de", "Diese Datei ist kein Bild")]
)
def test_text_named_like_a_picture_is_refused_in_words(
    *, page: Page, avatar: Locator, errors: list[str], language: str, message: str
) -> None:
    avatar.evaluate("(picker, language) => picker.lang = language", language)
    avatar.evaluate("picker => picker.addEventListener('profile-media-error', ({ detail }) => window.failed = detail)")
    avatar.evaluate(DELIVER, ["drop", "me.jpg", "image/jpeg", b64encode(b"hello").decode()])

    expect(avatar.get_by_text(message)).to_be_visible()
    assert page.evaluate("failed.code") == "unsupported_format"
    assert axe(page) == []
    avatar.evaluate(DELIVER, ["paste", "me.jpg", "image/jpeg", b64encode(a_jpeg()).decode()])
    expect(avatar.get_by_role("dialog")).to_be_visible()
    assert errors == []


@pytest.mark.parametrize(
    ("accepted", "message"), [(False, "This kind of picture is not accepted"), (True, "This browser cannot show")]
)
def test_picture_that_only_the_service_reads_is_sent_without_a_crop(
    avatar: Locator, *, accepted: bool, message: str
) -> None:
    avatar.evaluate("(picker, accepted) => picker.toggleAttribute('accept-heic', accepted)", accepted)

    choose(avatar, b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(999), "me.heic")

    expect(avatar.get_by_text(message)).to_be_visible()
    expect(avatar.get_by_role("button", name="Set picture")).to_have_count(int(accepted))


def test_expired_token_is_explained(page: Page, stack: Stack, built: Path) -> None:
    open_example(page, stack, built, "element", stack["users"]["grace"]["token"][:-4] + "AAAA")

    for slot in ("avatar", "coverImage"):
        expect(element(page, slot).get_by_text("Your sign-in is no longer valid. Sign in again.")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme", "language"), [(280, "light", "ar"), (1440, "dark", "en")])
@pytest.mark.parametrize("slot", ["avatar", "coverImage"])
def test_nothing_overflows_and_axe_finds_nothing(
    *, page: Page, avatar: Locator, errors: list[str], width: int, scheme: str, language: str, slot: str
) -> None:
    picker = element(page, slot)
    page.set_viewport_size({"width": width, "height": 700})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.evaluate("language => document.documentElement.lang = language", language)
    assert axe(page) == []

    choose(picker, a_jpeg(400, 300))

    dialog = picker.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert axe(page) == []
    assert picker.get_by_role("group").first.evaluate("each => getComputedStyle(each).direction") == (
        "rtl" if language == "ar" else "ltr"
    )
    for each in (page.locator("html"), dialog):
        assert each.evaluate("each => each.scrollWidth - each.clientWidth") <= 0
    assert errors == []
