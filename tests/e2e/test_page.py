"""The demo page in Chromium, against the local stack."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, Request, Response, Route, expect

from profile_media.domain.model import Reason
from tests.e2e.chromium import DEADLINE_MS
from tests.pictures import a_jpeg

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.enable_socket]

type Stack = Mapping[str, Any]
type Person = Mapping[str, str]


def a_jpeg_file(content: bytes, name: str = "me.jpg") -> FilePayload:
    """Return a file. Browsers derive the type from the name alone."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


@pytest.fixture
def errors() -> list[str]:
    """Console errors and warnings, uncaught exceptions, CSP violations."""
    return []


@pytest.fixture
def page(browser: Browser, stack: Stack, errors: list[str]) -> Iterator[Page]:
    """The demo page before anybody has signed in."""
    page = browser.new_page()
    page.set_default_timeout(DEADLINE_MS)
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(stack["page"])
    yield page
    page.close()


def in_pixels(width: int, height: int) -> str:
    """Return a size as the page shows it."""
    return f"{width} \N{MULTIPLICATION SIGN} {height} px"


def people(stack: Stack) -> list[Person]:
    """Return the development users in the order of the page."""
    return list(stack["users"].values())


@pytest.fixture
def person(stack: Stack) -> Person:
    """The user of the page."""
    return people(stack)[0]


def sign_in(page: Page, person: Person) -> None:
    page.get_by_role("radio", name=person["name"], exact=True).check()
    expect(page.locator("#profile")).to_contain_text(person["user_id"])


def choose(page: Page, slot: str, file: FilePayload) -> None:
    page.get_by_role("radio", name=slot, exact=True).check()
    page.get_by_label("Choose a picture").set_input_files(file)


def upload(page: Page, outcome: str) -> None:
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(state(page)).to_have_text(outcome)


def state(page: Page) -> Locator:
    """Return the badge with the upload's state."""
    return page.get_by_role("status").locator(".badge")


def derivatives(page: Page) -> list[str]:
    """Return the captions of the derivatives, once their pictures have loaded."""
    pictures = page.get_by_role("list", name="Derivatives").get_by_role("img")
    for picture in pictures.all():
        expect(picture).to_have_js_property("complete", True)
        width = picture.get_attribute("width")
        assert width is not None
        expect(picture).to_have_js_property("naturalWidth", int(width))
    return [caption.inner_text() for caption in page.locator("#derivatives figcaption").all()]


def bound_source(page: Page, of: str) -> str:
    """Return the URL of a picture on the profile card, once the browser shows it."""
    picture = page.get_by_role("img", name=of)
    expect(picture).to_be_visible()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())
    source = picture.get_attribute("src")
    assert source is not None
    return source


@pytest.mark.parametrize(
    ("slot", "button", "description", "pixels"),
    [
        ("Avatar", "Set as avatar", "Avatar of", [(512, 512), (256, 256), (128, 128), (64, 64)]),
        ("Cover image", "Set as cover image", "Cover image of", [(1500, 500), (750, 250)]),
    ],
)
def test_upload_is_bound_and_shown_on_the_profile_card(
    *,
    page: Page,
    person: Person,
    errors: list[str],
    slot: str,
    button: str,
    description: str,
    pixels: list[tuple[int, int]],
) -> None:
    sign_in(page, person)
    choose(page, slot, a_jpeg_file(a_jpeg(900, 600)))
    expect(page.locator("#preview")).to_contain_text(in_pixels(900, 600))

    upload(page, "ready")
    captions = derivatives(page)
    for (width, height), caption in zip(pixels, captions, strict=True):
        assert in_pixels(width, height) in caption
        assert re.search(r"\d (kB|bytes)", caption)
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 1)

    page.get_by_role("button", name=button, exact=True).click()
    expect(state(page)).to_have_text("bound")
    shown = page.get_by_role("list", name="Derivatives").get_by_role("img").all()
    assert bound_source(page, f"{description} {person['name']}") in [picture.get_attribute("src") for picture in shown]
    assert errors == []


def test_second_upload_replaces_the_first(page: Page, person: Person) -> None:
    sign_in(page, person)
    sources = []
    for width in (640, 700):
        choose(page, "Avatar", a_jpeg_file(a_jpeg(width)))
        upload(page, "ready")
        page.get_by_role("button", name="Set as avatar", exact=True).click()
        expect(state(page)).to_have_text("bound")
        sources.append(bound_source(page, f"Avatar of {person['name']}"))
    assert sources[0] != sources[1]


