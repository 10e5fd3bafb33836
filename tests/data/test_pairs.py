"""A set of pairs: two folders, input and target; what belongs together stays together to the pixel."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from danqing.core.errors import DataError
from danqing.core.progress import finish
from danqing.data.check import check
from danqing.data.fit import FITS
from danqing.data.sources import open_source
from danqing.data.store import Store, pack

Paint = Callable[..., Path]


def packed(spec: Path, **options: Any) -> Store:
    return finish(pack(spec, **{"size": 8, "split": "all", **options}))


def pairs(place: Path, scale: int = 1, count: int = 5, size: tuple[int, int] = (21, 13)) -> Path:
    """Smooth pictures and the same ``scale`` times as large: every pixel of the first is the mean of the second's."""
    for at in range(count):
        wide, high = size
        second = np.random.default_rng(at).integers(0, 256, (high, wide, 3)).repeat(scale, 0).repeat(scale, 1)
        for folder, pixels, suffix in (("input", second[::scale, ::scale], "png"), ("target", second, "bmp")):
            file = place / folder / f"{at}.{suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(file)
    return place


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(21, 13), (14, 14), (5, 9)])
def test_equal_pairs_stay_equal(tmp_path: Path, fit: str, size: tuple[int, int]) -> None:
    store = packed(pairs(tmp_path / "set", size=size), fit=fit)
    assert store.pairs is not None
    assert np.array_equal(store.pictures, store.pairs)


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("size", [(21, 13), (13, 22), (11, 8)])
def test_larger_pairs_are_cut_where_their_pictures_are(tmp_path: Path, scale: int, size: tuple[int, int]) -> None:
    store = packed(pairs(tmp_path / "set", scale, size=size), fit="tiles")  # nothing is resized: exact to the bit
    assert store.pairs is not None
    assert store.pairs.shape[2:] == (8 * scale, 8 * scale)
    assert np.array_equal(store.pictures, store.pairs[:, :, ::scale, ::scale])
    assert packed(tmp_path / "set", fit="pad").pairs is not None


def test_batches_keep_pairs_and_processes_share_them(tmp_path: Path) -> None:
    store = packed(pairs(tmp_path / "set", 2, count=7))
    one = next(store.batches(6, seed=3))
    shares = [next(store.batches(3, seed=3, rank=rank, world=2)) for rank in range(2)]
    assert one.pair is not None
    assert one.pair.shape == (6, 3, 16, 16)
    assert one.pair.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(one.pair, torch.cat([each.pair for each in shares if each.pair is not None]))
    assert torch.equal(one.x, torch.cat([each.x for each in shares]))
    assert store.facts()["pair"] == {"size": 16, "channels": 3}


def test_grey_pictures_may_have_colour_partners(tmp_path: Path) -> None:
    spec = pairs(tmp_path / "set")
    for file in (spec / "input").iterdir():
        Image.open(file).convert("L").save(file)
    store = packed(spec)
    assert store.pairs is not None
    assert (store.channels, store.pairs.shape[1]) == (1, 3)


def test_the_hash_knows_the_partners(tmp_path: Path) -> None:
    spec = pairs(tmp_path / "set")
    before = packed(spec).facts()["sha256"]
    Image.new("RGB", (21, 13)).save(spec / "target" / "0.bmp")
    assert packed(spec).facts()["sha256"] != before


def test_partners_that_are_missing_or_left_over_are_named(tmp_path: Path, paint: Paint) -> None:
    for name in ("set/input/a.jpg", "set/input/b.jpg", "set/target/a.png"):
        paint(name)
    with pytest.raises(DataError, match=r"set/target: has no partner for 1 picture: b.jpg"):
        open_source(tmp_path / "set")
    paint("set/target/b.png")
    paint("set/target/c.png")
    assert any(
        "No picture in input for 1 picture in target: c.png" in each for each in open_source(tmp_path / "set").remarks
    )


def test_partners_of_other_proportions_or_not_readable_are_bad(tmp_path: Path) -> None:
    spec = pairs(tmp_path / "set", 2)
    Image.new("RGB", (42, 27)).save(spec / "target" / "1.bmp")
    (spec / "target" / "2.bmp").write_text("no picture")
    report = finish(check(spec))
    assert [item.name for item in report.unusable] == ["input/1.png", "input/2.png"]
    assert "its partner 42 x 27" in report.unusable[0].reason
    assert len(packed(spec, skip_bad=True)) == 3


def test_smaller_partners_are_refused(tmp_path: Path, paint: Paint) -> None:
    paint("set/input/a.png", size=(20, 20))
    paint("set/target/a.png", size=(10, 10))
    with pytest.raises(DataError, match="smaller than its partner"):
        packed(tmp_path / "set")


def test_sides_and_classes_lie_above_and_below_the_two_folders(tmp_path: Path, paint: Paint) -> None:
    for side in ("train", "test"):
        for part in ("input", "target"):
            for name in ("cat/1.png", "dog/1.png"):
                paint(f"set/{side}/{part}/{name}")
    source = open_source(tmp_path / "set", split="test")
    assert [(each.name, each.label) for each in source.records()] == [
        ("test/input/cat/1.png", "cat"), ("test/input/dog/1.png", "dog"),
    ]  # fmt: skip
    assert all(each.read_pair is not None for each in source.records())


def test_two_classes_of_other_names_are_no_pairs(tmp_path: Path, paint: Paint) -> None:
    paint("set/input/a.png")
    paint("set/output/a.png")
    assert open_source(tmp_path / "set").classes == ["input", "output"]
