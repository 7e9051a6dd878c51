"""Take the README's pictures of the local pages. `make pictures` runs this.

It starts a stack of its own, sets drawn pictures, and stores what Chromium shows in docs/images. The files have a
palette, which makes them a quarter of the size.
"""

import subprocess
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

from tools.local.launch import launched

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
PEOPLE = ROOT / "tools" / "local" / "page" / "people"
BROWSER = ROOT / "tools" / "scripts" / "browser"

WIDTH, HEIGHT = 1180, 820
PERSON = "Ada Lovelace"
COLOURS = 128

SEA = """
<svg xmlns="http://www.w3.org/2000/svg" width="1800" height="600" viewBox="0 0 1800 600">
  <linearGradient id="sky" x2="0" y2="1">
    <stop stop-color="#2c3e70"/>
    <stop offset="1" stop-color="#f4b183"/>
  </linearGradient>
  <rect width="1800" height="600" fill="url(#sky)"/>
  <circle cx="1250" cy="330" r="90" fill="#ffe2b0"/>
  <path d="M0 360 300 180 560 340 820 220 1150 400 1420 300 1800 420V600H0z" fill="#4b4a7d"/>
  <path d="M0 450 260 360 620 470 980 380 1340 480 1800 400V600H0z" fill="#2f3560"/>
  <path d="M0 520q300-50 600 0t600 0 600 0v80H0z" fill="#1d2547"/>
</svg>
"""


def main() -> None:
    """Write the pictures."""
    found = subprocess.run([BROWSER], capture_output=True, text=True, check=True)  # noqa: S603 - a script of ours
    executable = found.stdout.strip()
    with launched({}) as state, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        portrait = _drawn(browser, (PEOPLE / "ada.svg").read_text(), 1024, 1024)
        cover = _drawn(browser, SEA, 1800, 600)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce")
        _profile(page, state, {"avatar": portrait, "cover": cover})
        _save(page, "profile.png")
        _console(page, state, portrait)
        _save(page, "console.png")
        browser.close()


def _drawn(browser: Browser, svg: str, width: int, height: int) -> bytes:
    """Return a drawing as a JPEG."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block; width: 100vw }}</style>{svg}")
    content = page.screenshot(type="jpeg", quality=92)
    page.close()
    return content


def _profile(page: Page, state: Mapping[str, Any], pictures: Mapping[str, bytes]) -> None:
    page.goto(state["page"])
    page.get_by_role("button", name=PERSON).click()
    for section, content in pictures.items():
        page.locator(f"#{section} input[type=file]").first.set_input_files(_file(content))
        page.get_by_role("button", name="Set picture").click()
        expect(page.locator(f"#{section}")).to_contain_text("The picture was set.", timeout=60_000)
    page.reload()
    expect(page.locator("#profile img[srcset]")).to_have_count(6)
    page.wait_for_load_state("networkidle")


def _console(page: Page, state: Mapping[str, Any], picture: bytes) -> None:
    page.goto(f"{state['page']}/console")
    page.locator("#file").set_input_files(_file(picture))
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#state")).to_have_text("ready", timeout=60_000)
    page.wait_for_load_state("networkidle")


def _file(content: bytes) -> FilePayload:
    return {"name": "picture.jpg", "mimeType": "image/jpeg", "buffer": content}


def _save(page: Page, name: str) -> None:
    shot = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main()