def test_text_file_named_jpg_is_rejected_with_an_explanation(page: Page, person: Person, errors: list[str]) -> None:
    sign_in(page, person)
    choose(page, "Avatar", a_jpeg_file(b"Dear reader, this is no picture.\n" * 40, "letter.jpg"))
    upload(page, "rejected")
    expect(page.get_by_role("status")).to_contain_text("not a picture we can read")
    expect(page.get_by_role("button", name="Set as avatar")).to_be_hidden()
    assert errors == []


def test_file_can_be_dropped(page: Page, person: Person, errors: list[str], tmp_path: Path) -> None:
    sign_in(page, person)
    picture = tmp_path / "dropped.jpg"
    picture.write_bytes(a_jpeg(900, 600))
    box = page.locator("#drop").bounding_box()
    assert box is not None
    dragged = {"items": [], "files": [str(picture)], "dragOperationsMask": 1}
    devtools = page.context.new_cdp_session(page)
    for event in ("dragEnter", "dragOver", "drop"):
        where = {"x": box["x"] + 20, "y": box["y"] + 20}
        devtools.send("Input.dispatchDragEvent", {"type": event, **where, "data": dragged})
    expect(page.locator("#preview")).to_contain_text("dropped.jpg")
    upload(page, "ready")
    assert errors == []


def test_file_can_be_pasted(page: Page, person: Person) -> None:
    sign_in(page, person)
    page.evaluate(
        """content => {
            const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([bytes], "pasted.jpg", { type: "image/jpeg" }));
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }""",
        b64encode(a_jpeg(900, 600)).decode(),
    )
    expect(page.locator("#preview")).to_contain_text("pasted.jpg")
    upload(page, "ready")


def test_user_sees_only_the_own_profile(page: Page, stack: Stack) -> None:
    first, second = people(stack)[:2]
    sign_in(page, first)
    choose(page, "Avatar", a_jpeg_file(a_jpeg(900, 600)))
    upload(page, "ready")
    page.get_by_role("button", name="Set as avatar", exact=True).click()
    expect(state(page)).to_have_text("bound")
    source = bound_source(page, f"Avatar of {first['name']}")

    sign_in(page, second)
    expect(page.locator("#profile")).not_to_contain_text(first["user_id"])
    expect(page.locator("#preview")).to_be_hidden()
    expect(page.locator("#made")).to_be_hidden()
    assert source not in page.locator("#profile").evaluate("card => card.outerHTML")

    sign_in(page, first)
    assert bound_source(page, f"Avatar of {first['name']}") == source


def test_request_log_shows_every_request_and_no_secret(page: Page, person: Person) -> None:
    sign_in(page, person)
    choose(page, "Avatar", a_jpeg_file(a_jpeg(900, 600)))
    with page.expect_response("**/media/intents") as answered:
        upload(page, "ready")
    page.get_by_role("button", name="Set as avatar", exact=True).click()
    expect(state(page)).to_have_text("bound")

    log = page.locator("#exchanges").text_content() or ""
    for step in ("/media/intents", "/media/uploads/", "?wait=20", "/user/profile/avatar", "/media/profile", "201"):
        assert step in log
    fields = answered.value.json()["upload"]["fields"]
    secret = [value for name, value in fields.items() if re.search("signature|policy|credential|token", name, re.I)]
    assert len(secret) >= 3
    assert fields["key"] in log
    for value in (person["token"], *secret):
        assert value not in log


REFUSALS = [
    (401, {}, "AUTH_UNAUTHORIZED", "Your sign-in is no longer valid.", "Sign in again"),
    (413, {}, "UPLOAD_TOO_LARGE", "The file is too large. Choose a smaller one.", None),
    (415, {}, "TYPE_UNSUPPORTED", "This kind of file is not supported.", None),
    (429, {"Retry-After": "42"}, "LIMIT_EXCEEDED", "Try again in 42 seconds.", "Try again"),
    (503, {}, "UNAVAILABLE", "Trying again is safe.", "Try again"),
]


