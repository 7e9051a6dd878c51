"""The developer's console in Chromium, against the local stack."""

import re

import pytest
from playwright.sync_api import Locator, Page, Response, Route, expect

from tests.e2e.pages import Person, Stack, a_jpeg_file, people
from tests.pictures import a_jpeg

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.enable_socket]


@pytest.fixture(autouse=True)
def _console(page: Page, stack: Stack) -> None:
    page.goto(f"{stack['page']}/console")


def sign_in(page: Page, person: Person) -> None:
    page.get_by_role("radio", name=person["name"], exact=True).check()
    expect(page.locator("#user-id")).to_have_text(person["user_id"])


def contract(page: Page, name: str) -> Locator:
    """Open the panel of a contract."""
    page.get_by_role("tab", name=name).click()
    return page.get_by_role("tabpanel", name=name)


def answered(page: Page, panel: Locator, button: str) -> Response:
    """Click a panel's button. Return the response, once the panel shows it."""

    def is_it(response: Response) -> bool:
        # Responses for pictures have no correlation id.
        ours = "x-correlation-id" in response.headers and response.request.method != "OPTIONS"
        return ours and "/media/" not in response.url

    with page.expect_response(is_it) as response:
        panel.get_by_role("button", name=button, exact=True).click()
    shown = panel.locator('[data-part="answer"]')
    expect(shown).to_contain_text(response.value.headers["x-correlation-id"])
    expect(panel.locator('[data-part="status"]')).to_have_text(f"Answered {response.value.status}")
    return response.value


def upload(page: Page, slot: str = "avatar") -> None:
    """Upload a picture that can be bound in the panels."""
    page.locator("#upload").get_by_label("File").set_input_files(a_jpeg_file())
    page.locator("#upload").get_by_label("Slot").select_option(slot)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#state")).to_have_text("ready")


def current(page: Page, slot: str) -> Locator:
    """Return the picture that the profile has in a slot."""
    return page.get_by_role("img", name=f"Current {slot}")


@pytest.mark.parametrize(
    ("slot", "widths"), [("avatar", [512, 256, 128, 64]), ("coverImage", [1500, 750])], ids=["avatar", "cover"]
)
def test_derivatives_are_shown_at_one_scale(*, page: Page, errors: list[str], slot: str, widths: list[int]) -> None:
    upload(page, slot)
    shown = []
    for picture, width in zip(page.locator("#derivatives img").all(), widths, strict=True):
        expect(picture).to_have_js_property("naturalWidth", width)
        box = picture.bounding_box()
        assert box is not None
        shown.append(box["width"] / width)
    assert shown == pytest.approx([shown[0]] * len(widths), rel=0.02)
    assert errors == []


def test_failed_upload_is_explained_with_its_code(page: Page) -> None:
    page.locator("#upload").get_by_label("File").set_input_files(a_jpeg_file(b"no picture" * 40))
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("unsupported_format")
    expect(page.locator("#state")).to_have_text("failed")


def test_request_log_shows_every_request_and_no_secret(page: Page, person: Person) -> None:
    with page.expect_response("**/media/intents") as answer:
        upload(page)
    log = page.locator("#exchanges").text_content() or ""
    for step in ("/media/profile", "/media/intents", "/media/uploads/", "?wait=20", "201"):
        assert step in log
    fields = answer.value.json()["upload"]["fields"]
    secret = [value for name, value in fields.items() if re.search("signature|policy|credential|token", name, re.I)]
    assert len(secret) >= 3
    assert fields["key"] in log
    for value in (person["token"], *secret):
        assert value not in log


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
        upload(page)
    panel = contract(page, name)
    if is_file:
        panel.get_by_label("File").set_input_files(a_jpeg_file())

    response = answered(page, panel, button)
    assert response.status == 200, response.text()
    named = re.search(r"/media/([0-9a-f-]{36})/", response.text())
    assert named is not None
    expect(current(page, "avatar")).to_have_attribute("src", re.compile(named[1]))
    picture = panel.get_by_role("img", name="The picture that the answer names")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") in (256, 512)
    assert errors == []


def test_cover_image_is_bound_by_public_id(page: Page, person: Person) -> None:
    sign_in(page, person)
    upload(page, "coverImage")
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
    expect(current(page, "avatar")).to_have_attribute("src", elsewhere)


def test_removed_picture_disappears_from_the_profile_card(page: Page, person: Person) -> None:
    sign_in(page, person)
    upload(page)
    panel = contract(page, "Upload id")
    assert answered(page, panel, "Set picture").json()["hasCustomProfilePicture"] is True
    expect(current(page, "avatar")).to_be_visible()
    assert answered(page, panel, "Remove picture").json()["hasCustomProfilePicture"] is False
    expect(current(page, "avatar")).to_have_count(0)


def test_other_users_picture_needs_an_administrators_token(page: Page, stack: Stack) -> None:
    owner, other = people(stack)[1:3]
    sign_in(page, owner)  # creates the user
    answered(page, contract(page, "SDK image"), "Get user")
    sign_in(page, other)
    panel = contract(page, "SDK image")
    panel.get_by_label("User").select_option(owner["user_id"])
    panel.get_by_label("File").set_input_files(a_jpeg_file())

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
    upload(page)
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
    expect(page.get_by_role("tabpanel").get_by_label("Slot")).to_be_focused()
