"""The profile page in Chromium, against the local stack. The element's own tests cover its dialog in detail."""

import json
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import jwt
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from profile_media.domain.formats import ContentType
from tests.e2e.pages import Person, Stack, a_jpeg_file, people
from tests.pictures import a_file, a_jpeg, a_picture
from tools.local.browser import send
from tools.local.launch import launched

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.enable_socket]

NAMES = {"avatar": "Profile picture", "coverImage": "Cover image"}
PATHS = {"avatar": "avatar", "coverImage": "cover-image"}
FORM = re.compile(r"/profile-media-local-uploads")
JARGON = re.compile(r"pending|bound|unsupported_format|uploadId|http", re.IGNORECASE)


def open_as(page: Page, stack: Stack, person: Person) -> None:
    """Sign a person without pictures in."""
    clear(stack, person)
    page.goto(stack["page"])
    sign_in(page, person)


def clear(stack: Stack, person: Person) -> None:
    """Remove a person's pictures."""
    for slot in PATHS.values():
        send("DELETE", f"{stack['api']}/media/profile/{slot}", None, {"Authorization": f"Bearer {person['token']}"})


def sign_in(page: Page, person: Person) -> None:
    page.get_by_role("button", name=person["name"]).click()
    expect(page.get_by_role("heading", name="Your profile")).to_be_focused()


def section(page: Page, slot: str) -> Locator:
    """Return the settings of a slot."""
    return page.get_by_role("region", name=NAMES[slot])


def choose(page: Page, slot: str, file: Any = None) -> None:
    section(page, slot).locator("input[type=file]").first.set_input_files(file or a_jpeg_file())


def put(page: Page, slot: str, file: Any = None) -> str:
    """Set a picture. Return the id of what others see."""
    choose(page, slot, file)
    page.get_by_role("button", name="Set picture").click()
    expect(section(page, slot)).to_contain_text("The picture was set.")
    return shown(page, slot)


def seen(page: Page, slot: str) -> Locator:
    """Return the picture that others see in a slot."""
    return page.get_by_role("region", name="How others see you").get_by_role("img", name=f"{NAMES[slot]} of")


def shown(page: Page, slot: str) -> str:
    """Return the id of the picture that others see, once it has loaded."""
    expect(seen(page, slot)).to_have_js_property("complete", True)
    source: str = seen(page, slot).evaluate("image => image.naturalWidth ? image.currentSrc : ''")
    return source.split("/")[-2]


@pytest.mark.parametrize("slot", NAMES)
def test_picture_is_cropped_set_replaced_and_removed(*, page: Page, stack: Stack, errors: list[str], slot: str) -> None:
    open_as(page, stack, people(stack)[1])
    with page.expect_request("**/media/intents") as intent:
        choose(page, slot, a_jpeg_file(a_jpeg(1800, 1500)))
        expect(section(page, slot).get_by_label("Part of the picture")).to_be_focused()
        for key in ("+", "ArrowDown"):
            page.keyboard.press(key)
        page.get_by_role("button", name="Set picture").click()
    expect(section(page, slot)).to_contain_text("The picture was set.")
    crop = json.loads(intent.value.post_data or "")["crop"]
    assert 0 < crop["width"] < 1800
    assert crop["y"] < (1500 - crop["height"]) / 2 - 10  # the key moved the picture down
    first = shown(page, slot)

    page.reload()
    assert shown(page, slot) == first
    assert put(page, slot, a_jpeg_file(a_jpeg(700, 640))) != first

    section(page, slot).get_by_role("button", name="Remove").click()
    expect(seen(page, slot).and_(page.locator("[srcset]"))).to_have_count(0)
    section(page, slot).get_by_role("button", name="Undo").click()
    assert shown(page, slot) != first

    section(page, slot).get_by_role("button", name="Remove").click()
    with page.expect_response(f"**/media/profile/{PATHS[slot]}") as removed:
        page.get_by_role("button", name="Switch person").click()  # ends the time to undo
    assert removed.value.status == 204
    sign_in(page, people(stack)[1])
    expect(section(page, slot).get_by_role("button", name="Choose picture")).to_be_visible()
    assert errors == []