@pytest.mark.parametrize(("status", "headers", "code", "sentence", "remedy"), REFUSALS)
def test_refused_intent_is_explained(
    *, page: Page, person: Person, status: int, headers: dict[str, str], code: str, sentence: str, remedy: str | None
) -> None:
    def refuse(route: Route) -> None:
        allowed = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
        body = {"success": False, "error": {"code": code, "message": "in the service's words", "details": []}}
        route.fulfill(status=status, headers={**allowed, **headers}, json=body)

    sign_in(page, person)
    page.route("**/media/intents", refuse, times=1)
    choose(page, "Avatar", a_jpeg_file(a_jpeg(900, 600)))
    page.get_by_role("button", name="Upload", exact=True).click()
    failure = page.locator("#failure")
    expect(failure).to_contain_text(sentence)
    expect(failure).to_contain_text(f"{code}: in the service's words")
    if remedy is None:
        expect(failure.get_by_role("button")).to_be_hidden()
    else:
        failure.get_by_role("button", name=remedy).click()
        expect(state(page)).to_have_text("ready")
        expect(failure).to_be_hidden()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ({"name": "huge.jpg", "mimeType": "image/jpeg", "buffer": bytes(11 * 1024 * 1024)}, "The file is too large."),
        (
            {"name": "drawing.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"},
            "This kind of file is not supported.",
        ),
        ({"name": "nothing", "mimeType": "", "buffer": b""}, "The file is empty."),
    ],
    ids=["huge", "svg", "empty"],
)
def test_invalid_file_is_refused_before_sending(page: Page, person: Person, file: FilePayload, sentence: str) -> None:
    sign_in(page, person)
    choose(page, "Avatar", file)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#failure")).to_contain_text(sentence)
    expect(state(page)).to_be_empty()


def test_invalid_token_is_explained(page: Page, person: Person) -> None:
    """The gateway answers, before any function runs."""

    def spoil(route: Route) -> None:
        described = route.fetch()
        body = described.json()
        for user in body["users"].values():
            user["token"] = user["token"][:-8] + "AAAAAAAA"
        route.fulfill(response=described, json=body)

    page.route("**/stack.json", spoil, times=1)
    page.get_by_role("radio", name=person["name"], exact=True).check()
    failure = page.get_by_role("alert")
    expect(failure).to_contain_text("Your sign-in is no longer valid.")
    expect(failure).to_contain_text("AUTH_UNAUTHORIZED: Invalid or expired token")
    failure.get_by_role("button", name="Sign in again").click()
    expect(page.locator("#profile")).to_contain_text(person["user_id"])


def test_refused_form_is_explained(page: Page, person: Person) -> None:
    """The form is changed after signing, so S3 answers, in XML."""

    def spoil(route: Route) -> None:
        intent = route.fetch()
        body = intent.json()
        body["upload"]["fields"]["key"] += "-other"
        route.fulfill(response=intent, json=body)

    sign_in(page, person)
    page.route("**/media/intents", spoil, times=1)
    choose(page, "Avatar", a_jpeg_file(a_jpeg(900, 600)))
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#failure")).to_contain_text(
        "The permission to upload has expired, or does not allow this file."
    )
    expect(page.locator("#failure")).to_contain_text("AccessDenied")


