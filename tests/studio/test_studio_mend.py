"""Mending in a real browser: what is seen and saved there is what the command line makes, byte for byte."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner
from opening import Open
from PIL import Image
from playwright.sync_api import Page, Route, expect
from serving import Running

from danqing.faces.cli import cli


def tool(page: Page, name: str) -> None:
    page.get_by_role("searchbox").fill(name)
    page.get_by_role("searchbox").press("Enter")


def opened(page: Page, photo: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(photo)
    expect(page.get_by_text("128 × 96")).to_be_visible()


def saved(page: Page, folder: Path) -> Path:
    with page.expect_download() as download:
        page.keyboard.press("Control+s")
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def command(*words: Any) -> None:
    done = CliRunner().invoke(cli, [*map(str, words), "--quiet"])
    assert done.exit_code == 0, done.output


def pixels(file: Path | bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(file) if isinstance(file, bytes) else file).convert("RGB"))


def test_a_picture_is_seen_before_the_service_has_it(open_page: Open, photo: Path, tmp_path: Path) -> None:
    """What is seen first is the browser's own; what is kept is the file, and a mask has its full size."""
    large = tmp_path / "large.jpg"
    Image.open(photo).resize((2400, 1600)).save(large)
    held: list[Route] = []
    page = open_page()
    page.route("**/v1/pictures", lambda route: held.append(route), times=1)
    page.locator("input[type=file]").first.set_input_files(large)
    shown = page.locator(".picture img")
    expect(shown).to_have_attribute("src", re.compile("^blob:"))
    shown.evaluate("image => image.decode()")
    assert shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [2400, 1600]
    expect(page.get_by_text("opening")).to_be_visible()
    tool(page, "inpaint")
    expect(page.locator(".mask canvas")).to_have_count(0)
    held[0].continue_()
    expect(page.get_by_text("2400 × 1600")).to_be_visible()
    expect(shown).to_have_attribute("src", re.compile("^/v1/pictures/.*size=768"))
    assert page.locator(".mask canvas").evaluate("canvas => [canvas.width, canvas.height]") == [2400, 1600]


def test_a_picture_that_cannot_be_opened_leaves_the_one_before(open_page: Open, photo: Path, tmp_path: Path) -> None:
    page = open_page(refuses=True)
    opened(page, photo)
    broken = tmp_path / "broken.png"
    broken.write_bytes(photo.read_bytes()[:-4000])
    with page.expect_response(lambda answer: answer.status == 422):
        page.locator("input[type=file]").first.set_input_files(broken)
    expect(page.get_by_role("alert")).to_contain_text("truncated")
    expect(page.get_by_text("128 × 96")).to_be_visible()
    expect(page.get_by_alt_text("meadow.png")).to_have_attribute("src", re.compile("^/v1/"))


def test_a_chain_is_undone_reordered_switched_and_saved(open_page: Open, photo: Path, tmp_path: Path) -> None:
    page = open_page()
    opened(page, photo)
    tool(page, "median")
    slider = page.get_by_label("Radius")
    slider.press("ArrowRight")
    expect(page.get_by_alt_text("The picture as it becomes")).to_be_visible()
    tool(page, "vignette")
    steps = page.get_by_role("region", name="Steps").get_by_role("listitem")
    expect(steps).to_have_count(2)
    first = saved(page, tmp_path)

    page.get_by_role("button", name="Earlier: vignette").click()
    expect(steps.first).to_contain_text("Vignette")
    reordered = saved(page, tmp_path / "reordered")
    assert not np.array_equal(pixels(reordered), pixels(first))
    page.get_by_role("button", name="On: vignette").click()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(steps.first).to_contain_text("Median")
    assert saved(page, tmp_path / "again").read_bytes() == first.read_bytes()

    page.reload()
    expect(page.get_by_role("region", name="Steps").get_by_role("listitem")).to_have_count(2)

    command("median", photo, "--radius", 2, "--out", tmp_path / "one.png")
    command("vignette", tmp_path / "one.png", "--out", tmp_path / "two.png")
    assert np.array_equal(pixels(tmp_path / "two.png"), pixels(first))


