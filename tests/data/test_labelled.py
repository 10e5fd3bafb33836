"""Labels of things: found beside their pictures, refused where nothing can be learned, laid on squares."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from danqing.core.errors import DataError
from danqing.core.learned.finder import Needs
from danqing.core.learned.model import Samples
from danqing.core.pictures.found import Found, Spot, Thing
from danqing.core.progress import finish
from danqing.data.annotations.formats import CODECS
from danqing.data.annotations.label_set import LabelSet
from danqing.data.annotations.packed import Packed
from danqing.data.annotations.places import label_places, read_labelled
from danqing.data.augment import augmentations
from danqing.data.fit import Fit
from danqing.data.labelled import with_things
from danqing.data.store import pack
from danqing.maths.labelled import mirrored_names, things_of

SIZES = ((48, 32), (32, 48), (40, 40))  # width, height
BOX = (12, 10, 28, 24)
KINDS = ("coco", "yolo", "voc", "labelme", "masks")


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("DANQING_CACHE", str(tmp_path_factory.mktemp("cache")))


def labelled(full: bool = True) -> LabelSet:
    """A bright rectangle in each of three pictures; the fourth shows nothing."""
    found = {}
    for at, (width, height) in enumerate(SIZES):
        mask = torch.zeros(height, width, dtype=torch.bool)
        mask[BOX[1] : BOX[3], BOX[0] : BOX[2]] = True
        points = (Spot("left end", BOX[0], 17), Spot("right end", BOX[2], 17))
        thing = Thing("leaf", tuple(map(float, BOX)), 1.0, points if full else (), mask if full else None)
        found[f"{at}.png"] = Found(width, height, (thing,))
    return LabelSet(Packed({**found, "3.png": Found(20, 20)}), ["leaf"], [])


def paint(folder: Path, labels: LabelSet) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, found in labels.found.items():
        pixels = np.full((found.height, found.width, 3), 20, np.uint8)
        for thing in found.things:
            left, top, right, bottom = map(int, thing.box)
            pixels[top:bottom, left:right] = (220, 200, 30)
        Image.fromarray(pixels).save(folder / name)
    return folder


def write(labels: LabelSet, kind: str, place: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        CODECS[kind].write(labels, place)
    return place


# ---------------------------------------------------------------- where labels lie

LAYOUTS: dict[str, Callable[[Path], tuple[Path, str, Path]]] = {
    "COCO beside": lambda home: (home, "coco", home / "labels.coco.json"),
    "COCO in annotations": lambda home: (home / "images", "coco", home / "annotations" / "instances.json"),
    "YOLO's two folders": lambda home: (home / "images", "yolo", home / "labels"),
    "YOLO beside": lambda home: (home, "yolo", home),
    "Pascal VOC": lambda home: (home / "JPEGImages", "voc", home / "Annotations"),
    "LabelMe beside": lambda home: (home, "labelme", home),
    "masks": lambda home: (home / "images", "masks", home / "masks"),
    "masks in the folder of pictures": lambda home: (home, "masks", home / "masks"),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_labels_are_found_where_people_put_them(
    layout: Callable[[Path], tuple[Path, str, Path]], tmp_path: Path
) -> None:
    pictures, kind, place = layout(tmp_path)
    labels = labelled(full=kind in ("coco", "labelme", "masks"))
    paint(pictures, labels)
    place.parent.mkdir(parents=True, exist_ok=True)
    write(labels, kind, place)
    needs: Needs = "masks" if kind == "masks" else "boxes"
    found = read_labelled(tmp_path, None, needs)
    assert found.place == pictures
    assert sorted(found.labels.found) == sorted(labels.found)
    assert found.labels.found["0.png"].things[0].box == pytest.approx(BOX)
    if pictures != tmp_path:
        assert (
            read_labelled(pictures, None if pictures.name in ("images", "JPEGImages") else place, needs).place
            == pictures
        )


def test_sides_in_folders_each_with_its_coco_file(tmp_path: Path) -> None:
    for side in ("train", "valid"):
        paint(tmp_path / side, labelled())
        write(labelled(), "coco", tmp_path / side / "_annotations.coco.json")
    for side in ("train", "valid"):  # of pictures with the same names, each file speaks of its own
        found = read_labelled(tmp_path / side, None, "boxes")
        assert len(found.labels.found) == 4
    assert len(label_places(tmp_path)) == 2


def test_pictures_that_no_label_speaks_of_are_left_out_and_told(tmp_path: Path) -> None:
    write(labelled(), "coco", paint(tmp_path, labelled()) / "coco.json")
    Image.new("RGB", (9, 9)).save(tmp_path / "more.png")
    with pytest.warns(UserWarning, match="more.png"):
        found = read_labelled(tmp_path, None, "boxes")
    assert "more.png" not in found.labels.found
    assert found.labels.found["3.png"].things == ()


# ---------------------------------------------------------------- what is refused


def test_a_set_without_labels_is_refused(tmp_path: Path) -> None:
    paint(tmp_path, labelled())
    (tmp_path / "README.txt").write_text("photographs of leaves")
    with pytest.raises(DataError, match="no labels of things"):
        read_labelled(tmp_path, None, "boxes")
    with pytest.raises(DataError, match="no such file or folder"):
        read_labelled(tmp_path, tmp_path / "nowhere", "boxes")
    with pytest.raises(DataError, match="is no folder"):
        read_labelled("digits", None, "boxes")


@pytest.mark.parametrize(
    ("kind", "needs", "words"),
    [("yolo", "masks", "boxes, but no masks"), ("voc", "points", "boxes, but no key points"),
     ("masks", "points", "masks, but no key points")],
)  # fmt: skip
def test_labels_of_another_kind_are_refused(kind: str, needs: Needs, words: str, tmp_path: Path) -> None:
    labels = labelled(full=kind == "masks")
    paint(tmp_path / "pictures", labels)
    write(labels, kind, tmp_path / "told")
    with pytest.raises(DataError, match=words) as error:
        read_labelled(tmp_path / "pictures", tmp_path / "told", needs)
    assert "danqing train" in error.value.remedy


def test_faults_are_named_or_passed_over(tmp_path: Path) -> None:
    write(labelled(), "coco", paint(tmp_path, labelled()) / "coco.json")
    content = json.loads((tmp_path / "coco.json").read_text())
    content["annotations"][0]["bbox"] = [100, 0, 5, 5]
    (tmp_path / "coco.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"1 label cannot be used.*outside") as error:
        read_labelled(tmp_path, None, "boxes")
    assert "--skip-bad" in error.value.remedy
    assert len(read_labelled(tmp_path, None, "boxes", skip_bad=True).labels.found) == 4


def test_nothing_to_learn_is_refused(tmp_path: Path) -> None:
    empty = LabelSet(Packed({"3.png": Found(20, 20)}), ["leaf"], [])
    write(empty, "coco", paint(tmp_path, empty) / "coco.json")
    with pytest.raises(DataError, match="nothing in any picture"):
        read_labelled(tmp_path, None, "boxes")
    full = Found(20, 20, (Thing("sky", (0.0, 0.0, 20.0, 20.0), mask=torch.ones(20, 20, dtype=torch.bool)),))
    (tmp_path / "coco.json").unlink()
    write(LabelSet(Packed({"3.png": full}), ["sky"], []), "coco", tmp_path / "coco.json")
    with pytest.raises(DataError, match="one class only"):
        read_labelled(tmp_path, None, "masks")


# ---------------------------------------------------------------- on the squares


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("size", [32, 40, 96])
def test_labels_lie_on_what_the_squares_show(fit: Fit, size: int, tmp_path: Path) -> None:
    """The bright rectangle is where box, points and mask say, to within a pixel of resampling."""
    labels = labelled()
    paint(tmp_path, labels)
    store = finish(pack(tmp_path, size=size, fit=fit, only=labels.found.keys()))
    for needs in ("points", "masks"):
        made = with_things(store, labels, fit, needs)
        batch = made.take(range(len(made)))
        assert batch.boxes is not None
        for at, name in enumerate(store.names):
            if name == "3.png":
                assert not batch.boxes[at].isfinite().any()
                continue
            bright = batch.x[at, 0] > 0.5
            rows, columns = bright.any(1).nonzero(), bright.any(0).nonzero()
            seen = torch.tensor([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]).float()
            torch.testing.assert_close(batch.boxes[at, 0], seen, atol=1.0, rtol=0)
            if batch.mask is not None:
                differ = (batch.mask[at, 0] > 0.5) ^ bright
                assert int(differ.sum()) <= int(2 * (seen[2] - seen[0] + seen[3] - seen[1]))
            if batch.points is not None:
                ends = batch.points[at].reshape(2, 2)
                assert ends[:, 0].tolist() == pytest.approx([float(seen[0]), float(seen[2])], abs=1.0)


def test_things_that_a_crop_cuts_away_are_not_labelled(tmp_path: Path) -> None:
    edge = Found(60, 20, (Thing("leaf", (0.0, 5.0, 22.0, 15.0)), Thing("leaf", (25.0, 5.0, 35.0, 15.0))))
    labels = LabelSet(Packed({"0.png": edge}), ["leaf"], [])
    store = finish(pack(paint(tmp_path, labels), size=20, fit="crop", only=["0.png"]))
    boxes = with_things(store, labels, "crop", "boxes").take([0]).boxes
    assert boxes is not None
    assert boxes[0].tolist() == [[5.0, 5.0, 15.0, 15.0]]  # of the first, 2 of 22 columns are left


def test_other_labels_make_another_set(tmp_path: Path) -> None:
    """So that a run does not go on with labels that were changed in between."""
    labels = labelled()
    store = finish(pack(paint(tmp_path, labels), size=32, fit="pad", only=labels.found.keys()))
    moved = labels.found["0.png"]._replace(
        things=(labels.found["0.png"].things[0]._replace(box=(11.0, 10.0, 28.0, 24.0)),)
    )
    other = labels._replace(found=Packed({**labels.found, "0.png": moved}))
    hashes = {with_things(store, each, "pad", "boxes").about["sha256"] for each in (labels, labels, other)}
    assert len(hashes) == 2


# ---------------------------------------------------------------- in a mirror


def test_left_and_right_change_places_in_a_mirror() -> None:
    names = ("left eye", "nose", "right eye", "Left ear", "l_hand", "r_hand", "左耳", "右耳")
    assert mirrored_names(names) == (2, 1, 0, 3, 5, 4, 7, 6)
    points = torch.tensor([[[4.0, 5], [16, 5], [math.nan, math.nan], [17, 9]]])
    batch = Samples(torch.rand(1, 3, 20, 20), boxes=torch.tensor([[[1.0, 1, 19, 19]] * 2]), points=points)
    flip = augmentations("flip=1")
    told = replace(flip, mirrored=(1, 0))(batch, torch.Generator())
    assert told.points is not None
    wanted = torch.tensor([[[4.0, 5], [16, 5], [3, 9], [math.nan, math.nan]]])
    torch.testing.assert_close(told.points, wanted, equal_nan=True)
    plain = flip(batch, torch.Generator()).points
    assert plain is not None
    torch.testing.assert_close(plain[0, :2], torch.tensor([[16.0, 5], [4, 5]]))


def test_beyond_the_edge_it_may_be_black_so_that_nothing_is_shown_that_has_no_label() -> None:
    x, turn = torch.ones(1, 3, 24, 24), augmentations("rotate=45")
    black = replace(turn, black=True)(Samples(x), torch.Generator().manual_seed(4)).x
    assert float(black.amin()) == 0
    assert float(turn(Samples(x), torch.Generator().manual_seed(4)).x.amin()) > 0.99


def test_none_is_no_augmentation() -> None:
    assert not augmentations("none")


# ---------------------------------------------------------------- and back


def test_a_batch_says_what_is_there(tmp_path: Path) -> None:
    labels = labelled()
    store = finish(pack(paint(tmp_path, labels), size=48, fit="pad", only=labels.found.keys()))
    made = with_things(store, labels, "pad", "points")
    there = things_of(made.take(range(len(made))), made.classes, made.things.points if made.things else ())
    by_name = dict(zip(made.names, there, strict=True))
    (thing,) = by_name["0.png"].things
    assert thing.label == "leaf"
    assert [spot.name for spot in thing.points] == ["left end", "right end"]
    assert by_name["3.png"].things == ()


def test_planes_lie_in_a_file_that_other_labels_do_not_share(tmp_path: Path) -> None:
    labels = labelled()
    store = finish(pack(paint(tmp_path, labels), size=32, fit="pad", only=labels.found.keys()))
    first, again = (with_things(store, labels, "pad", "masks") for _ in range(2))
    assert first.things is not None
    assert again.things is not None
    assert isinstance(first.things.planes, np.memmap)
    assert first.things.planes.filename == again.things.planes.filename
    thing = labels.found["0.png"].things[0]
    empty = labels.found["0.png"]._replace(things=(thing._replace(mask=torch.zeros(32, 48, dtype=torch.bool)),))
    other = with_things(store, labels._replace(found=Packed({**labels.found, "0.png": empty})), "pad", "masks")
    assert other.things is not None
    assert other.things.planes.filename != first.things.planes.filename
    assert int(other.things.planes[0].sum()) == 0 < int(first.things.planes[0].sum())