def test_retry_after_lost_connection_uses_the_same_idempotency_key(page: Page, person: Person) -> None:
    intents: list[Request] = []
    page.on("request", lambda request: intents.append(request) if request.url.endswith("/media/intents") else None)
    sign_in(page, person)
    choose(page, "Avatar", a_jpeg_file(a_jpeg(900, 600)))
    is_form = re.compile(r"multipart/form-data")
    page.route(
        re.compile(".*"),
        lambda route: (
            route.abort() if is_form.match(route.request.headers.get("content-type", "")) else route.continue_()
        ),
    )
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#failure")).to_contain_text("No connection to the service.")

    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(state(page)).to_have_text("ready")
    keys = [request.header_value("idempotency-key") for request in intents if request.method == "POST"]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_cancelled_upload_can_be_restarted(page: Page, person: Person) -> None:
    sign_in(page, person)
    choose(page, "Avatar", a_jpeg_file(a_jpeg(900, 600)))
    page.route("**/media/intents", lambda route: None)  # never answered
    page.get_by_role("button", name="Upload", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(page.locator("#failure")).to_be_hidden()

    page.unroute_all()
    upload(page, "ready")


def test_every_rejection_reason_has_a_sentence(page: Page) -> None:
    sentences = page.evaluate("async () => (await import('/reasons.js')).REASONS")
    assert set(sentences) == set(Reason)
    assert len(set(sentences.values())) == len(Reason)


def test_page_works_with_the_keyboard_alone(page: Page, person: Person) -> None:
    page.on("filechooser", lambda chooser: chooser.set_files(a_jpeg_file(a_jpeg(900, 600))))
    expect(page.get_by_role("radio", name=person["name"], exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#profile")).to_contain_text(person["user_id"])
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Cover image", exact=True)).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#preview")).to_contain_text("me.jpg")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(state(page)).to_have_text("ready")


def contract(page: Page, name: str) -> Locator:
    """Open the panel of a contract."""
    page.get_by_role("tab", name=name).click()
    return page.get_by_role("tabpanel", name=name)


def answered(page: Page, panel: Locator, button: str) -> Response:
    """Click a panel's button. Return the response, once the panel shows it."""

    def is_it(response: Response) -> bool:
        # Responses for pictures have no correlation id.
        ours = "x-correlation-id" in response.headers and response.request.method != "OPTIONS"
        return ours and not response.url.endswith("/media/profile")

    with page.expect_response(is_it) as response:
        panel.get_by_role("button", name=button, exact=True).click()
    shown = panel.locator('[data-part="answer"]')
    expect(shown).to_contain_text(response.value.headers["x-correlation-id"])
    expect(panel.locator('[data-part="status"]')).to_have_text(f"Answered {response.value.status}")
    return response.value


def avatar_upload(page: Page) -> None:
    """Upload an avatar that can be bound in the panels."""
    choose(page, "Avatar", a_jpeg_file(a_jpeg(900, 600)))
    upload(page, "ready")


@pytest.mark.parametrize(
    ("name", "button", "is_file"),
    [
        ("Public id", "Bind", False),
        ("Form file", "Send file", True),
        ("Avatar URL", "Set URL", False),
        ("Upload id", "Set picture", False),
        ("SDK image", "Post image", True),
    ],
)
def test_each_contract_panel_sets_the_avatar(
    *, page: Page, person: Person, errors: list[str], name: str, button: str, is_file: bool
) -> None:
    sign_in(page, person)
    if not is_file:
        avatar_upload(page)
    panel = contract(page, name)
    if is_file:
        panel.get_by_label("File").set_input_files(a_jpeg_file(a_jpeg(900, 600)))

    response = answered(page, panel, button)
    assert response.status == 200, response.text()
    named = re.search(r"/media/([0-9a-f-]{36})/", response.text())
    assert named is not None
    expect(page.get_by_role("img", name="Avatar of")).to_have_attribute("src", re.compile(named[1]))
    picture = panel.get_by_role("img", name="The picture that the answer names")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") in (256, 512)
    assert errors == []


def test_cover_image_is_bound_by_public_id(page: Page, person: Person) -> None:
    sign_in(page, person)
    choose(page, "Cover image", a_jpeg_file(a_jpeg(900, 600)))
    upload(page, "ready")
    response = answered(page, contract(page, "Public id"), "Bind")
    assert response.status == 200
    assert response.url.endswith("/user/profile/cover-image")


def test_panel_sends_input_unchanged(page: Page, person: Person) -> None:
    sign_in(page, person)
    panel = contract(page, "Public id")
    panel.get_by_label("Public id").fill(" nonsense ")
    response = answered(page, panel, "Bind")
    assert response.status == 400
    assert response.request.post_data_json == {"publicId": " nonsense "}
    expect(panel.locator('[data-part="request"]')).to_contain_text('"publicId": " nonsense "')
    expect(panel.locator('[data-part="answer"]')).to_contain_text('"message": "Invalid publicId"')


def test_external_avatar_url_is_set(page: Page, person: Person) -> None:
    elsewhere = "https://pictures.example.com/people/ada.jpg?size=512"
    page.route(elsewhere, lambda route: route.fulfill(body=a_jpeg(320, 320), content_type="image/jpeg"))
    sign_in(page, person)
    panel = contract(page, "Avatar URL")
    panel.get_by_label("URL").fill(elsewhere)
    assert answered(page, panel, "Set URL").json() == {"success": True, "data": {"avatarUrl": elsewhere}}
    expect(page.get_by_role("img", name="Avatar of")).to_have_attribute("src", elsewhere)
    assert bound_source(page, "Avatar of") == elsewhere


def test_removed_picture_disappears_from_the_profile_card(page: Page, person: Person) -> None:
    sign_in(page, person)
    avatar_upload(page)
    panel = contract(page, "Upload id")
    assert answered(page, panel, "Set picture").json()["hasCustomProfilePicture"] is True
    expect(page.get_by_role("img", name="Avatar of")).to_be_visible()
    assert answered(page, panel, "Remove picture").json()["hasCustomProfilePicture"] is False
    expect(page.get_by_role("img", name="Avatar of")).to_be_hidden()


def test_other_users_picture_needs_an_administrators_token(page: Page, stack: Stack) -> None:
    owner, other = people(stack)[1:3]
    sign_in(page, owner)  # creates the user
    answered(page, contract(page, "SDK image"), "Get user")
    sign_in(page, other)
    panel = contract(page, "SDK image")
    panel.get_by_label("User").select_option(owner["user_id"])
    panel.get_by_label("File").set_input_files(a_jpeg_file(a_jpeg(900, 600)))

    refused = answered(page, panel, "Post image")
    assert refused.status == 403
    assert refused.json()["errors"]

    panel.get_by_label("with the administrator's token").check()
    for button, has_image in (("Post image", True), ("Get user", True), ("Delete image", False)):
        response = answered(page, panel, button)
        assert response.status == 200, response.text()
        assert (response.json()["id"], response.json()["has_image"]) == (owner["user_id"], has_image)


def test_click_while_the_profile_is_read_again_is_not_lost(page: Page, person: Person) -> None:
    sign_in(page, person)
    panel = contract(page, "SDK image")
    held: list[Route] = []
    page.route("**/media/profile", lambda route: held.append(route))  # noqa: PLW0108  # playwright reads the signature

    assert answered(page, panel, "Get user").status == 200
    assert answered(page, panel, "Delete image").status == 200
    for route in held:
        route.continue_()


def test_panel_shows_the_form_as_sent(page: Page, person: Person) -> None:
    sign_in(page, person)
    panel = contract(page, "Form file")
    content = a_jpeg(900, 600)
    panel.get_by_label("File").set_input_files(a_jpeg_file(content))
    response = answered(page, panel, "Send file")
    _, _, boundary = (response.request.header_value("content-type") or "").partition("boundary=")
    assert boundary
    shown = panel.locator('[data-part="request"]').inner_text().splitlines()
    assert shown[0] == f"PATCH {response.url}"
    assert shown[-7:] == [
        "",
        f"--{boundary}",
        'Content-Disposition: form-data; name="file"; filename="me.jpg"',
        "Content-Type: image/jpeg",
        "",
        f"({len(content):,} bytes)",
        f"--{boundary}--",
    ]


def test_panel_sends_a_form_without_a_file(page: Page, person: Person) -> None:
    sign_in(page, person)
    panel = contract(page, "Form file")
    response = answered(page, panel, "Send file")
    assert response.status == 400
    assert "filename" not in (panel.locator('[data-part="request"]').text_content() or "")


def test_panels_show_no_secret(page: Page, person: Person) -> None:
    sign_in(page, person)
    avatar_upload(page)
    panel = contract(page, "Upload id")
    link = answered(page, panel, "Set picture").json()["profilePictureUrl"]
    signature = re.search(r"[?&]X-Amz-Signature=([0-9a-f]+)", link)
    assert signature is not None
    for shown in (panel, page.locator("#exchanges")):
        text = shown.text_content() or ""
        assert "profile-picture" in text
        assert signature[1] not in text
        assert person["token"] not in text


def test_panel_reports_a_missing_answer(page: Page, person: Person) -> None:
    sign_in(page, person)
    panel = contract(page, "SDK image")
    page.route("**/v1/users/**", lambda route: route.abort())
    panel.get_by_role("button", name="Get user").click()
    expect(panel.locator('[data-part="status"]')).to_have_text("No answer")
    page.unroute_all()
    assert answered(page, panel, "Get user").status == 200


def test_panels_are_emptied_for_the_next_user(page: Page, stack: Stack) -> None:
    first, second = people(stack)[:2]
    sign_in(page, first)
    panel = contract(page, "Upload id")
    panel.get_by_label("Upload id").fill("left by the first")
    answered(page, panel, "Set picture")
    sign_in(page, second)
    expect(panel.get_by_label("Upload id")).to_have_value("")
    expect(panel.locator('[data-part="answer"]')).to_be_hidden()
    assert contract(page, "SDK image").get_by_label("User").input_value() == second["user_id"]


def test_contract_tabs_follow_arrow_keys(page: Page, person: Person) -> None:
    sign_in(page, person)
    tabs = page.get_by_role("tab")
    tabs.first.focus()
    for key, chosen in (("ArrowRight", 1), ("End", 4), ("ArrowRight", 0), ("ArrowLeft", 4), ("Home", 0)):
        page.keyboard.press(key)
        expect(tabs.nth(chosen)).to_be_focused()
        expect(page.get_by_role("tab", selected=True)).to_have_text(tabs.nth(chosen).inner_text())
        expect(page.get_by_role("tabpanel")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.get_by_label("Slot")).to_be_focused()
