"""Painting: the model it opens with, what a model's latent space holds, and long work that is found again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from opening import Open
from playwright.sync_api import Page, expect
from serving import Running

PAINTED = "What the model paints"  # what is seen while a slider moves
MADE = "What was painted"
LINES = "one => { const all = document.createRange(); all.selectNodeContents(one); return all.getClientRects().length }"


def paint_with(page: Page, model: str, way: str) -> None:
    expect(page.get_by_alt_text(PAINTED)).to_be_visible()
    card(page, model).click()
    page.get_by_role("group", name="What to paint").get_by_role("button", name=way, exact=True).click()


def card(page: Page, model: str) -> Any:
    return page.get_by_role("region", name="Models").get_by_role("button", name=model)


def test_it_opens_with_a_model_that_paints_at_once_and_then_with_the_one_that_was_chosen(open_page: Open) -> None:
    page = open_page("paint")
    chosen = page.get_by_role("region", name="Models").locator("article > button[aria-pressed=true]")
    expect(chosen).to_contain_text(re.compile("dcgan|stylegan"))
    card(page, "textures").click()
    page.reload()
    expect(chosen).to_contain_text("textures")


def test_every_class_can_be_asked_for_in_turn_where_that_is_taken(open_page: Open) -> None:
    page = open_page("paint", locale="zh-CN")
    classes = page.get_by_role("group").filter(has=page.get_by_role("button", name="任意", exact=True))
    every = classes.get_by_role("button", name="全部", exact=True)
    every.click()
    expect(every).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="Loop", exact=True).click()
    expect(page.get_by_role("button", name="any", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="all", exact=True)).to_have_count(0)


def test_directions_are_found_steered_along_and_seen_in_the_gallery(open_page: Open) -> None:
    page = open_page("paint")
    paint_with(page, "handwritten-digits", "Steer")
    expect(page.get_by_text("Nothing of this kind was found in this model yet.")).to_be_visible()
    page.get_by_role("button", name="Find directions …").click()
    page.get_by_role("textbox", name="Names").fill("slant, weight")
    page.get_by_role("textbox", name="Names").press("Enter")
    page.get_by_role("button", name="Make", exact=True).click()
    expect(page.get_by_alt_text(MADE)).to_be_visible()
    result = page.get_by_role("region", name="Result")
    expect(result.get_by_role("cell", name="weight")).to_be_visible()
    result.get_by_role("button", name="Steer").click()
    known = page.get_by_role("group", name="Directions").get_by_role("button")
    expect(known).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("It holds: slant, weight, 3")).to_be_visible()
    expect(page.get_by_alt_text(PAINTED)).to_be_visible()
    strengths = page.get_by_role("group", name="How far along each direction").get_by_role("slider")
    expect(strengths).to_have_count(8)
    page.get_by_role("slider", name="weight").fill("-1.5")
    expect(page.get_by_text("−1.5", exact=True).or_(page.get_by_text("-1.5", exact=True))).to_be_visible()
    expect(page.get_by_alt_text(PAINTED)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    card(page, "characters").click()
    expect(page.get_by_text("Nothing of this kind was found in this model yet.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)

    page.keyboard.press("Alt+5")
    item = page.get_by_role("main").get_by_role("listitem").filter(has_text="Find directions").first
    assert item.get_by_role("img").evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    item.get_by_role("button").click()
    page.get_by_role("button", name="Make again").click()
    expect(page.get_by_role("complementary")).to_contain_text("bit for bit")
    page.get_by_role("complementary").get_by_role("button", name="Steer").click()
    expect(known).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_alt_text(PAINTED)).to_be_visible()


def test_directions_from_elsewhere_are_opened(open_page: Open, studio: Running, tmp_path: Path) -> None:
    asked = {"task": "find_directions", "values": {"weights": "textures", "count": 2}}
    job = studio.until(studio.client.post("/v1/jobs", json=asked).json()["id"], "done", "failed")
    file = tmp_path / "mine.directions"
    file.write_bytes(studio.client.get(job["result"]["files"][0]["url"]).content)
    assert studio.client.delete(f"/v1/gallery/{job['id']}").is_success
    page = open_page("paint")
    paint_with(page, "textures", "Steer")
    page.locator("input[type=file][accept='.directions']").set_input_files(file)
    known = page.get_by_role("group", name="Directions").get_by_role("button")
    expect(known).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_alt_text(PAINTED)).to_be_visible()


def test_a_picture_is_projected_and_gone_on_from(open_page: Open, studio: Running) -> None:
    one = {"values": {"weights": "handwritten-digits", "count": 1, "seed": 7}, "keep": True}
    for _ in range(2):  # the same picture, twice in the gallery
        assert studio.client.post("/v1/run/generate", json=one).is_success
    page = open_page("paint")
    paint_with(page, "handwritten-digits", "Project")
    page.get_by_role("button", name="From the gallery").click()
    page.get_by_role("group", name="From the gallery").get_by_role("button").first.click()
    expect(page.get_by_alt_text("The picture chosen")).to_be_visible()
    page.get_by_role("textbox", name="Steps").fill("0")
    page.get_by_role("textbox", name="Steps").press("Enter")
    page.get_by_role("button", name="Make", exact=True).click()
    expect(page.get_by_alt_text(MADE)).to_be_visible()
    result = page.get_by_role("region", name="Result")
    expect(result).to_contain_text("Unexplained")
    result.get_by_role("button", name="More like").click()
    expect(page.get_by_alt_text(PAINTED)).to_be_visible()
    known = page.get_by_role("group", name="Latents").get_by_role("button")
    expect(known).to_have_attribute("aria-pressed", "true")
    known.click()
    expect(known).to_have_attribute("aria-pressed", "false")
    page.get_by_role("textbox", name="Start").fill("7:1")
    page.get_by_role("textbox", name="Start").press("Enter")
    known.click()
    expect(page.get_by_role("textbox", name="Start")).to_have_value("")
    card(page, "characters").click()
    expect(page.get_by_role("textbox", name="Start")).to_be_visible()
    expect(known).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_film_in_the_making_is_found_after_another_tab_and_after_a_reload(open_page: Open) -> None:
    page = open_page("paint")
    paint_with(page, "textures", "Loop")
    frames = page.get_by_role("slider", name="Frames")
    frames.press("End")
    page.get_by_role("button", name="Make", exact=True).click()
    cancel, progress = page.get_by_role("button", name="Cancel"), page.get_by_role("progressbar")
    expect(progress).to_have_attribute("value", re.compile(r"\d"))
    page.keyboard.press("Alt+5")
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
    page.keyboard.press("Alt+2")
    expect(progress).to_have_attribute("value", re.compile(r"\d"))
    page.reload()
    expect(progress).to_have_attribute("value", re.compile(r"\d"))
    cancel.click()
    expect(cancel).to_have_count(0)
    frames.press("Home")
    page.get_by_role("button", name="Make", exact=True).click()
    page.keyboard.press("Alt+1")
    expect(page.get_by_role("heading", name="Mend a picture")).to_be_visible()
    page.keyboard.press("Alt+2")
    film = page.get_by_alt_text(MADE)
    expect(film).to_be_visible()
    page.reload()
    expect(film).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save", exact=True).click()
    assert saved.value.suggested_filename.endswith(".gif")


def test_many_pictures_are_a_job_and_few_are_there_at_once(open_page: Open) -> None:
    page = open_page("paint")
    paint_with(page, "handwritten-digits", "Generate")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save", exact=True).click()
    assert saved.value.suggested_filename.endswith(".zip")  # sixteen pictures
    page.get_by_role("slider", name="Count").press("Enter")
    page.get_by_role("textbox", name="Count").fill("300")
    page.get_by_role("textbox", name="Count").press("Enter")
    with page.expect_response(lambda answer: answer.url.endswith("/v1/jobs") and answer.status == 201):
        page.get_by_role("button", name="Make", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Make", exact=True)).to_be_visible()


@pytest.mark.slow
def test_a_model_is_exported_for_other_programs(open_page: Open, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    page = open_page("paint")
    paint_with(page, "handwritten-digits", "Generate")
    page.get_by_role("region", name="Models").locator("summary").click()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as saved:
        page.get_by_role("link", name="handwritten-digits.onnx").click()
    saved.value.save_as(tmp_path / "made.onnx")
    onnx.checker.check_model(tmp_path / "made.onnx")


@pytest.mark.parametrize(("locale", "name"), [("en-US", "Gallery"), ("zh-CN", "画廊")])
def test_on_a_telephone_the_heading_of_the_gallery_is_whole(
    open_page: Open, studio: Running, photo: Path, locale: str, name: str
) -> None:
    kept = {"values": {"x": studio.send(photo)}, "keep": True}
    assert studio.client.post("/v1/run/flip", json=kept).is_success
    page = open_page("gallery", width=390, height=844, locale=locale)
    expect(page.get_by_role("main").get_by_role("listitem").first).to_be_visible()
    for pressed in (False, True):  # with the buttons of either state beside it
        if pressed:
            page.get_by_role("main").locator("header").get_by_role("button").last.click()
        assert page.get_by_role("heading", name=name, level=1).evaluate(LINES) == 1
        assert page.evaluate("document.documentElement.scrollWidth") == 390
