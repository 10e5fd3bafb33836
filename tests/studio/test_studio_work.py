"""Long work and odd browsers: trainings watched over a reload, a page without WebSocket, two browsers at once."""

from __future__ import annotations

import textwrap
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from opening import Open
from playwright.sync_api import Browser, expect
from serving import Running, running


@pytest.mark.slow
def test_a_training_is_started_watched_stopped_and_resumed(open_page: Open, studio: Running) -> None:
    page = open_page("train")
    page.get_by_role("button", name="vae", exact=False).last.click()
    page.get_by_role("textbox", name="Budget").first.fill("20s")
    page.get_by_role("textbox", name="Budget").first.press("Enter")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    expect(page.get_by_alt_text("What it paints at this point")).to_be_visible()
    page.reload()
    expect(page.get_by_role("textbox", name="Budget").first).to_have_value("20s")
    expect(page.get_by_alt_text("What it paints at this point")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    (job,) = [each["id"] for each in studio.client.get("/v1/jobs?task=train-vae").json()["jobs"]]
    assert studio.until(job, "done", "failed")["state"] == "done"
    page.get_by_role("button", name="Paint with it").click()
    page.get_by_role("button", name="Traverse").click()
    picture = page.get_by_alt_text("What the model paints")
    expect(picture).to_be_visible()
    before = picture.get_attribute("src")
    page.get_by_role("group", name="Latent sliders").get_by_role("slider").first.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", str(before))


@pytest.mark.slow
def test_pictures_are_composed_and_learned_from(open_page: Open, studio: Running) -> None:
    page = open_page("train")
    page.get_by_role("button", name="Compose").click()
    page.get_by_role("checkbox", name="Digits").check()
    for name, value in (("Count", "1"), ("Width", "16")):
        page.get_by_role("slider", name=name).press("Home")
        expect(page.get_by_role("slider", name=name)).to_have_attribute("aria-valuetext", value)
    page.get_by_role("button", name="Begin").click()
    result = page.get_by_role("region", name="Result")
    expect(result.get_by_alt_text("pictures/000000.png")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Compose").click()
    expect(page.get_by_role("checkbox", name="Digits")).to_be_checked()
    result.get_by_role("button", name="Learn from these").click()
    expect(page.get_by_label("Set of pictures").locator("option:checked")).to_contain_text("Compose.zip · 1 pictures")
    (job,) = studio.client.get("/v1/jobs?task=data-check&limit=1").json()["jobs"]
    studio.until(job["id"], "done", "failed")


@pytest.mark.slow
def test_pictures_that_are_worth_labelling_are_shown(open_page: Open, studio: Running, photo: Path) -> None:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.write(photo, "by the sea/海.png")
    kept = studio.client.post("/v1/datasets", params={"name": "loose.zip"}, content=stream.getvalue()).json()
    page = open_page("train", width=390, height=844, locale="zh-CN")
    page.get_by_role("button", name="接下来标注哪些").click()
    here = page.get_by_role("region", name="制作与标注图片")
    start = here.get_by_role("button", name="开始")
    expect(start).to_be_disabled()
    sets = here.get_by_label("图片", exact=True)
    assert "digits" not in sets.locator("option").all_text_contents(), "it has no files of its own"
    sets.select_option(kept["id"])
    here.get_by_label("权重").select_option("digits")
    start.click()
    picture = here.get_by_role("listitem").get_by_alt_text("by the sea/海.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.slow
def test_without_websocket_events_bring_the_pictures(open_page: Open, photo: Path) -> None:
    page = open_page()
    page.add_init_script("delete window.WebSocket")
    page.reload()
    page.locator("input[type=file]").first.set_input_files(photo)
    page.get_by_role("searchbox").fill("median")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_alt_text("The picture as it becomes")).to_be_visible()


@pytest.mark.slow
def test_two_browsers_work_side_by_side(open_page: Open, photo: Path) -> None:
    pages = [open_page(), open_page(locale="zh-CN", color_scheme="dark")]
    for page, name in zip(pages, ("median", "vignette"), strict=True):
        page.locator("input[type=file]").first.set_input_files(photo)
        page.get_by_role("searchbox").fill(name)
        page.get_by_role("searchbox").press("Enter")
    for page, alt in zip(pages, ("The picture as it becomes", "结果图"), strict=True):
        expect(page.get_by_alt_text(alt)).to_be_visible()
        assert page.locator("ol li").count() == 1


@pytest.mark.slow
def test_a_new_operator_file_is_in_the_page_with_no_other_change(
    browser: Browser, tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from danqing.core import menu
    from danqing.faces.service import catalogue

    package = tmp_path / "glaze_works"
    (package / "edit").mkdir(parents=True)
    for folder in (package, package / "edit"):
        (folder / "__init__.py").write_text("")
    (package / "edit" / "glaze.py").write_text(
        textwrap.dedent('''
            """Glazing."""

            from typing import Annotated

            from danqing.core.fields.number import Range
            from danqing.core.operators.operator import operator
            from danqing.core.pictures.contract import Images


            @operator
            def glaze(x: Images, depth: Annotated[float, Range(0, 1)] = 0.5) -> Images:
                """Lay a glaze over pictures.

                Args:
                    x: pictures (B, C, H, W) in [0, 1].
                    depth: how deep the glaze is.

                Returns:
                    The same shape.

                Source: danqing.

                Examples:
                    danqing glaze photo.png --out glazed.png
                """
                return x * (1 - depth / 2)
        ''').lstrip()
    )
    monkeypatch.syspath_prepend(tmp_path)
    here = (*menu.roots(), menu.Root(package, "glaze_works"))
    caches = (menu.operators, menu.tasks, catalogue.tasks_in)
    monkeypatch.setattr(menu, "roots", lambda: here)
    for each in caches:
        each.cache_clear()
    try:
        with running(tmp_path / "data") as made:
            page = browser.new_page()
            page.goto(made.url)
            page.locator("input[type=file]").first.set_input_files(photo)
            page.get_by_role("searchbox").fill("glaze")
            page.get_by_role("searchbox").press("Enter")
            expect(page.get_by_alt_text("The picture as it becomes")).to_be_visible()
            expect(page.get_by_label("Depth")).to_be_visible()
            assert "/v1/run/glaze" in made.client.get("/v1/openapi.json").json()["paths"]
            page.close()
    finally:
        monkeypatch.undo()
        for each in caches:
            each.cache_clear()
