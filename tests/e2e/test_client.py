"""The JavaScript client: its own tests in Node.js, and in Chromium against the local stack."""

import base64
import io
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from profile_media.domain.formats import ContentType
from tests.e2e.clients import CLIENT, Stack, client_page, open_example, serve
from tests.e2e.packages import npm_packages, run
from tests.pictures import a_display_p3_profile, a_jpeg, a_picture, an_animation
from tools.local.browser import Browser as Person
from tools.local.browser import send
from tools.local.launch import launched

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.enable_socket]

UPPY = Path(__file__).parent / "uppy"

type Call = Callable[..., dict[str, Any]]
type Choose = Callable[[bytes], str]


@pytest.mark.parametrize("script", ["types", "test"])
def test_script_of_the_package_succeeds(npm: str, script: str) -> None:
    run([npm, "run", "--silent", script], CLIENT)


@pytest.fixture
def page(browser: Browser, stack: Stack, errors: list[str]) -> Iterator[Page]:
    with client_page(browser, stack, errors) as opened:
        yield opened


@pytest.fixture
def call(page: Page, stack: Stack) -> Call:
    """Call a function of clients/js/tests/browser.js as Ada."""
    page.goto(f"{stack['page']}/client/tests/browser.html")
    token = stack["users"]["ada"]["token"]

    def _call(content: bytes, function: str = "call", **given: Any) -> dict[str, Any]:
        encoded = base64.b64encode(content).decode()
        arguments = {"api": stack["api"], "tokens": [token], "base64": encoded, **given}
        script = f"async (given) => (await import('/client/tests/browser.js')).{function}(given)"
        outcome: dict[str, Any] = page.evaluate(script, arguments)
        return outcome

    return _call


def phases(outcome: Mapping[str, Any]) -> list[str]:
    return [event["phase"] for event in outcome["events"]]


def test_avatar_is_set_and_progress_is_reported(call: Call, stack: Stack, errors: list[str]) -> None:
    content = a_jpeg(1600, 1200)

    outcome = call(content)

    upload = outcome["upload"]
    assert (upload["state"], upload["width"], upload["height"]) == ("bound", 1600, 1200)
    assert upload["uploadId"] == Person.of(stack, "ada").profile()["avatar"]["uploadId"]
    sent = [event["sent"] for event in outcome["events"] if event["phase"] == "sending"]
    assert (sent[0], sent[-1]) == (0, len(content))
    assert sent == sorted(sent)
    assert [*dict.fromkeys(phases(outcome))] == ["preparing", "sending", "processing"]
    assert errors == []


@pytest.mark.parametrize("orientation", [1, 6])
def test_large_picture_is_redrawn_upright_with_its_colours(call: Call, orientation: int) -> None:
    scene = a_picture(1200, 800)
    red = scene.copy()
    red.paste((250, 20, 20), (0, 0, 400, 400))  # outside sRGB, if the numbers are of Display P3
    content = a_jpeg(picture=red, orientation=orientation, quality=95, icc_profile=a_display_p3_profile())

    drawn = call(content, "redrawn", type="image/jpeg", maxBytes=60_000)

    picture = Image.open(io.BytesIO(base64.b64decode(drawn["base64"])))
    assert drawn["from"] == {"contentType": "image/jpeg", "bytes": len(content), "width": 1200, "height": 800}
    assert drawn["to"]["bytes"] <= 60_000
    assert (picture.format, picture.size) == ("JPEG", (drawn["to"]["width"], drawn["to"]["height"]))
    assert picture.getexif().get(0x0112, 1) == 1
    profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
    assert "P3" in ImageCms.getProfileDescription(profile)
    expected = red.resize(picture.size)
    difference = np.abs(np.asarray(picture, dtype=int) - np.asarray(expected, dtype=int)).mean()
    assert difference < 4


