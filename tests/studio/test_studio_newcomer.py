"""What somebody meets who has never been here: hints, not complaints; ways that lead somewhere; a folder as it is."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from pathlib import Path

from opening import Open
from PIL import Image
from playwright.sync_api import Page, Route, expect
from serving import Running

GRAIN = """(image) => {
  const canvas = document.createElement('canvas')
  canvas.width = 200
  canvas.height = 200
  const to = canvas.getContext('2d')
  to.drawImage(image, 0, 0, 200, 200, 0, 0, 200, 200)
  const { data } = to.getImageData(0, 0, 200, 200)
  let sum = 0
  for (let at = 4; at < data.length; at += 4) sum += Math.abs(data[at + 1] - data[at - 3])
  return sum
}"""


def choose(page: Page, photo: Path, name: str) -> None:
    page.locator("input[type=file]").first.set_input_files(photo)
    page.get_by_role("searchbox").fill(name)
    page.get_by_role("searchbox").press("Enter")


def test_who_chose_a_tool_with_a_mask_is_told_to_brush_and_not_scolded(open_page: Open, photo: Path) -> None:
    page = open_page()
    choose(page, photo, "inpaint")
    hint = page.get_by_text("Brush over the place in the picture")
    expect(hint).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Done").first.click()
    expect(page.get_by_role("alert")).to_contain_text("Step 1 · Mask: nothing says where to paint. Give a mask")
    page.get_by_role("button", name="Brush it on the picture").click()
    picture = page.locator(".picture").bounding_box()
    assert picture is not None
    page.mouse.move(picture["x"] + 60, picture["y"] + 60)
    page.mouse.down()
    page.mouse.move(picture["x"] + 90, picture["y"] + 70, steps=3)
    page.mouse.up()
    expect(page.get_by_alt_text("The mask")).to_be_visible()
    expect(hint).to_have_count(0)


def test_a_way_to_paint_says_what_is_wrong_beside_what_was_painted(open_page: Open) -> None:
    page = open_page("paint")
    picture = page.get_by_alt_text("What the model paints")
    expect(picture).to_be_visible()
    page.get_by_role("button", name="More like").click()
    expect(picture).to_be_visible()
    page.get_by_role("textbox", name="Start").fill("nonsense")
    page.get_by_role("textbox", name="Start").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Start: 'nonsense' is no SHA-256 of a file.")
    page.get_by_role("textbox", name="Start").fill("0:1")
    page.get_by_role("textbox", name="Start").press("Enter")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_ways_to_paint_that_no_model_here_knows_stand_apart_and_say_so(open_page: Open) -> None:
    """Nor is a model that paints nothing asked for a sample: the browser would note each refusal."""
    page = open_page("paint")
    ways = page.get_by_role("group", name="What to paint").get_by_role("button")
    expect(ways.first).to_have_text("Generate")
    expect(ways.last).to_have_text("Activation maximisation")
    expect(
        page.get_by_role("button", name="Translate")
    ).to_be_visible()  # a pix2pix, which is a translator, comes along
    by_codec = page.get_by_role("button", name="Reconstruct")
    expect(by_codec).to_be_hidden()
    page.get_by_text("Needs another kind of model").click()
    by_codec.click()
    expect(page.get_by_text("No model here can do this.")).to_be_visible()
    expect(page.get_by_role("button", name="Train one now")).to_have_count(0)
    ways.last.click()
    models = page.get_by_role("region", name="Models").get_by_role("article")
    expect(models.filter(has_text="denoise-tiny")).to_be_visible()
    assert page.get_by_role("region", name="Models").evaluate("one => one.scrollWidth <= one.clientWidth")
    page.wait_for_load_state("networkidle")


def test_a_folder_is_chosen_as_it_is(open_page: Open, studio: Running, tmp_path: Path) -> None:
    folder = tmp_path / "猫 and dogs"
    for at, name in enumerate(("cats/一.png", "cats/two.png", "dogs/one.png", ".hidden/no.png")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), (90 * at, 40, 80)).save(folder / name)
    page = open_page("train")
    with page.expect_response(lambda answer: answer.url.endswith("/v1/datasets") and answer.status == 201) as sent:
        page.locator("input[webkitdirectory]").set_input_files(folder)
    told = sent.value.json()
    assert (told["name"], told["classes"]) == ("猫 and dogs.zip", {"cats": 2, "dogs": 1})
    with zipfile.ZipFile(BytesIO(studio.client.get(f"/v1/pictures/{told['id']}").content)) as kept:
        assert kept.testzip() is None
        assert kept.read("cats/一.png") == (folder / "cats" / "一.png").read_bytes()
        assert kept.namelist() == ["cats/two.png", "cats/一.png", "dogs/one.png"]
    expect(page.get_by_label("Set of pictures")).to_have_value(told["id"])
    expect(page.get_by_alt_text("dogs/one.png")).to_be_visible()
    studio.client.post(f"/v1/jobs/{told['check']['id']}/cancel")


def test_pictures_that_are_dropped_are_a_set(open_page: Open, studio: Running) -> None:
    page = open_page("train")
    drop = """
        async (zone) => {
          const canvas = new OffscreenCanvas(48, 48), data = new DataTransfer()
          canvas.getContext('2d').fillRect(8, 8, 20, 30)
          const blob = await canvas.convertToBlob({ type: 'image/png' })
          for (const name of ['one.png', 'two.png']) data.items.add(new File([blob], name, { type: 'image/png' }))
          zone.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))
        }
    """
    zone = page.locator("label.drop").element_handle()
    with page.expect_response(lambda answer: answer.url.endswith("/v1/datasets") and answer.status == 201) as sent:
        page.evaluate(drop, zone)
    told = sent.value.json()
    assert (told["name"], told["pictures"]) == ("Pictures.zip", 2)
    expect(page.locator(".report .pictures img")).to_have_count(2)
    studio.client.post(f"/v1/jobs/{told['check']['id']}/cancel")


def test_the_same_word_is_another_choice_in_another_field(open_page: Open, photo: Path) -> None:
    page = open_page(locale="zh-CN")
    choose(page, photo, "white_balance")
    expect(page.get_by_role("group", name=re.compile("方法")).get_by_role("button", name="白点")).to_be_visible()
    page.keyboard.press("Alt+4")
    page.get_by_role("button", name="积分梯度").click()
    ground = page.locator(".field", has=page.get_by_text("基准", exact=True))
    expect(ground.get_by_role("button", name="白色")).to_be_visible()


def test_on_a_telephone_everything_is_within_reach_while_a_job_is_at_work(
    open_page: Open, studio: Running, photo: Path
) -> None:
    page = open_page(width=390, height=844, has_touch=True)
    lasts = {"task": "train-mlpgan", "values": {"data": "digits", "budget": "1h", "threads": 1}}
    job = studio.client.post("/v1/jobs", json=lasts).json()["id"]
    expect(page.get_by_role("button", name="Jobs 1")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(photo)
    page.get_by_role("button", name="Tools", exact=True).click()
    page.get_by_role("searchbox").fill("inpaint")
    page.get_by_role("searchbox").press("Enter")
    reachable = [page.get_by_role("banner").get_by_role("button"), page.get_by_role("toolbar").get_by_role("button")]
    expect(reachable[1]).to_have_count(10)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    places = [each.bounding_box() for buttons in reachable for each in buttons.all()]
    assert all(each is not None and 0 <= each["x"] <= 390 - each["width"] for each in places), places
    assert studio.client.post(f"/v1/jobs/{job}/cancel").is_success


def test_a_job_that_came_while_nothing_was_heard_is_found(open_page: Open, studio: Running) -> None:
    for each in studio.client.get("/v1/jobs").json()["jobs"]:  # of tests before
        if "cancel" in each["can"]:
            studio.client.post(f"/v1/jobs/{each['id']}/cancel")
            studio.until(each["id"], "cancelled", "done", "failed")
    page = open_page()
    page.goto("about:blank")  # what the first page still asks for when it is slow is not to be held
    held: list[Route] = []
    page.route("**/v1/events", lambda route: held.append(route))
    with page.expect_response(lambda answer: "/v1/jobs?" in answer.url):
        page.goto(f"{studio.url}/#mend")
    lasts = {"task": "train-mlpgan", "values": {"data": "digits", "budget": "1h", "threads": 1}}
    job = studio.client.post("/v1/jobs", json=lasts).json()["id"]
    studio.until(job, "running")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.get_by_role("button", name="Jobs 1")).to_be_visible(timeout=60_000)
    assert studio.client.post(f"/v1/jobs/{job}/cancel").is_success


def test_the_list_of_jobs_does_not_lie_over_another_tab(open_page: Open) -> None:
    page = open_page()
    button, jobs = page.get_by_role("button", name="Jobs"), page.get_by_role("complementary", name="Jobs")
    button.click()
    expect(jobs).to_be_visible()
    page.keyboard.press("Alt+2")
    expect(page.get_by_role("heading", name="Paint", exact=True)).to_be_attached()
    expect(jobs).to_be_hidden()
    button.click()
    expect(jobs).to_be_visible()


def test_who_searches_by_name_finds_what_is_called_so(open_page: Open, photo: Path) -> None:
    """Another tool tells of painting in, too, and comes before it in the menu."""
    page = open_page(locale="zh-CN")
    choose(page, photo, "补画")
    expect(page.get_by_role("region", name="步骤").get_by_role("listitem")).to_contain_text("补画")


def test_a_budget_that_is_none_is_marked_before_it_is_sent(open_page: Open) -> None:
    page = open_page("train", refuses=True)
    budget = page.get_by_role("textbox", name="Budget").first
    for text, wrong in (("soon", True), ("0m", True), ("500KIMG", False), ("90 s", False)):
        budget.fill(text)
        assert budget.evaluate("one => one.matches(':invalid')") == wrong, text
    budget.fill("soon")
    budget.press("Enter")
    page.get_by_role("button", name="Start training").click()  # once: it stays where it is pressed
    expect(page.get_by_role("alert")).to_contain_text("Budget: 'soon' is not a budget. Say 90s, 10m, 2h")


def test_a_training_that_is_started_is_seen(open_page: Open, studio: Running) -> None:
    page = open_page("train", width=390, height=844)
    page.get_by_role("button", name="Start training").click()
    run = page.get_by_role("heading", name="DCGAN · digits")
    expect(run).to_be_in_viewport()
    (job,) = [each["id"] for each in studio.client.get("/v1/jobs?task=train-dcgan").json()["jobs"]]
    studio.client.post(f"/v1/jobs/{job}/cancel")


def test_what_suits_the_pictures_is_taken_with_one_click(open_page: Open, studio: Running, tmp_path: Path) -> None:
    """The report of a look through a set is noted as the job would: two files, one of which cannot be used."""
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as made:
        made.writestr("a.png", photo_bytes())
        made.writestr("b.jpg", b"no picture")
    told = studio.client.post("/v1/datasets?name=two.zip", content=(tmp_path / "two.zip").read_bytes()).json()
    studio.client.post(f"/v1/jobs/{told['check']['id']}/cancel")
    report = {
        "usable": 1,
        "unusable": [{"name": "b.jpg", "reason": "is not a picture"}],
        "warnings": ["1 file cannot be used; training goes on without only with --skip-bad"],
        "suggestion": ["Suggestion: danqing train vae two.zip", "In 30m this machine sees about 90,000 pictures"],
        "settings": {"family": "vae", "size": 32, "budget": "30m"},
    }
    studio.until(told["check"]["id"], "cancelled")
    studio.service.sets.note(told["id"], report=report)
    page = open_page("train", refuses=True)  # a look at what is no picture
    page.get_by_label("Set of pictures").select_option(told["id"])
    expect(page.get_by_text('only with "Skip bad"')).to_be_visible()
    expect(page.get_by_text("In 30m this machine sees about 90,000 pictures")).to_be_visible()
    page.get_by_role("button", name="Take it: VAE, 32 px, 30m").click()
    expect(page.get_by_role("group", name="Kind of model").locator("[aria-pressed=true]")).to_contain_text("VAE")
    expect(page.get_by_role("textbox", name="Budget").first).to_have_value("30m")
    expect(page.get_by_role("textbox", name="Size")).to_have_value("32")
    expect(page.get_by_label("Train without what cannot be used")).to_be_checked()


def test_what_another_has_deleted_is_gone_without_a_fuss(open_page: Open, studio: Running, photo: Path) -> None:
    """Two browsers show the same item and the same model; the other one deletes both first."""
    x = studio.client.post("/v1/pictures?name=a.png", content=photo.read_bytes()).json()["pictures"][0]["id"]
    kept = studio.client.post("/v1/run/flip", json={"values": {"x": x}, "keep": True}).json()["gallery"]
    page = open_page("gallery", refuses=True)
    items = page.get_by_role("listitem")
    items.filter(has_text="Flip").first.get_by_role("button").click()
    before = len(studio.client.get("/v1/gallery").json()["items"])
    studio.client.delete(f"/v1/gallery/{kept}")
    page.get_by_role("complementary").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("complementary")).to_have_count(0)
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(before - 1)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_chain_whose_third_step_fails_shows_which_and_keeps_the_first_two(open_page: Open, photo: Path) -> None:
    page = open_page()
    choose(page, photo, "median")
    for name in ("vignette", "crop"):
        page.get_by_role("searchbox").fill(name)
        page.get_by_role("searchbox").press("Enter")
    for name, value in (("Left", "100"), ("Width", "90")):
        page.get_by_role("textbox", name=name, exact=True).fill(value)
        page.get_by_role("textbox", name=name, exact=True).press("Enter")
    page.get_by_role("button", name="Done").first.click()
    expect(page.get_by_role("alert")).to_contain_text("Step 3")
    page.get_by_role("button", name="On: crop").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_alt_text("The picture as it becomes")).to_be_visible()


REMEMBERED = {
    "danqing-bench": {
        "x": 1,
        "links": [{"key": 1, "task": "median", "values": {}, "on": True}, 3, {"task": "no_such"}],
    },
    "danqing-paint": [1],
    "danqing-train": 7,
    "danqing-measure": {"task": 5, "values": []},
}


def test_what_another_danqing_remembered_breaks_nothing(open_page: Open) -> None:
    page = open_page()
    expect(page.get_by_role("button", name="Open a picture")).to_be_visible()
    remember = (
        "all => Object.entries(all).forEach(([name, value]) => localStorage.setItem(name, JSON.stringify(value)))"
    )
    page.evaluate(remember, REMEMBERED)
    page.reload()
    for tab, heading in (("mend", "Mend a picture"), ("paint", "Paint"), ("train", "Train a"), ("measure", "Measure")):
        page.locator(f'nav a[href="#{tab}"]').click()
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_attached()


def test_a_picture_of_another_folder_is_let_go(open_page: Open) -> None:
    page = open_page(refuses=True)
    expect(page.get_by_role("button", name="Open a picture")).to_be_visible()
    picture = {"id": "a" * 64, "name": "old.png", "type": "image/png", "width": 300, "height": 200, "url": ""}
    links = [{"key": at, "task": task, "values": {}, "on": True} for at, task in enumerate(("median", "no_such_tool"))]
    kept = {"picture": picture, "links": links, "selected": 0}
    page.evaluate("kept => localStorage.setItem('danqing-bench', JSON.stringify(kept))", kept)
    page.reload()
    expect(page.get_by_role("button", name="Open a picture")).to_be_visible()


def photo_bytes() -> bytes:
    """A small picture as a file."""
    stream = BytesIO()
    Image.new("RGB", (20, 20), (90, 40, 80)).save(stream, "PNG")
    return stream.getvalue()


def test_the_first_offer_shows_what_was_noisy_beside_what_is_clean(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name="Take noise away").click()
    expect(page.get_by_alt_text("The picture as it becomes")).to_be_visible()
    expect(page.locator(".busy")).to_have_count(0)
    expect(page.get_by_text("before", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Denoise").first).to_be_visible()
    expect(page.get_by_text("Add camera noise", exact=True).locator("visible=true")).to_have_count(0)
    grain = [page.evaluate(GRAIN, page.locator(f".picture img >> nth={at}").element_handle()) for at in range(2)]
    assert min(grain) < 0.5 * max(grain)
