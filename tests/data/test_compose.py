"""Composed pictures: labels that say what was laid where, read back without loss; refusals with a clear word."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from skimage import data

from danqing.core.artefacts.pictures import recipe_in
from danqing.core.errors import DataError, ParameterError, UserError
from danqing.core.operators.task import task_named
from danqing.core.pictures.found import Found
from danqing.core.progress import finish
from danqing.core.runs.replay import replay
from danqing.data.annotations.formats import CODECS, read_labels
from danqing.data.backgrounds import made, photographs
from danqing.data.cutouts import Cutout, Kind, from_file, from_folder, handwritten, words
from danqing.data.scenes import Manner, compose
from danqing.faces.cli import cli
from danqing.maths.compositing import drop_shadow, ground_shadow, in_light, light_of, sky_in, turned

PLAIN: dict[str, Any] = {"harmony": 0.0, "shadow": 0.0, "match": False, "jpeg": 0}
HOLDS = {"coco": 2, "labelme": 2, "danqing": 2, "yolo": 0, "voc": 0}  # 2: masks and points; 0: boxes alone


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cut-outs of two classes, one with points beside it, and photographs."""
    home = tmp_path_factory.mktemp("compose")
    for label, colour in (("disc", (250, 20, 20)), ("box", (20, 200, 40))):
        rows, columns = np.mgrid[:60, :80]
        inside = (
            (rows - 30) ** 2 + (columns - 40) ** 2 < 28**2 if label == "disc" else abs(rows - 30) + 0 * columns < 20
        )
        plane = np.dstack([np.full((60, 80, 3), colour, np.uint8), (255 * inside).astype(np.uint8)])
        (home / "cutouts" / label).mkdir(parents=True)
        Image.fromarray(plane).save(home / "cutouts" / label / "one.png")
    thing = {"label": "disc", "box": [12, 2, 68, 58], "points": [{"name": "rim", "x": 60.5, "y": 30.5}]}
    told = {"width": 80, "height": 60, "things": [thing]}
    (home / "cutouts" / "disc" / "one.json").write_text(json.dumps(told))
    (home / "photos").mkdir()
    Image.fromarray(data.coffee()).save(home / "photos" / "coffee.png")
    return home


def tell(*given: object) -> Any:
    return CliRunner().invoke(cli, ["data", "compose", *map(str, given)])


