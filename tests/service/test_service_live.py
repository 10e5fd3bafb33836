"""Live looks: what a slider shows is what would be made, the newest wish wins, and painting is shared out."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from serving import PATIENCE, Running
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from danqing.core.learned import painting
from danqing.core.learned.families import family_named
from danqing.core.learned.painting import CHUNK, PAINT, paint_chunk
from danqing.core.learned.weights import save
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write
from danqing.faces.service.live import Sessions
from danqing.faces.service.painting import Together
from danqing.faces.service.problems import Problem


@pytest.fixture
def line(server: Running) -> Any:
    with connect(f"ws://127.0.0.1:{server.port}/v1/live", max_size=None) as made:
        yield made


@pytest.fixture(scope="module")
def painter(server: Running, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An untrained painter, sent to the service; its id."""
    model = family_named("mlpgan")(size=16, channels=1, classes=3)
    file = tmp_path_factory.mktemp("weights") / "painter.safetensors"
    save(model, file)
    answer = server.client.post("/v1/models", content=file.read_bytes(), params={"name": "painter.safetensors"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def ask(line: ClientConnection, **wish: Any) -> tuple[dict[str, Any], bytes]:
    """Wish, and wait for what comes of it."""
    line.send(json.dumps({"id": 1, **wish}))
    while True:
        facts = json.loads(line.recv())
        data = line.recv() if facts.get("bytes") else b""
        if facts["type"] != "progress":
            assert isinstance(data, bytes)
            return facts, data


def test_what_is_shown_is_what_would_be_made(server: Running, line: ClientConnection, photo: Path) -> None:
    name = server.send(photo)
    facts, data = ask(line, task="median", values={"x": name, "radius": 2}, format="png")
    assert (facts["type"], facts["width"], facts["height"]) == ("result", 64, 48)
    expected = operator_named("median")(read(photo).pixels, radius=2)
    assert read(data).pixels.equal((expected * 255 + 0.5).floor() / 255)


def test_a_part_is_worked_on_at_full_size_and_pixels_follow(
    server: Running, line: ClientConnection, photo: Path
) -> None:
    name = server.send(photo)
    facts, data = ask(line, task="median", values={"x": name}, box="10,8,20,16", format="png")
    part = read(photo).pixels[..., 8:24, 10:30]
    assert read(data).pixels.equal((operator_named("median")(part) * 255 + 0.5).floor() / 255)
    facts, _ = ask(line, task="crop", values={"x": name, "left": 32, "top": 0, "width": 32, "height": 48}, size=32)
    assert (facts["width"], facts["height"]) == (16, 24)


def test_a_chain_is_looked_at_live(server: Running, line: ClientConnection, photo: Path) -> None:
    name = server.send(photo)
    steps = [{"task": "median", "values": {"radius": 1}}, {"task": "flip", "on": False}, {"task": "vignette"}]
    _, data = ask(line, picture=name, steps=steps, format="png")
    x = operator_named("vignette")(operator_named("median")(read(photo).pixels, radius=1))
    assert (read(data).pixels - x).abs().max() <= 0.5 / 255 + 2**-22
    facts, _ = ask(line, picture=name, steps=[{"task": "sharpness"}])
    assert facts["numbers"] == operator_named("sharpness")(read(photo).pixels).told()


def test_what_a_step_mended_is_what_the_next_sees(server: Running, line: ClientConnection, tmp_path: Path) -> None:
    x = torch.rand(1, 3, 60, 80, generator=torch.Generator().manual_seed(0))
    alpha = (torch.arange(80) < 50).float().expand(1, 1, 60, 80).clone()
    name = server.send(write(Picture(x, alpha), tmp_path / "cut.png"))
    mending = {"task": "repair", "values": {"always": "blur"}}
    facts, mended = ask(line, picture=name, steps=[mending], format="png")
    assert facts["numbers"]["steps"][-1] == "blur"
    _, flipped = ask(line, picture=name, steps=[mending, {"task": "flip"}], format="png")
    one, other = read(mended), read(flipped)
    assert one.alpha is not None
    assert other.alpha is not None
    assert other.alpha.equal(one.alpha.flip(3))
    seen = (other.alpha > 0).expand(-1, 3, -1, -1)
    torch.testing.assert_close(other.pixels[seen], one.pixels.flip(3)[seen], atol=1.5 / 255, rtol=0)


def test_masks_and_transparency_are_made_small_with_the_picture(
    server: Running, line: ClientConnection, tmp_path: Path
) -> None:
    picture = read(write(torch.rand(1, 3, 60, 80), tmp_path / "a.png"))
    picture.alpha = torch.ones(1, 1, 60, 80)
    picture.alpha[..., 40:] = 0
    name = server.send(write(picture, tmp_path / "b.png"))
    facts, data = ask(line, task="flip", values={"x": name}, size=40, format="png")
    shown = read(data)
    assert shown.alpha is not None
    assert shown.alpha.shape == (1, 1, 30, 40)
    assert shown.alpha[..., :20].max() == 0
    mask = torch.zeros(1, 1, 60, 80)
    mask[..., 10:20, 10:20] = 1
    drawn = server.send(write(mask, tmp_path / "mask.png"))
    facts, data = ask(line, task="inpaint", values={"x": name, "mask": drawn}, size=40)
    assert facts["type"] == "result", facts


def test_what_was_found_lies_where_it_lay_however_small_the_picture(
    server: Running, line: ClientConnection, photo: Path
) -> None:
    name = server.send(photo)
    thing = {"label": "dog", "box": [16, 8, 48, 40], "score": 1}
    boxes = server.service.shelf.put(json.dumps({"width": 64, "height": 48, "things": [thing]}).encode(), "boxes.json")
    # a tenth of a box on each side is blurred with it
    for how, place in (({"size": 32}, (2, 22, 6, 26)), ({"box": "8,8,48,32"}, (0, 32, 4, 44))):
        wish = {"values": {"x": name, "boxes": boxes}, "format": "png", **how}
        facts, blurred = ask(line, task="blur", **wish)
        assert facts["type"] == "result", facts
        _, plain = ask(line, task="flip", values={"x": name}, format="png", **how)
        change = (read(blurred).pixels - read(plain).pixels.flip(3)).abs().amax((0, 1))
        top, bottom, left, right = place
        changed = torch.nonzero(change > 2 / 255)
        assert len(changed)
        assert changed[:, 0].min() >= top
        assert changed[:, 0].max() < bottom
        assert changed[:, 1].min() >= left
        assert changed[:, 1].max() < right
    other = server.service.shelf.put(json.dumps({"width": 9, "height": 9, "things": []}).encode(), "other.json")
    facts, _ = ask(line, task="blur", values={"x": name, "boxes": other}, size=32)
    assert (facts["type"], facts["problem"]["parameter"]) == ("problem", "boxes")


def test_what_goes_wrong_is_told_and_the_line_stays(server: Running, line: ClientConnection, photo: Path) -> None:
    name = server.send(photo)
    for wish, parameter in (
        ({"task": "median", "values": {"x": name, "radius": 99}}, "radius"),
        ({"task": "train-dcgan", "values": {"data": "digits"}}, "train-dcgan"),
        ({"task": "median", "values": {"x": name}, "size": 0}, "size"),
        ({"task": "median", "values": {"x": name}, "box": "900,900,5,5"}, "box"),
        ({"task": "median", "values": {"x": name}, "box": 5}, "box"),
        ({"task": "median", "values": {"x": name}, "box": {"left": 1}}, "box"),
        ({"task": "median"}, "x"),
        ({"task": "nothing"}, "nothing"),
        ({"more": 1}, "more"),
    ):
        facts, _ = ask(line, **wish)
        assert (facts["type"], facts["problem"]["parameter"]) == ("problem", parameter)
    line.send("no JSON")
    assert json.loads(line.recv())["type"] == "problem"
    line.send(json.dumps({"type": "ping"}))
    assert json.loads(line.recv()) == {"type": "pong"}


NESTED = json.loads("[" * 40 + "]" * 40)
ODD: list[Any] = [[1], "abc", 3, True, 1.5, [["x", 1]], [{"x": 1}], NESTED, {"x": [NESTED]}, {"x": {"x": 10**300}}]


@pytest.mark.parametrize("member", ["values", "picture", "steps", "size", "box", "format", "quality", "task"])
def test_a_wish_of_another_shape_is_a_problem_that_names_it(
    server: Running, line: ClientConnection, photo: Path, member: str
) -> None:
    """Values that were no object were once an error of the service's own."""
    good: dict[str, Any] = {"task": "flip", "values": {"x": server.send(photo)}, "size": 32}
    chained = {"picture": good["values"]["x"], "steps": [{"task": "flip"}], "size": 32}
    for odd in ODD:
        if member in ("size", "quality") and odd == 3:
            continue
        wish = chained if member in ("picture", "steps") else good
        facts, _ = ask(line, **{**wish, member: odd})
        assert (facts["type"], facts["id"]) == ("problem", 1), (odd, facts)
        assert facts["problem"]["status"] < 500, (odd, facts)
        assert facts["problem"].get("parameter"), (odd, facts)
    assert ask(line, **good)[0]["type"] == "result"


@pytest.mark.parametrize("member", ["task", "values", "on", "saving"])
def test_a_step_of_another_shape_is_a_problem_that_names_it(
    server: Running, line: ClientConnection, photo: Path, member: str
) -> None:
    picture = server.send(photo)
    for odd in ODD:
        if member == "on" and odd is True:
            continue
        steps = [{"task": "flip", member: odd}]
        facts, _ = ask(line, picture=picture, steps=steps, size=32)
        told = server.client.post("/v1/run", json={"picture": picture, "steps": steps})
        job = server.client.post("/v1/jobs", json={"pictures": [picture], "steps": steps})
        for problem in (facts["problem"], told.json(), job.json()):
            assert (problem["status"] < 500, problem.get("step")) == (True, 1), (odd, problem)
            assert problem["parameter"], (odd, problem)


def test_whatever_a_message_is_the_line_answers_and_stays(server: Running, line: ClientConnection) -> None:
    for message in (
        "", "{", "[]", "null", "3", '"x"', "[" * 100_000, '{"id": ' + "[" * 5000 + "]" * 5000 + "}", '{"size": 1e999}',
        '{"size": ' + "9" * 5000 + "}", '{"size": NaN}', '{"channel": "\\ud800"}', b"\xff\xfe", b"", b"\0",
        json.dumps({"channel": NESTED, "id": NESTED}), json.dumps({"channel": {"a": 1}, "task": "flip", "values": {}}),
    ):  # fmt: skip
        line.send(message)
        facts = json.loads(line.recv())
        assert facts["type"] == "problem", message
        assert facts["problem"]["status"] < 500, message
    line.send(json.dumps({"type": "ping"}))
    assert json.loads(line.recv()) == {"type": "pong"}


def test_the_newest_wish_wins(server: Running, line: ClientConnection, photo: Path) -> None:
    name = server.send(photo)
    for number in range(40):
        wish = {"id": number, "channel": "a", "task": "vignette", "values": {"x": name, "strength": number / 40}}
        line.send(json.dumps(wish))
    told: dict[int, str] = {}
    while 39 not in told or told[39] != "result":
        facts = json.loads(line.recv())
        told[facts["id"]] = facts["type"]
        if facts.get("bytes"):
            line.recv()
    assert set(told.values()) <= {"result", "dropped"}
    assert sorted(told) == list(range(40))  # each is answered


def test_pages_elsewhere_get_no_line(server: Running) -> None:
    place = f"ws://127.0.0.1:{server.port}/v1/live"
    with pytest.raises((InvalidStatus, ConnectionClosed)), connect(place, origin="https://evil.example") as line:  # type: ignore[arg-type]
        line.recv()


def test_without_websocket_events_are_sent(server: Running, photo: Path) -> None:
    name = server.send(photo)
    assert server.client.post("/v1/live/wishes?session=abcdefgh", json={}).status_code == 409
    with server.client.stream("GET", "/v1/live/events?session=abcdefgh") as events:
        lines = events.iter_lines()
        assert next(lines) == "event: hello"
        wish = {"id": 5, "task": "flip", "values": {"x": name}}
        assert server.client.post("/v1/live/wishes?session=abcdefgh", json=wish).status_code == 202
        data = next(line for line in lines if line.startswith('data: {"id"'))
        told = json.loads(data.removeprefix("data: "))
    assert told["id"] == 5
    assert told["picture"].startswith("data:image/png;base64,")


def test_who_comes_back_under_the_same_name_is_not_sent_away(server: Running) -> None:
    """The end of the first connection may come after the beginning of the second."""
    sessions = Sessions()
    first = sessions.begin(server.service, "abcdefgh")
    second = sessions.begin(server.service, "abcdefgh")
    sessions.end("abcdefgh", first)
    assert sessions.wishes("abcdefgh")
    sessions.end("abcdefgh", second)
    with pytest.raises(Problem):
        sessions.wishes("abcdefgh")


def test_painted_together_is_painted_alone(painter: str, server: Running) -> None:
    """As bits: rows of a batch of one size do not know of each other."""
    values = [{"weights": painter, "count": 1 + number % 3, "seed": str(number)} for number in range(12)]
    alone = [server.client.post("/v1/run/generate", json={"values": each}).json()["files"] for each in values]
    for folder in (server.service.shelf.folder / "work").iterdir():
        for file in folder.glob("*.png"):
            file.unlink()  # so that all is painted anew
    before = server.service.engine.together.chunks
    with ThreadPoolExecutor(12) as pool:
        together = list(
            pool.map(lambda each: server.client.post("/v1/run/generate", json={"values": each}).json()["files"], values)
        )
    assert server.service.engine.together.chunks > before
    assert [[file["id"] for file in files] for files in together] == [[file["id"] for file in files] for files in alone]


def test_a_picture_that_is_numbered_is_no_file(painter: str, server: Running, line: ClientConnection) -> None:
    """ "More like this" starts at a seed and a number; what is no place is said by the name of its field."""
    values = {"weights": painter, "start": "5:3", "count": 2}
    _, seen = ask(line, task="more_like", values=values, format="png")
    made = server.client.post("/v1/run/more_like", json={"values": values}).json()
    assert len(made["files"]) == 2
    other = server.client.post("/v1/run/more_like", json={"values": {**values, "start": "5:4"}}).json()
    assert made["files"][0]["id"] != other["files"][0]["id"]
    assert seen
    told, _ = ask(line, task="more_like", values={**values, "start": "no such place"})
    assert (told["type"], told["problem"]["parameter"]) == ("problem", "start")


def test_a_slider_waits_for_its_own_picture_alone(painter: str, server: Running, line: ClientConnection) -> None:
    """One latent is painted where a recipe paints a chunk of them, and it is the picture that would be made."""
    rows: list[int] = []
    paint = painting.paint_chunk

    def counted(model: Any, z: torch.Tensor, *rest: Any) -> Any:
        rows.append(len(z))
        return paint(model, z, *rest)

    from danqing.faces.service import painting as shared

    values = {"weights": painter, "count": 1, "seed": "77"}
    shared.paint_chunk = counted  # type: ignore[assignment]
    try:
        _, seen = ask(line, task="generate", values=values, format="png")
        made = server.client.post("/v1/run/generate", json={"values": values}, headers={"Accept": "image/*"})
    finally:
        shared.paint_chunk = paint
    assert rows == [1, CHUNK]
    assert (read(seen).pixels - read(made.content).pixels).abs().max() <= 1 / 255


def test_defaults_in_pixels_shrink_with_the_picture(server: Running, line: ClientConnection, photo: Path) -> None:
    values = {"x": server.send(photo)}
    facts = [ask(line, task="sharpness", values={**values, **more}, size=32)[0] for more in ({}, {"radius": 8})]
    assert facts[0]["numbers"]
    assert facts[0]["numbers"] == facts[1]["numbers"]


Asked = tuple[Any, torch.Tensor]  # a model and a chunk of latents


def painted_together(wishes: list[Asked]) -> tuple[Together, list[torch.Tensor]]:
    """What comes of several wishes for two pictures each, all but the first of which wait while that is painted."""
    together, first, go = Together(), threading.Event(), threading.Event()
    paint = painting.paint_chunk

    def held(*args: Any) -> Any:
        first.set()
        assert go.wait(PATIENCE)
        return paint(*args)

    from danqing.faces.service import painting as shared

    shared.paint_chunk = held  # type: ignore[assignment]
    try:
        with ThreadPoolExecutor(len(wishes)) as pool:
            jobs = [pool.submit(together, *wishes[0], None, 2)]
            assert first.wait(PATIENCE)
            jobs += [pool.submit(together, *each, None, 2) for each in wishes[1:]]
            while together.wishes < len(wishes):
                threading.Event().wait(0.001)
            go.set()
            return together, [job.result() for job in jobs]
    finally:
        shared.paint_chunk = paint


def test_rows_of_several_share_a_chunk() -> None:
    """While one chunk is painted, those who come are gathered for the next."""
    model = family_named("mlpgan")(size=16, channels=1).eval()
    generator = torch.Generator().manual_seed(0)
    latents = [torch.randn(CHUNK, *model.latent, generator=generator) for _ in range(7)]
    expected = [paint_chunk(model, z, None, 2) for z in latents]
    together, painted = painted_together([(model, z) for z in latents])
    assert together.chunks == 2
    assert all(np.array_equal(one.numpy(), other.numpy()) for one, other in zip(painted, expected, strict=True))
    assert PAINT.get() is paint_chunk  # in threads of others nothing changed


def test_rows_that_go_different_ways_share_no_chunk() -> None:
    """Wishes for the same weights, in one step and in three, that wait together."""
    model = family_named("flow")(size=16, channels=1, width=16).eval()
    z = torch.randn(CHUNK, *model.latent, generator=torch.Generator().manual_seed(0))
    quick, slow = model.going(steps=1), model.going(steps=3)
    expected = {id(each): paint_chunk(each, z, None, 2) for each in (quick, slow)}
    assert not torch.equal(*expected.values())
    asked = [quick, quick, slow, quick]
    _, painted = painted_together([(each, z) for each in asked])
    assert all(torch.equal(one, expected[id(each)]) for one, each in zip(painted, asked, strict=True))
