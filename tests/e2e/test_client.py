"""The JavaScript client: its own tests in Node.js, and in Chromium against the local stack."""

import base64
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image, ImageCms
from playwright.sync_api import Browser, Page, Route

from profile_media.domain.formats import ContentType
from tests.e2e.chromium import DEADLINE_MS
from tests.e2e.packages import program, run
from tests.pictures import a_display_p3_profile, a_jpeg, a_picture, an_animation
from tools.local.browser import Browser as Person

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.enable_socket]

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "js"
TYPES = {".js": "text/javascript", ".html": "text/html", ".css": "text/css"}

type Stack = Mapping[str, Any]
type Call = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def npm() -> str:
    """The program npm, and the packages of the client installed."""
    path = program("npm")
    assert (CLIENT / "node_modules").is_dir(), "run `make client`"
    return path


@pytest.mark.parametrize("script", ["types", "test"])
def test_script_of_the_package_succeeds(npm: str, script: str) -> None:
    run([npm, "run", "--silent", script], CLIENT)


@pytest.fixture(scope="module")
def built(npm: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the bundled examples."""
    folder = tmp_path_factory.mktemp("built")
    run([npm, "run", "--silent", "build-examples", "--", f"--outdir={folder}"], CLIENT)
    return folder


@pytest.fixture
def errors() -> list[str]:
    """Console errors and warnings, uncaught exceptions, violations of the Content-Security-Policy."""
    return []


@pytest.fixture
def page(browser: Browser, stack: Stack, errors: list[str]) -> Iterator[Page]:
    """A page that can load clients/js, from the origin that the stack allows, with a strict policy."""
    # Playwright answers for the page's server, so Chromium does not know that the page is of this machine.
    page = browser.new_page(permissions=["local-network-access"])
    page.set_default_timeout(DEADLINE_MS)
    page.on("console", lambda said: errors.append(f"{said.text} {said.location}") if said.type != "log" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    serve(page, stack, CLIENT)
    yield page
    page.close()


def serve(page: Page, stack: Stack, folder: Path, under: str = "client/") -> None:
    """Serve a folder's files below a path of the page's origin."""
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: {stack['media']}; "
        f"connect-src {stack['api']} {stack['media']}"
    )

    def answer(route: Route) -> None:
        path = folder / urlsplit(route.request.url).path.partition(under)[2]
        if not path.is_file():
            return route.fulfill(status=404)
        headers = {"Content-Security-Policy": policy, "Content-Type": TYPES[path.suffix]}
        return route.fulfill(body=path.read_bytes(), headers=headers)

    page.route(f"{stack['page']}/{under}**", answer)


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


def test_picture_over_the_limit_is_shrunk_and_its_crop_with_it(page: Page, call: Call) -> None:
    announced = []
    page.on("request", lambda sent: announced.append(sent.post_data_json) if sent.url.endswith("/intents") else None)
    content = a_jpeg(1200, 800, quality=95)
    # The crop is removed before the request reaches the service: only the client is tested here.
    page.route("**/media/intents", lambda route: route.continue_(post_data=without(route, "crop")))

    crop = {"x": 600, "y": 400, "width": 600, "height": 400}
    outcome = call(content, maxBytes=60_000, options={"crop": crop})

    converted = next(event for event in outcome["events"] if event["phase"] == "converted")
    assert converted["because"] == "bytes"
    width, height = converted["to"]["width"], converted["to"]["height"]
    assert width < 1200
    assert (outcome["upload"]["width"], outcome["upload"]["height"]) == (width, height)
    sent = next(body for body in announced if body)
    assert sent["contentLength"] == converted["to"]["bytes"]
    half = {"x": width / 2, "y": height / 2, "width": width / 2, "height": height / 2}
    assert sent["crop"] == pytest.approx(half, abs=1)


def without(route: Route, key: str) -> str:
    body = route.request.post_data_json or {}
    body.pop(key, None)
    return json.dumps(body)


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