def test_text_file_named_jpg_is_explained_without_jargon(page: Page, stack: Stack, errors: list[str]) -> None:
    open_as(page, stack, people(stack)[0])
    choose(page, "avatar", a_jpeg_file(b"Dear reader, this is no picture.\n" * 40, "letter.jpg"))
    if page.get_by_role("dialog").is_visible():
        page.get_by_role("button", name="Set picture").click()
    told = page.get_by_text("Choose a JPEG, PNG, WebP, GIF or AVIF picture.")
    expect(told.first).to_be_visible()
    assert not JARGON.search(page.locator("body").inner_text())
    assert errors == []


def test_transparent_png_named_jpg_covers_the_initials(page: Page, stack: Stack, errors: list[str]) -> None:
    open_as(page, stack, people(stack)[0])
    put(page, "avatar", a_jpeg_file(a_file(ContentType.PNG, a_picture(400, 400, "RGBA"))))
    for face in page.locator("#profile .face").all():
        expect(face.locator("img")).to_have_count(1)
        expect(face).to_have_text("")
    expect(section(page, "avatar").locator(".placeholder")).to_be_hidden()
    assert errors == []


def test_upload_continues_after_the_network_was_lost(page: Page, stack: Stack) -> None:
    open_as(page, stack, people(stack)[0])
    choose(page, "avatar")

    def lose(route: Route) -> None:
        page.context.set_offline(True)
        route.abort()

    page.route(FORM, lose, times=1)
    page.get_by_role("button", name="Set picture").click()
    expect(page.get_by_text("The connection is poor.").first).to_be_visible()
    page.context.set_offline(False)
    expect(section(page, "avatar")).to_contain_text("The picture was set.")


def test_expired_token_is_replaced_unseen(page: Page, stack: Stack) -> None:
    person = people(stack)[0]
    request = b'{"user": "ada", "expired": true}'
    expired = send("POST", f"{stack['issuer']}/tokens", request, {"Content-Type": "application/json"}).json()["token"]

    def spoil(route: Route) -> None:
        described = route.fetch()
        body = described.json()
        body["users"]["ada"]["token"] = expired
        route.fulfill(response=described, json=body)

    page.route("**/stack.json", spoil, times=1)
    with page.expect_response(lambda response: response.status == 401):
        open_as(page, stack, person)
    put(page, "avatar")


def test_lost_service_is_explained_and_tried_again(page: Page, stack: Stack) -> None:
    page.route("**/stack.json", lambda route: route.abort(), times=1)
    page.goto(stack["page"])
    expect(page.get_by_role("alert")).to_contain_text("There is no connection.")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_other_tab_shows_changes(page: Page, stack: Stack, errors: list[str]) -> None:
    open_as(page, stack, people(stack)[0])
    other = page.context.new_page()
    other.goto(stack["page"])
    expect(other.get_by_role("heading", name="Your profile")).to_be_visible()

    source = put(page, "avatar")
    expect(other.locator("[data-part=avatar] img")).to_have_attribute("srcset", re.compile(source))
    section(page, "avatar").get_by_role("button", name="Remove").click()
    expect(other.locator("#profile [srcset]")).to_have_count(0)
    assert errors == []


def test_people_are_shown_with_their_faces_and_see_only_their_own(page: Page, stack: Stack, errors: list[str]) -> None:
    _, grace, linus = people(stack)[:3]
    open_as(page, stack, linus)
    source = put(page, "avatar")
    page.get_by_role("button", name="Switch person").click()
    faces = {user["name"]: page.get_by_role("button", name=user["name"]) for user in people(stack)}
    own = faces[linus["name"]].locator("img[srcset]")
    expect(own).to_have_attribute("srcset", re.compile(source))

    sign_in(page, grace)
    expect(section(page, "avatar").get_by_role("button", name="Choose picture")).to_be_visible()
    assert source not in page.content()
    assert errors == []


def test_faces_are_the_providers_picture_or_initials_without_an_avatar(page: Page, stack: Stack) -> None:
    ada, grace = people(stack)[:2]
    open_as(page, stack, grace)
    clear(stack, ada)
    for person, picture, text in ((grace, None, "GH"), (ada, "/people/ada.svg", "")):
        page.get_by_role("button", name="Switch person").click()
        sign_in(page, person)
        face = page.locator("[data-part=avatar]")
        expect(face).to_have_text(text)
        expect(face.locator(f"img[src='{picture}']")).to_have_count(1 if picture else 0)