def test_picture_over_the_limit_is_shrunk_and_its_crop_with_it(call: Call) -> None:
    scene = a_picture(1200, 800)
    crop = {"x": 650, "y": 350, "width": 500, "height": 400}

    outcome = call(a_jpeg(picture=scene, quality=95), maxBytes=60_000, options={"crop": crop})

    converted = next(event for event in outcome["events"] if event["phase"] == "converted")
    assert (converted["because"], converted["from"]["width"]) == ("bytes", 1200)
    assert outcome["upload"]["width"] == converted["to"]["width"] < 1200
    shown = send("GET", outcome["upload"]["derivatives"]["thumb"]["url"]).body
    expected = scene.crop((700, 350, 1100, 750)).resize((256, 256))  # the largest centred square
    difference = np.asarray(Image.open(io.BytesIO(shown)).convert("RGB"), dtype=int) - np.asarray(expected, dtype=int)
    assert np.abs(difference).mean() < 6


def test_limit_that_only_the_service_knows_is_met(page: Page, stack: Stack, call: Call) -> None:
    refused = {"success": False, "error": {"code": "UPLOAD_TOO_LARGE", "i18nVars": {"limit": 60_000}}}
    headers = {"Access-Control-Allow-Origin": stack["page"]}
    answers = iter([{"status": 413, "json": refused, "headers": headers}])

    def once(route: Route) -> None:
        answer = None if route.request.method == "OPTIONS" else next(answers, None)
        route.fulfill(**answer) if answer else route.fallback()  # type: ignore[arg-type]

    page.route("**/media/intents", once)

    outcome = call(a_jpeg(1200, 800, quality=95))

    assert outcome["upload"]["state"] == "bound"
    assert "converted" in phases(outcome)


def test_format_that_only_the_browser_reads_is_converted(call: Call) -> None:
    bitmap = io.BytesIO()
    a_picture(300, 200).save(bitmap, "BMP")

    outcome = call(bitmap.getvalue())

    converted = next(event for event in outcome["events"] if event["phase"] == "converted")
    assert (converted["because"], converted["to"]["contentType"]) == ("format", "image/webp")
    assert outcome["upload"]["state"] == "bound"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"hello", "unsupported_format"),
        (b"", "empty"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(999), "type_unsupported"),
        (a_jpeg()[:300], "corrupt"),
    ],
    ids=["text", "empty", "heic", "damaged"],
)
def test_unusable_file_is_refused_in_words(call: Call, content: bytes, code: str) -> None:
    error = call(content)["error"]

    assert (error["name"], error["code"]) == ("ProfileMediaError", code)
    assert re.fullmatch(r"[A-Z].+\.", error["message"])


def test_expired_token_is_fetched_again(call: Call, stack: Stack) -> None:
    good = stack["users"]["ada"]["token"]

    outcome = call(a_jpeg(), tokens=[good[:-4] + "AAAA", good])

    assert outcome["upload"]["state"] == "bound"


def test_upload_goes_on_after_a_lost_connection(page: Page, stack: Stack, call: Call) -> None:
    page.route(f"{stack['media']}/**", lambda route: route.abort(), times=1)

    outcome = call(a_jpeg())

    assert phases(outcome).count("retrying") == 1
    assert outcome["upload"]["state"] == "bound"


def test_upload_goes_on_when_the_browser_is_online_again(page: Page, call: Call) -> None:
    page.context.set_offline(True)
    call(a_jpeg(), "start")
    page.wait_for_function("seen.some(({ phase }) => phase === 'retrying')")
    page.context.set_offline(False)

    assert page.evaluate("outcome")["upload"]["state"] == "bound"


def test_ready_upload_is_changed_bound_and_removed(page: Page, stack: Stack, call: Call) -> None:
    upload = call(a_jpeg(600, 900), method="upload", options={"slot": "coverImage", "alt": "A bridge"})["upload"]

    assert (upload["state"], upload["alt"]) == ("ready", "A bridge")
    changed, shown, nothing, removed = page.evaluate(
        """async ([api, token, upload]) => {
          const { createProfileMedia } = await import("/client/src/index.js");
          const media = createProfileMedia({ baseUrl: api, getToken: () => token });
          const changed = await media.update(upload.uploadId, { focus: { x: 0.5, y: 0.9 }, alt: null });
          await media.bind(changed);
          return [changed, await media.profile(), await media.remove("coverImage"), await media.profile()];
        }""",
        [stack["api"], stack["users"]["ada"]["token"], upload],
    )

    assert changed["derivatives"]["full"]["url"] != upload["derivatives"]["full"]["url"]
    assert "alt" not in changed
    assert shown["coverImage"]["uploadId"] == upload["uploadId"]
    assert nothing is None
    assert removed["coverImage"] is None


