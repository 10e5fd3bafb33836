"""Take the pictures of docs/studio.md from a running studio.

``python docs/make_screens.py http://127.0.0.1:7860``. The studio should be fresh (``danqing serve --folder EMPTY``);
a painter of digits is trained in it for two minutes.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.browser import chromium

IMAGES = Path(__file__).parent / "images"
LONG = 400_000  # ms


def main(url: str) -> None:
    """Take all of them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
        page.set_default_timeout(LONG)
        for take in (train, mend, mask, measure, paint, gallery):
            take(page, url)
        for dark, name in ((False, "studio-welcome"), (True, "studio-telephone")):
            welcome(browser, url, dark, name)
        browser.close()


def train(page: Page, url: str) -> None:
    """A training that has ended."""
    page.goto(f"{url}/#train")
    page.get_by_role("button", name="Dcgan").click()
    for label, value in (("Budget", "2m"), ("Size", "28")):
        page.get_by_role("textbox", name=label).first.fill(value)
        page.get_by_role("textbox", name=label).first.press("Enter")
    page.get_by_role("button", name="Start training").click()
    page.get_by_role("button", name="Paint with it").wait_for()
    page.reload()
    page.get_by_role("button", name="Paint with it").wait_for()
    page.wait_for_timeout(3000)
    keep(page, "studio-train")


def mend(page: Page, url: str) -> None:
    """A step, half of the picture before and half after."""
    page.goto(f"{url}/#mend")
    page.get_by_role("button", name="Take noise away").click()
    page.get_by_alt_text("The picture as it becomes").wait_for()
    page.locator(".busy").wait_for(state="detached")
    keep(page, "studio-mend")
    save(page)


def mask(page: Page, url: str) -> None:
    """A mask while it is drawn."""
    page.get_by_role("button", name="Take all steps away").click()
    page.get_by_role("searchbox").fill("inpaint")
    page.get_by_role("searchbox").press("Enter")
    box: Any = page.locator(".picture").bounding_box()
    places = [(0.40, 0.62), (0.47, 0.70), (0.55, 0.72), (0.61, 0.66)]
    page.mouse.move(box["x"] + places[0][0] * box["width"], box["y"] + places[0][1] * box["height"])
    page.mouse.down()
    for x, y in places[1:]:
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=9)
    keep(page, "studio-mask")
    page.mouse.up()
    page.get_by_alt_text("The mask").wait_for()
    save(page)


def measure(page: Page, url: str) -> None:
    """What an analysis says."""
    page.goto(f"{url}/#measure")
    page.get_by_role("button", name="Palette", exact=True).click()
    shown = page.request.get(f"{url}/v1/about").json()["start"]["pictures"]
    coffee = page.request.get(f"{url}/v1/pictures/{shown[2]['id']}").body()
    page.locator("#measure-x").set_input_files({"name": "coffee.png", "mimeType": "image/png", "buffer": coffee})
    page.locator("button.primary", has_text="Measure").click()
    page.get_by_role("region", name="Result").wait_for()
    page.wait_for_timeout(1500)
    keep(page, "studio-measure")


def paint(page: Page, url: str) -> None:
    """Latent sliders."""
    page.goto(f"{url}/#paint")
    page.get_by_role("button", name="Generate").click()
    page.get_by_alt_text("What the model paints").wait_for()
    save(page)
    page.get_by_role("button", name="Traverse").click()
    sliders = page.get_by_role("group", name="Latent sliders").get_by_role("slider")
    for at, value in enumerate(("1.4", "-0.8", "0.6", "0", "2", "-1.2")):
        sliders.nth(at).fill(value)
    page.wait_for_timeout(1500)
    keep(page, "studio-paint")
    save(page)


def gallery(page: Page, url: str) -> None:
    """What the others have saved."""
    page.goto(f"{url}/#gallery")
    page.get_by_role("listitem").get_by_role("button").nth(2).click()
    page.wait_for_timeout(1500)
    keep(page, "studio-gallery")


def welcome(browser: Any, url: str, dark: bool, name: str) -> None:
    """The first page, or on a telephone a step, in the dark and in 中文."""
    size = {"width": 390, "height": 844} if dark else {"width": 1280, "height": 800}
    theme, locale = ("dark", "zh-CN") if dark else ("light", "en-US")
    page = browser.new_page(viewport=size, color_scheme=theme, locale=locale)
    page.goto(url)
    page.locator(".offer img").last.wait_for()
    if dark:
        page.locator(".offer").nth(1).click()
        page.get_by_alt_text("结果图").wait_for()
    page.wait_for_timeout(1500)
    keep(page, name)


def save(page: Page) -> None:
    """Save, and wait until that is done."""
    with page.expect_download():
        page.keyboard.press("Control+s")
    page.get_by_text("Saved with").first.wait_for()


def keep(page: Page, name: str) -> None:
    """Keep what is seen."""
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(IMAGES / f"{name}.jpg", quality=86, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
