"""A studio with a browser before it: a real service, a real Chromium, and an eye on what it must never do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from opening import Open
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from serving import PATIENCE, Running, running

ROOT = Path(__file__).resolve().parents[2]
REFUSED = "the server responded with a status of 4"
MS = 1000  # in a second


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    told = subprocess.run(
        [sys.executable, "-c", "from tools.browser import chromium; print(chromium() or '')"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    if not told:
        pytest.skip("no Chromium is here: the studio is not tested in a browser")
    expect.set_options(timeout=PATIENCE * MS)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=told, args=["--no-sandbox", "--disable-gpu"])
        yield made
        made.close()


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("studio")) as made:
        assert made.service.ready.wait(PATIENCE)
        yield made


@pytest.fixture
def open_page(browser: Browser, studio: Running) -> Iterator[Open]:
    """Opens a page of the studio; in the end no request has left it, and nothing went wrong in it."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def opened(tab: str = "mend", *, width: int = 1280, height: int = 800, refuses: bool = False, **facts: Any) -> Page:
        """``refuses``: what the service refuses, which the browser notes, is no fault of the page's."""
        context = browser.new_context(
            viewport={"width": width, "height": height}, **{"locale": "en-US", "reduced_motion": "reduce", **facts}
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE * MS)
        page = context.new_page()
        page.on("request", lambda request: _is_own(request.url, studio.url) or wrong.append(f"asked {request.url}"))
        page.on("pageerror", lambda error: wrong.append(f"threw {error}"))
        page.on(
            "console",
            lambda said: (
                said.type == "error" and not (refuses and REFUSED in said.text) and wrong.append(f"said {said.text}")
            ),
        )
        page.goto(f"{studio.url}/#{tab}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small picture with something to mend: a soft gradient, grain, and a dark stroke."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:1:96j, 0:1:128j]
    pixels = np.stack([x, y, 1 - x], 2) * 200 + rng.normal(0, 12, (96, 128, 3)) + 25
    pixels[40:46, 30:90] = 10
    file = tmp_path_factory.mktemp("photo") / "meadow.png"
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file)
    return file


def _is_own(url: str, base: str) -> bool:
    return url.startswith((f"{base}/", "blob:", "data:"))
