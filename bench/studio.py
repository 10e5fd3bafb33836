"""The studio in a browser: the first page, a slider, and a picture of 24 megapixels

Chromium without a screen, on the same cores as the service. The first page counts from the request until its button
can be pressed, with an empty cache, each time in a new profile. A slider counts from its event in the page until the
picture that answers it is decoded and shown: `vignette` over 64×64. The large picture counts from choosing the file
until it is shown, and until a mask of its full size can be drawn on; a stroke on that, from the release of the pointer
until the mask is with the service. Of these the median of three tries stands, each with a file that is new to it.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from bench.service import service
from tools.browser import chromium

VISITS, MOVES, TRIES = 5, 40, 3
SLIDE = """
async (moves) => {
  const slider = document.querySelector('#step-strength'), times = []
  for (let at = 0; at < moves; at += 1) {
    const image = document.querySelector('.picture img:last-of-type'), before = image.src, began = performance.now()
    slider.value = Number(slider.min) + (slider.max - slider.min) * (0.1 + ((at * 37) % 80) / 100)
    slider.dispatchEvent(new Event('input', { bubbles: true }))
    while (document.querySelector('.picture img:last-of-type').src === before) await new Promise(requestAnimationFrame)
    await document.querySelector('.picture img:last-of-type').decode()
    times.push(performance.now() - began)
  }
  return times
}
"""

SEEN = """
async (image) => {
  for (let at = 0; at < 50; at += 1)
    if (await image.decode().then(() => true, () => false)) return  // a better one comes while the first is decoded
  throw new Error('cannot be decoded')
}
"""


def run() -> dict[str, Any]:
    """Visit, slide, and open something large."""
    load = os.getloadavg()[0]  # before we add to it
    with tempfile.TemporaryDirectory() as name, service(Path(name)) as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        visits = [visit(browser, url) for _ in range(VISITS)]
        result = {
            "load": load,
            "seconds": statistics.median(each[0] for each in visits),
            "kilobytes": statistics.median(each[1] for each in visits) / 1000,
            "requests": visits[0][2],
            "slider": slide(browser, url, Path(name)),
            "large": large(browser, url, Path(name)),
        }
        browser.close()
    return result


def visit(browser: Browser, url: str) -> tuple[float, int, int]:
    """Seconds until the first page can be used, and bytes and requests until all of it is there."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.get_by_role("button", name="Open a picture").wait_for()
    seconds = time.perf_counter() - began
    page.locator(".offer img").last.wait_for()
    page.wait_for_timeout(1500)
    page.close()
    return seconds, sum(sizes), len(sizes)


def slide(browser: Browser, url: str, folder: Path) -> list[float]:
    """Milliseconds from a slider's event until the picture is shown."""
    rng = np.random.default_rng(0)
    page = opened(browser, url, folder / "small.png", rng.integers(0, 255, (64, 64, 3), np.uint8))
    page.get_by_role("searchbox").fill("vignette")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_alt_text("The picture as it becomes").wait_for()
    page.wait_for_timeout(500)
    found: list[float] = page.evaluate(SLIDE, MOVES)
    page.close()
    return sorted(found)


def large(browser: Browser, url: str, folder: Path) -> dict[str, float]:
    """Seconds until a picture of 24 megapixels is seen, can be masked, and until a stroke on its mask is kept."""
    y, x = np.mgrid[0:1:4000j, 0:1:6000j]
    grain = np.random.default_rng(0).normal(0, 8, (4000, 6000, 1))
    pixels = (np.stack([x, y, 1 - x], 2) * 200 + 25 + grain).clip(0, 255).astype(np.uint8)
    tries = []
    for at in range(TRIES):
        file = folder / f"large-{at}.jpg"
        Image.fromarray(pixels).save(file, quality=92, comment=f"try {at}")
        tries.append(one_large(browser, url, file))
    return {name: statistics.median(each[name] for each in tries) for name in tries[0]}


def one_large(browser: Browser, url: str, file: Path) -> dict[str, float]:
    """One try, in a page of its own."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(url)
    page.get_by_role("button", name="Open a picture").wait_for()
    page.locator(".offer img").last.wait_for()
    began = time.perf_counter()
    page.locator("input[type=file]").first.set_input_files(file)
    page.locator(".picture img").first.evaluate(SEEN)
    shown = time.perf_counter() - began
    page.get_by_role("searchbox").fill("inpaint")
    page.get_by_role("searchbox").press("Enter")
    canvas = page.locator(".mask canvas")
    canvas.wait_for()
    masked = time.perf_counter() - began
    assert canvas.evaluate("canvas => [canvas.width, canvas.height]") == [6000, 4000]
    place: Any = page.locator(".picture").bounding_box()
    page.mouse.move(place["x"] + 100, place["y"] + 100)
    page.mouse.down()
    page.mouse.move(place["x"] + 300, place["y"] + 200, steps=20)
    began = time.perf_counter()
    with page.expect_response(lambda answer: answer.url.endswith("/v1/pictures")):
        page.mouse.up()
    stroke = time.perf_counter() - began
    page.close()
    return {"shown": shown, "masked": masked, "stroke": stroke}


def opened(browser: Browser, url: str, file: Path, pixels: Any) -> Page:
    """A page with a picture open in it."""
    Image.fromarray(pixels).save(file)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(url)
    page.get_by_role("button", name="Open a picture").wait_for()
    page.locator("input[type=file]").first.set_input_files(file)
    page.locator(".picture img").first.wait_for()
    return page


def table(result: dict[str, Any]) -> str:
    """The figures beside what was asked for."""
    slider = result["slider"]
    rows = [
        ("first page can be used", f"{result['seconds']:.1f} s", "2.5 s"),
        ("first page in all", f"{result['kilobytes']:.0f} kB in {result['requests']} requests", "200 kB"),
        ("slider, median", f"{statistics.median(slider):.0f} ms", "40 ms"),
        ("slider, 90 % within", f"{slider[int(len(slider) * 0.9) - 1]:.0f} ms", "60 ms"),
        ("24 megapixels shown", f"{result['large']['shown']:.1f} s", "3 s"),
        ("a mask of their size ready", f"{result['large']['masked']:.1f} s", "3 s"),
        ("a stroke on their mask kept", f"{result['large']['stroke']:.1f} s", ""),
    ]
    lines = ["| | measured | at most |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join([*lines, "", f"Load of the machine before: {result['load']:.1f}."])


__all__ = ["run", "table"]