def test_a_mask_drawn_by_brush_paints_as_the_command_line_does(
    open_page: Open, studio: Running, photo: Path, tmp_path: Path
) -> None:
    page = open_page()
    opened(page, photo)
    tool(page, "inpaint")
    picture = page.locator(".picture").bounding_box()
    assert picture is not None
    scale = picture["width"] / 128
    page.mouse.move(picture["x"] + 28 * scale, picture["y"] + 43 * scale)
    page.mouse.down()
    page.mouse.move(picture["x"] + 92 * scale, picture["y"] + 43 * scale, steps=12)
    with page.expect_response(lambda answer: answer.url.endswith("/v1/pictures") and answer.ok) as sent:
        page.mouse.up()
    expect(page.get_by_alt_text("The mask")).to_be_visible()
    kept = studio.client.get(f"/v1/pictures/{sent.value.json()['pictures'][0]['id']}").content
    mask = tmp_path / "mask.png"
    mask.write_bytes(kept)
    drawn = pixels(kept)[..., 0]
    assert drawn.shape == (96, 128)
    assert drawn[43, 30:90].min() == 255
    assert drawn[:20].max() == drawn[70:].max() == 0

    page.get_by_label("Method").select_option("telea")
    shown = pixels(saved(page, tmp_path))
    assert np.array_equal(shown[:20], pixels(photo)[:20])
    assert shown[43, 40:80].mean() > pixels(photo)[43, 40:80].mean() + 40
    command("inpaint", photo, "--mask", mask, "--method", "telea", "--out", tmp_path / "typed.png")
    assert np.array_equal(pixels(tmp_path / "typed.png"), shown)


def test_what_is_placed_on_the_picture_belongs_to_its_step(open_page: Open, photo: Path) -> None:
    """A box of one step is not dragged into the settings of another."""
    page = open_page()
    opened(page, photo)
    tool(page, "median")
    tool(page, "crop")
    handles = page.get_by_role("group", name="On the picture").get_by_role("slider")
    expect(handles).to_have_count(4)
    steps = page.get_by_role("region", name="Steps").get_by_role("listitem")
    steps.first.get_by_role("button").first.click()
    expect(handles).to_have_count(0)
    steps.last.get_by_role("button").first.click()
    expect(handles).to_have_count(4)


def test_a_box_that_is_given_up_is_gone_and_a_file_that_is_no_mask_is_refused(
    open_page: Open, photo: Path, tmp_path: Path
) -> None:
    page = open_page()
    opened(page, photo)
    tool(page, "inpaint")
    picture = page.locator(".picture").bounding_box()
    assert picture is not None
    page.get_by_role("button", name="Box", exact=True).click()
    page.mouse.move(picture["x"] + 60, picture["y"] + 60)
    page.mouse.down()
    page.mouse.move(picture["x"] + 90, picture["y"] + 90, steps=3)
    rubber = page.locator(".picture rect")
    expect(rubber).to_have_count(1)
    page.keyboard.press("Escape")
    expect(rubber).to_have_count(0)
    page.mouse.up()
    page.get_by_role("button", name="Brush it on the picture").click()
    expect(rubber).to_have_count(0)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    page.get_by_role("toolbar").get_by_label("Upload a mask").set_input_files(broken)
    expect(page.get_by_role("alert").filter(has_text="broken.png")).to_contain_text("cannot be read as a picture")
    expect(page.get_by_role("toolbar").get_by_label("Upload a mask")).to_have_value("")  # may be chosen once more


def test_the_step_that_fails_when_it_is_saved_is_the_one_that_is_marked(open_page: Open, photo: Path) -> None:
    """Readings before it are no steps of what is saved."""
    page = open_page(refuses=True)
    opened(page, photo)
    tool(page, "palette")
    tool(page, "detect")
    page.get_by_role("textbox", name="Only").fill("unicorn")
    page.get_by_role("textbox", name="Only").press("Enter")
    page.get_by_role("button", name="Make and save").click()
    expect(page.get_by_role("alert")).to_contain_text("unicorn")
    steps = page.get_by_role("region", name="Steps").get_by_role("listitem")
    expect(steps.last).to_have_class(re.compile("isBad"))
    expect(steps.first).not_to_have_class(re.compile("isBad"))


def test_what_is_repaired_is_saved_and_what_was_found_is_told(open_page: Open, photo: Path, tmp_path: Path) -> None:
    """`repair` tells figures as readings do, and once was taken for one: what was saved was the picture unrepaired."""
    page = open_page()
    opened(page, photo)
    tool(page, "repair")
    page.get_by_role("textbox", name="Always").fill("blur")
    page.get_by_role("textbox", name="Always").press("Enter")
    expect(page.get_by_role("region", name="Settings").get_by_text("Scratches", exact=True)).to_be_visible()
    tool(page, "flip")
    made = saved(page, tmp_path / "made")
    command("repair", photo, "--always", "blur", "--out", tmp_path / "one.png")
    command("flip", tmp_path / "one.png", "--out", tmp_path / "two.png")
    assert np.array_equal(pixels(tmp_path / "two.png"), pixels(made))
    assert not np.array_equal(pixels(tmp_path / "one.png"), pixels(photo))
