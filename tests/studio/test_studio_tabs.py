"""Each tab as it is met first, in both themes: without a fault of accessibility, policy or silence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from opening import Open
from playwright.sync_api import Page, expect
from serving import Running

AXE = Path(__file__).with_name("axe.min.js").read_text("utf-8")
TABS = {
    "mend": "Mend a picture",
    "paint": "Paint",
    "train": "Train a model",
    "measure": "Measure",
    "gallery": "Gallery",
}
WEIGHT = 200_000  # bytes of the first page


def faults(page: Page) -> list[str]:
    """What axe finds wrong, rule by rule."""
    page.evaluate(AXE)
    found: Any = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found["violations"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_tab_has_a_fault_of_accessibility(open_page: Open, theme: str) -> None:
    page = open_page(color_scheme=theme)
    for tab, heading in TABS.items():
        page.locator(f'nav a[href="#{tab}"]').click()
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_attached()
        page.wait_for_load_state("load")
        assert faults(page) == [], tab


def test_the_first_page_is_light(open_page: Open, studio: Running) -> None:
    page = open_page()
    sizes = []
    page.on("response", lambda answer: sizes.append(answer.request.sizes()["responseBodySize"]))
    page.goto(f"{studio.url}/?fresh")
    expect(page.get_by_role("button", name="Open a picture")).to_be_visible()
    page.locator(".offer img").last.wait_for()
    assert sum(sizes) < WEIGHT


def test_one_click_begins_and_an_analysis_is_measured(open_page: Open, photo: Path) -> None:
    page = open_page()
    page.get_by_role("button", name="Make an old print").click()
    expect(page.get_by_role("region", name="Steps").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_alt_text("The picture as it becomes")).to_be_visible()
    page.keyboard.press("Alt+4")
    page.get_by_role("button", name="Palette", exact=True).click()
    page.locator("#measure-x").set_input_files(photo)
    page.locator("button.primary", has_text="Measure").click()
    expect(page.get_by_role("region", name="Result")).to_be_visible()
    page.keyboard.press("Alt+5")
    page.get_by_role("listitem").get_by_role("button").first.click()
    page.get_by_role("button", name="Make again").click()
    expect(page.get_by_role("complementary")).to_contain_text("bit for bit")


def test_the_language_is_switched_and_remembered(open_page: Open) -> None:
    page = open_page(width=390, height=844)
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="修复图片")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    page.reload()
    expect(page.get_by_role("heading", name="修复图片")).to_be_visible()
    for tab in TABS:
        page.locator(f'nav a[href="#{tab}"]').click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390, tab


def test_settings_speak_the_language_that_is_switched_to_and_keep_what_is_set(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("Alt+4")
    page.get_by_role("button", name="Palette", exact=True).click()
    page.locator("#measure-count").fill("9")
    about = page.locator(".field", has=page.locator("#measure-count")).locator(".words")
    expect(about).to_have_text("the largest number of colours.")
    page.get_by_role("button", name="中文").click()
    expect(about).to_have_text(re.compile("[\u4e00-\u9fff]"))
    assert page.locator("#measure-count").input_value() == "9"
    page.get_by_role("button", name="English").click()
    expect(about).to_have_text("the largest number of colours.")