def test_ten_cancelled_uploads_leave_room_for_the_next(stack: Stack, call: Call) -> None:
    given_up = set()
    for phase in ["sending", "processing"] * 5:
        outcome = call(a_jpeg(), abortAt=phase)
        assert outcome["error"]["name"] == "AbortError"
        given_up |= {event["uploadId"] for event in outcome["events"] if "uploadId" in event}

    outcome = call(a_jpeg())  # it waits until the others are deleted

    assert outcome["upload"]["state"] == "bound"
    ada = Person.of(stack, "ada")
    assert [ada.call("GET", f"/media/uploads/{each}").status for each in given_up] == [404] * 10


def test_small_picture_of_a_user_is_set_with_one_request(page: Page, stack: Stack, call: Call) -> None:
    outcome = page.evaluate(
        """async ({ api, token, base64 }) => {
          const { createProfileMedia } = await import("/client/src/index.js");
          const media = createProfileMedia({ baseUrl: api, getToken: () => token });
          const file = new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))]);
          return media.users.updateUserProfileImage("auth0|ada", { file });
        }""",
        {
            "api": stack["api"],
            "token": stack["users"]["ada"]["token"],
            "base64": base64.b64encode(an_animation(ContentType.GIF)).decode(),
        },
    )

    assert (outcome["id"], outcome["hasImage"], outcome["firstName"]) == ("auth0|ada", True, "Ada")


@pytest.fixture
def choose(page: Page) -> Callable[[bytes], str]:
    """Choose a file in an example and return the URL of the picture that it shows then."""

    def _choose(content: bytes) -> str:
        image, status = page.get_by_role("img", name="Your avatar"), page.locator("[role=status]").first
        before = image.get_attribute("src") if image.is_visible() else None
        file = FilePayload(name="me.jpg", mimeType="image/jpeg", buffer=content)
        page.locator("input[type=file]").set_input_files(file)
        expect(image).to_be_visible()
        if before:
            expect(image).not_to_have_attribute("src", before)
        expect(status).to_have_text("Done")
        page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())
        return image.get_attribute("src") or ""

    return _choose


SLOWER = [pytest.param(name, marks=pytest.mark.assurance) for name in ("uppy", "filepond")]


@pytest.mark.parametrize("name", ["fetch", "client", "react", *SLOWER])
def test_example_sets_and_replaces_the_avatar(
    *, page: Page, stack: Stack, built: Path, choose: Choose, errors: list[str], name: str
) -> None:
    open_example(page, stack, built, name)

    first, second = choose(a_jpeg(900, 600)), choose(a_jpeg(901, 600))

    assert first != second
    assert Person.of(stack, "grace").profile()["avatar"]["uploadId"] in second
    assert errors == []


@pytest.mark.assurance
@pytest.mark.parametrize("major", ["4", "5"])
def test_older_uppy_sets_the_avatar(
    *, page: Page, stack: Stack, npm: str, choose: Choose, tmp_path: Path, major: str
) -> None:
    folder = npm_packages(f"uppy-{major}", UPPY / major)
    for name in ("uppy-5.js", "session.js"):
        shutil.copy(CLIENT / "examples" / name, folder)  # packages are looked for next to the importing file
    alias = f"--alias:profile-media={CLIENT}/src/index.js"
    run([npm, "exec", "--", "esbuild", f"{folder}/uppy-5.js", "--bundle", f"--outdir={tmp_path}", alias], CLIENT)
    open_example(page, stack, tmp_path, "uppy-5")

    shown = choose(a_jpeg(900, 600))

    assert Person.of(stack, "grace").profile()["avatar"]["uploadId"] in shown


@pytest.mark.assurance
def test_twenty_uploads_in_a_row_are_within_the_default_limits(
    browser: Browser, built: Path, choose: Choose, page: Page
) -> None:
    with launched({}) as stack:
        serve(page, stack, CLIENT)
        open_example(page, stack, built, "uppy")

        shown = [choose(a_jpeg(600 + index, 600)) for index in range(20)]

    assert len(set(shown)) == 20