def test_removal_that_can_still_be_undone_is_made_when_the_person_leaves(page: Page, stack: Stack) -> None:
    ada, grace = people(stack)[:2]
    open_as(page, stack, ada)
    put(page, "avatar")
    section(page, "avatar").get_by_role("button", name="Remove").click()
    with page.expect_request(lambda request: request.method == "DELETE") as removal:
        page.get_by_role("button", name="Switch person").click()
        sign_in(page, grace)
    token = (removal.value.header_value("authorization") or "").removeprefix("Bearer ")
    assert jwt.decode(token, options={"verify_signature": False})["sub"] == ada["user_id"]


def test_page_works_with_the_keyboard_alone(page: Page, stack: Stack) -> None:
    page.on("filechooser", lambda chooser: chooser.set_files(a_jpeg_file()))
    open_as(page, stack, people(stack)[3])
    page.get_by_role("button", name="Switch person").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_focused()
    for key in ("Tab",) * 4 + ("Enter",):
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="Your profile")).to_be_focused()
    expect(section(page, "avatar").get_by_role("button", name="Choose picture")).to_be_visible()
    page.keyboard.press("Tab")
    expect(section(page, "avatar").get_by_role("button", name="Choose picture")).to_be_focused()
    page.keyboard.press("Enter")
    expect(section(page, "avatar").get_by_label("Part of the picture")).to_be_focused()
    apply = page.get_by_role("button", name="Set picture")
    while not apply.evaluate("button => button.matches(':focus')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(section(page, "avatar")).to_contain_text("The picture was set.")
    expect(section(page, "avatar").get_by_role("button", name="Replace picture")).to_be_focused()


def test_file_dropped_beside_the_pickers_does_not_replace_the_page(page: Page, stack: Stack) -> None:
    open_as(page, stack, people(stack)[0])
    refused = page.evaluate(
        "() => !document.body.dispatchEvent(new DragEvent('drop', { cancelable: true, bubbles: true }))"
    )
    assert refused


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_barriers_and_no_sideways_scrolling(*, browser: Browser, stack: Stack, scheme: Any) -> None:
    page = browser.new_page(color_scheme=scheme, reduced_motion="reduce", viewport={"width": 320, "height": 700})
    page.goto(stack["page"])
    expect(page.locator("#people button")).to_have_count(len(stack["users"]))
    check(page)
    sign_in(page, people(stack)[0])
    expect(page.get_by_role("button", name=re.compile("picture")).first).to_be_visible()
    check(page)
    choose(page, "avatar")
    expect(page.get_by_role("button", name="Set picture")).to_be_visible()
    check(page)
    page.goto(f"{stack['page']}/console")
    expect(page.locator("#exchanges li")).to_have_count(1)
    check(page)
    page.close()


def check(page: Page) -> None:
    """Fail if axe-core finds something, or if the page is wider than the window."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


# Exhaustive


@pytest.fixture(scope="module")
def default_stack() -> Iterator[Stack]:
    """A stack with the template's default limits."""
    with launched({}) as state:
        yield state


@pytest.mark.assurance
def test_ten_cancelled_uploads_leave_room_for_the_next(page: Page, default_stack: Stack) -> None:
    open_as(page, default_stack, people(default_stack)[0])
    page.route(FORM, lambda route: None)  # never answered
    choose(page, "avatar")
    for _ in range(10):
        with page.expect_request(FORM):
            page.get_by_role("button", name="Set picture").click()
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Set picture")).to_be_focused()
    page.unroute_all()
    page.get_by_role("button", name="Set picture").click()
    expect(section(page, "avatar")).to_contain_text("The picture was set.")


@pytest.mark.assurance
@pytest.mark.parametrize("kind", ["portrait of 48 megapixels", "photo of 25 MB", "GIF"])
def test_large_and_unusual_pictures_are_set(page: Page, default_stack: Stack, kind: str) -> None:
    makers: dict[str, Callable[[], bytes]] = {
        "portrait of 48 megapixels": lambda: a_jpeg(6000, 8000, quality=60),
        "photo of 25 MB": _noise,
        "GIF": lambda: a_file(ContentType.GIF, a_picture(640, 640, "P")),
    }
    open_as(page, default_stack, people(default_stack)[1])
    put(page, "avatar", a_jpeg_file(makers[kind]()))


def _noise() -> bytes:
    """Return a JPEG of more than 25 MB."""
    file = BytesIO()
    Image.fromarray(np.random.default_rng(7).integers(0, 256, (3300, 4000, 3), np.uint8)).save(
        file, "JPEG", quality=100
    )
    return file.getvalue()