def flat(height: int, width: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    return np.full((height, width, 3), 0.5, np.float32)


def scene(kinds: list[Kind], seed: int = 0, ground: Any = flat, **changes: Any) -> tuple[Any, Found]:
    manner = Manner(**{"width": 120, "height": 100, **PLAIN, **changes})
    return compose(kinds, ground, manner, np.random.default_rng(seed))


# ---------------------------------------------------------------- labels say what is there


@pytest.mark.parametrize("labels", [*CODECS, "classes"])
def test_labels_read_back_without_loss(labels: str, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    most = 1 if labels == "classes" else 3
    asked = (
        "--cutouts",
        home / "cutouts",
        "--backgrounds",
        home / "photos",
        "--count",
        5,
        "--width",
        96,
        "--height",
        80,
    )
    done = tell(*asked, "--most", most, "--labels", labels, "--seed", 4, "--out", out)
    assert done.exit_code == 0, done.output
    kinds = finish(from_folder(home / "cutouts"))
    manner = Manner(width=96, height=80, most=most)
    if labels == "classes":
        assert {each.parent.name for each in out.rglob("*.png")} <= {"disc", "box"}
        assert len(list(out.rglob("*.png"))) == 5
        return
    read = read_labels(out / ("labels.json" if labels == "coco" else "labels"), out / "pictures")
    assert not read.faults
    assert len(read.found) == 5
    assert sum(len(found.things) for found in read.found.values()) >= 5
    from danqing.data.backgrounds import photographs

    for at, (name, found) in enumerate(sorted(read.found.items())):
        _, wanted = compose(kinds, finish(photographs(home / "photos")), manner, np.random.default_rng((4, at)))
        assert name == f"{at:06}.png"
        if labels == "masks":
            _same_pixels(found, wanted)
            continue
        for one, other in zip(found.things, wanted.things, strict=True):
            assert one.label == other.label
            assert one.box == pytest.approx(other.box, abs=1e-6)  # the borders of pixels: whole numbers
            if HOLDS[labels]:
                assert torch.equal(one.mask, other.mask)
                assert [spot.name for spot in one.points] == [spot.name for spot in other.points]
                for spot, same in zip(one.points, other.points, strict=True):
                    assert spot[1:] == pytest.approx(same[1:], abs=0.005)  # danqing's own files tell hundredths


def _same_pixels(found: Found, wanted: Found) -> None:
    """Mask PNGs tell the pixels of each class together."""
    for label in ("disc", "box"):
        ours = [each.mask for each in found.things if each.label == label]
        theirs = [each.mask for each in wanted.things if each.label == label]
        assert bool(ours) == bool(theirs)
        if theirs:
            assert torch.equal(torch.stack(ours).any(0), torch.stack(theirs).any(0))


@pytest.mark.parametrize("where", ["ground", "anywhere"])
def test_masks_are_the_pixels_that_changed(where: str, home: Path) -> None:
    kinds = finish(from_folder(home / "cutouts"))
    for seed in range(6):
        picture, found = scene(kinds, seed, where=where, fewest=1, most=2)
        masks = torch.stack([each.mask for each in found.things])
        assert int(masks.sum(0).max()) <= 1  # nothing is seen where another lies before it
        mixed = np.abs(picture - 128 / 255).max(2)
        change = {"disc": 250 / 255 - 128 / 255, "box": 108 / 255}
        for thing in found.things:
            moved = mixed[thing.mask.numpy()]
            assert moved.min() >= 0.5 * change[thing.label] - 0.02  # half opaque, at least, but for rounding
        outside = mixed[~masks.any(0).numpy()]
        assert outside.max() <= 0.75 * max(change.values()) + 0.02  # two edges, each not half opaque


def test_nothing_hides_more_than_it_may(home: Path) -> None:
    kinds = [kind for kind in finish(from_folder(home / "cutouts")) if kind.label == "disc"]
    same = {"rotation": 0.0, "smallest": 0.5, "largest": 0.5, "where": "anywhere"}
    (alone,) = scene(kinds, most=1, overlap=0.0, **same)[1].things
    hidden = 0
    for seed in range(8):
        found = scene(kinds, seed, fewest=4, most=6, overlap=0.2, **same)[1]
        shares = [int(each.mask.sum()) / int(alone.mask.sum()) for each in found.things]
        assert all(0.8 <= each <= 1 for each in shares)
        hidden += sum(each < 1 for each in shares)
    assert hidden > 3


def test_points_move_along() -> None:
    pixels = np.zeros((41, 61, 4), np.float32)
    pixels[..., 3] = 1
    pixels[8:13, 48:53] = 1  # a white mark about 50.5, 10.5
    from danqing.core.pictures.found import Spot

    kind = Kind("mark", 1, lambda at, rng: Cutout("mark", pixels, (Spot("white", 50.5, 10.5),)))
    for seed in range(8):
        picture, found = scene([kind], seed, most=1, rotation=60, smallest=0.6, largest=0.6, overlap=0.0)
        for thing in found.things:
            weight = np.clip(picture.mean(2) - 0.55, 0, 1) * thing.mask.numpy()
            rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]] + 0.5
            x, y = (weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()
            assert (thing.points[0].x, thing.points[0].y) == pytest.approx((x, y), abs=0.5)  # half a pixel of shrinking


# ---------------------------------------------------------------- a seed fixes everything


def test_a_picture_follows_from_seed_and_number(home: Path, tmp_path: Path) -> None:
    asked = ("--cutouts", home / "cutouts", "--digits", "--text", "OPEN,Café", "--width", 64, "--height", 64)
    for name, more in (
        ("all", ("--count", 4)),
        ("last", ("--first", 3, "--count", 1)),
        ("other", ("--count", 1, "--seed", 1)),
    ):
        assert tell(*asked, *more, "--out", tmp_path / name).exit_code == 0
    pixels = {name: np.asarray(Image.open(tmp_path / name / "pictures" / file)) for name, file in
              (("all", "000003.png"), ("last", "000003.png"), ("other", "000000.png"))}  # fmt: skip
    assert np.array_equal(pixels["all"], pixels["last"])
    first = np.asarray(Image.open(tmp_path / "all" / "pictures" / "000000.png"))
    assert not np.array_equal(pixels["other"], first)
    (step,) = recipe_in(tmp_path / "all" / "pictures" / "000003.png") or []
    assert (step.operator, step.params["first"], step.params["count"]) == ("data compose", 3, 1)
    with pytest.raises(UserError, match="one of a set") as refused:
        finish(replay(tmp_path / "all" / "pictures" / "000003.png"))
    assert "danqing data compose" in str(refused.value)


def test_words_and_digits_have_their_classes_and_points() -> None:
    kinds = [*words("OPEN, Café,OPEN"), *handwritten()]
    assert [kind.label for kind in kinds] == ["OPEN", "Café", *map(str, range(10))]
    _, found = scene(kinds[:1], most=1, where="anywhere", rotation=0, smallest=0.8, largest=0.8)
    assert [spot.name for spot in found.things[0].points] == ["top left", "top right", "bottom right", "bottom left"]
    left, top, right, bottom = found.things[0].box
    assert (found.things[0].points[0].x, found.things[0].points[2].y) == pytest.approx((left, bottom), abs=4)
    assert right - left > 2 * (bottom - top)


# ---------------------------------------------------------------- light and shadow


def test_light_of_no_strength_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    opacity = rng.uniform(0.1, 1, (20, 30, 1)).astype(np.float32)
    cutout = np.concatenate([rng.uniform(0, 1, (20, 30, 3)).astype(np.float32) * opacity, opacity], 2)
    ground = made(40, 50, rng)
    # to linear light and back: a few roundings of float32, which the steep root near black widens
    assert in_light(cutout, light_of(ground), 0.0) == pytest.approx(cutout, abs=2e-5)


def test_light_pulls_towards_the_picture() -> None:
    cutout = np.full((20, 30, 4), 0.5, np.float32)
    cutout[..., 3] = 1
    warm = np.full((40, 40, 3), (0.8, 0.5, 0.2), np.float32)
    seen = in_light(cutout, light_of(warm), 1.0)[..., :3].reshape(-1, 3).mean(0)
    assert seen[0] > seen[1] > seen[2]
    dark = in_light(cutout, light_of(0.2 * warm), 1.0)[..., :3].mean()
    assert dark < in_light(cutout, light_of(warm), 1.0)[..., :3].mean()


def test_shadows_fall_away_from_the_light() -> None:
    opacity = np.ones((30, 10), np.float32)
    for cast in (ground_shadow, drop_shadow):
        plane = cast(opacity, (80, 100), (20, 45), 1.0)  # light from the right
        assert 0 <= plane.min() <= plane.max() <= 1
        columns = np.arange(100) + 0.5
        assert (plane.sum(0) * columns).sum() / plane.sum() < 50
        other = cast(opacity, (80, 100), (20, 45), -1.0)
        assert (other.sum(0) * columns).sum() / other.sum() > 50


def test_no_feet_stand_on_the_sky(home: Path) -> None:
    rng = np.random.default_rng(0)
    picture = rng.uniform(0.1, 0.5, (100, 120, 3)).astype(np.float32)
    picture[:75] = (0.4, 0.6, 0.9)
    sky = sky_in(picture)
    assert sky[:70].mean() > 0.95
    assert sky[80:].mean() < 0.05
    for seed in range(6):
        _, found = scene(finish(from_folder(home / "cutouts")), seed, lambda *_: picture, fewest=1, most=2)
        assert all(each.box[3] > 72 for each in found.things)  # the sky is told on a grid of 96 places


def test_a_cutout_turned_by_nothing_is_itself() -> None:
    pixels = np.random.default_rng(1).uniform(0.1, 1, (20, 30, 4)).astype(np.float32)
    made, way = turned(pixels, 1.0, 0.0, False)
    assert made == pytest.approx(pixels, abs=1e-6)
    assert way == pytest.approx(np.array([[1, 0, 0], [0, 1, 0]]), abs=1e-9)


# ---------------------------------------------------------------- what can be laid on


def test_an_opaque_picture_is_cut_out_of_even_ground(tmp_path: Path) -> None:
    plane = np.full((64, 64, 3), 245, np.uint8)
    plane[16:48, 20:44] = (30, 60, 200)
    Image.fromarray(plane).save(tmp_path / "ball.png")
    cutout = from_file(tmp_path / "ball.png", "ball")
    assert np.count_nonzero(cutout.pixels[..., 3] > 0.5) == pytest.approx(32 * 24, rel=0.1)
    Image.fromarray(data.coffee()).save(tmp_path / "coffee.png")
    with pytest.raises(DataError, match="not even enough") as refused:
        finish(from_folder(tmp_path))
    assert "coffee.png" in str(refused.value)
    assert [kind.size for kind in finish(from_folder(tmp_path, skip_bad=True))] == [1]


@pytest.mark.parametrize(
    ("given", "word"),
    [(("--count", "2"), "nothing to lay on"), (("--digits", "--fewest", "5"), "more than most"),
     (("--text", " , "), "no words"), (("--text", "猫"), "lacks letters"), (("--digits", "--smallest", "1"), "largest"),
     (("--digits", "--labels", "classes"), "one thing a picture"), (("--text", "7", "--digits"), "2 sources"),
     (("--text", "a", "--font", __file__), "no font"), (("--cutouts", "nowhere"), "nowhere")],
)  # fmt: skip
def test_refusals_are_clear(given: tuple[str, ...], word: str, tmp_path: Path) -> None:
    done = tell(*given, "--out", tmp_path / "set")
    assert done.exit_code == 2, done.output
    assert word in done.output.replace("\n", " ")


def test_what_is_there_is_kept(home: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert tell("--digits", "--count", 1, "--out", tmp_path).exit_code == 2
    assert tell("--digits", "--count", 2, "--width", 64, "--height", 64, "--out", tmp_path, "--force").exit_code == 0
    assert tell("--digits", "--count", 1, "--width", 64, "--height", 64, "--out", tmp_path, "--force").exit_code == 0
    assert (tmp_path / "mine.txt").exists()
    assert len(list((tmp_path / "pictures").iterdir())) == 1


def test_force_replaces_composed_sets_only(home: Path, tmp_path: Path) -> None:
    """Photographs of one's own that lie in a folder called pictures, and labels of one's own, survive."""
    own, size = tmp_path / "own", ("--count", 1, "--width", 64, "--height", 64, "--force")
    shutil.copytree(home / "photos", own / "pictures")
    (tmp_path / "labels.json").write_text("{}")
    for out in (own, tmp_path):
        before = files_in(out)
        given = tell("--digits", *size, "--out", out)
        assert given.exit_code == 2
        assert "composed" in given.output
        assert files_in(out) == before
    Image.fromarray(data.coffee()).save(own / "pictures" / "000000.png")
    (own / "pictures" / "coffee.png").unlink()
    assert tell("--digits", *size, "--out", own).exit_code == 2, "its name alone makes no composed picture"


def test_a_set_is_not_replaced_by_what_is_made_from_it(home: Path, tmp_path: Path) -> None:
    out, size = tmp_path / "set", ("--count", 1, "--width", 64, "--height", 64)
    assert tell("--digits", *size, "--out", out).exit_code == 0
    (out / "pictures" / ".DS_Store").write_bytes(b"")
    before = files_in(out)
    given = tell("--digits", "--backgrounds", out / "pictures", *size, "--out", out, "--force")
    assert given.exit_code == 2
    assert "made from" in given.output
    assert files_in(out) == before
    assert tell("--text", "OPEN", *size, "--out", out, "--force").exit_code == 0


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n broken"])
def test_broken_files_are_named(content: bytes, home: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.png").write_bytes(content)
    assert "odd.png" in tell("--cutouts", tmp_path, "--out", tmp_path / "set").output
    assert "odd.png" in tell("--digits", "--backgrounds", tmp_path, "--out", tmp_path / "set").output
    Image.fromarray(np.zeros((9, 9, 4), np.uint8)).save(tmp_path / "odd.png")
    assert "transparent all over" in tell("--cutouts", tmp_path, "--out", tmp_path / "set").output.replace("\n", " ")


def test_what_was_changed_in_its_place_is_read_anew(tmp_path: Path) -> None:
    """A cut-out, and a photograph, of the same size and time as before; what is hidden in that shows nowhere."""
    cut, photo = tmp_path / "cut.png", tmp_path / "photos" / "photo.png"
    photo.parent.mkdir()
    for value in (90, 190):
        Image.new("RGBA", (20, 20), (value, 0, 0, 250)).save(cut)
        Image.new("RGBA", (20, 20), (value, 0, 0, 0 if value == 90 else 255)).save(photo)
        for file in (cut, photo):
            os.utime(file, (0, 0))
        assert from_file(cut, "thing").pixels[10, 10, 0] == pytest.approx(value / 255 * 250 / 255, abs=0.01)
        ground = finish(photographs(photo.parent))(8, 8, np.random.default_rng(0))
        assert ground[4, 4].tolist() == pytest.approx([1, 1, 1] if value == 90 else [190 / 255, 0, 0], abs=0.01)


def test_a_long_word_is_refused() -> None:
    with pytest.raises(ParameterError, match="too long"):
        words("x" * 100)


# ---------------------------------------------------------------- a set is whole, or there is none


def files_in(folder: Path) -> dict[str, bytes]:
    return {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


@pytest.mark.parametrize("labels", ["classes", "yolo"])
def test_another_set_leaves_nothing_of_the_one_before(labels: str, tmp_path: Path) -> None:
    common = ("--fewest", 1, "--most", 1, "--width", 64, "--height", 64, "--labels", labels)
    for out, given in (("one", ("--digits", "--count", 6)), ("two", ("--text", "OPEN", "--count", 2))):
        assert tell(*given, *common, "--out", tmp_path / out).exit_code == 0
    (tmp_path / "one" / "notes.txt").write_text("mine")
    assert tell("--text", "OPEN", "--count", 2, *common, "--out", tmp_path / "one", "--force").exit_code == 0
    assert files_in(tmp_path / "one") == {**files_in(tmp_path / "two"), "notes.txt": b"mine"}


def test_a_set_that_is_stopped_leaves_the_one_before(tmp_path: Path) -> None:
    words, common = ("--text", "OPEN", "--width", 64, "--height", 64), {"width": 64, "height": 64, "digits": True}
    assert tell(*words, "--count", 2, "--out", tmp_path / "set").exit_code == 0
    before = files_in(tmp_path / "set")
    for out in ("set", "new"):
        job = task_named("data compose").job(**common, count=5, out=tmp_path / out, force=True)
        for progress in job:
            if progress.done == 3:
                break
        job.close()
    assert files_in(tmp_path / "set") == before
    assert [each.name for each in tmp_path.iterdir()] == ["set"]
