"""Testing a classifier on labelled pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from danqing.core.errors import DataError, ParameterError
from danqing.core.notes import PictureWarning
from danqing.core.pictures.contract import check_images
from danqing.core.progress import finish
from danqing.data.digits import digits
from danqing.explain.robustness import robustness
from danqing.maths.classification import wilson_interval
from danqing.recognise.assess import assess


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DANQING_CACHE", str(tmp_path / "cache"))


def folder(place: Path, names: dict[int, str], each: int = 4) -> Path:
    """Real digits as PNG files, three times as large, in one folder a class."""
    pictures, labels = digits("test")
    for digit, name in names.items():
        (place / name).mkdir(parents=True, exist_ok=True)
        for at, picture in enumerate(pictures[labels == digit][:each]):
            Image.fromarray(np.kron(picture, np.ones((3, 3), np.uint8))).save(place / name / f"{digit} {at}.png")
    return place


def test_the_bundled_classifier_reaches_99_percent_on_its_held_out_digits() -> None:
    done: list[float] = []
    found = finish(assess.job("digits", "digits"), lambda progress: done.append(progress.done))
    assert done[-1] == 2000
    everything, *each = found.numbers
    assert everything["pictures"] == 2000 == sum(row["pictures"] for row in each)
    assert everything["accuracy"] >= 0.99
    assert everything["low"] < everything["accuracy"] < everything["high"]
    assert [row["class"] for row in each] == [str(digit) for digit in range(10)]
    hits = sum(row["named"][at] for at, row in enumerate(each))
    assert everything["accuracy"] == hits / 2000
    assert (everything["low"], everything["high"]) == wilson_interval(hits, 2000)
    for name in ("precision", "recall", "f1"):
        assert everything[name] == pytest.approx(sum(row[name] for row in each) / 10)
    json.dumps(found.numbers, allow_nan=False)
    assert found.picture is not None
    check_images(found.picture)
    assert min(found.picture.shape[-2:]) > 300


def test_classes_are_matched_by_name_not_by_place(tmp_path: Path) -> None:
    found = assess("digits", str(folder(tmp_path / "some", {7: "7", 3: "3"}, each=8)), "all")
    everything, *each = found.numbers
    assert everything["pictures"] == 16
    assert everything["accuracy"] >= 0.9
    assert [row["pictures"] for row in each] == [0, 0, 0, 8, 0, 0, 0, 8, 0, 0]
    assert each[0]["recall"] == each[0]["precision"] == 0
    assert everything["recall"] > 0.85  # absent classes do not count


def test_damaged_pictures_are_passed_over_and_told(tmp_path: Path) -> None:
    place = folder(tmp_path / "set", {3: "3", 8: "8"})
    whole = assess("digits", place.as_posix(), split="all").numbers
    (place / "3" / "broken.png").write_text("no picture")
    with pytest.warns(PictureWarning, match=r"Passed over 1 file: 3/broken\.png"):
        assert assess("digits", place.as_posix(), split="all").numbers == whole
    with pytest.warns(PictureWarning, match="Passed over 1 file"):
        robustness("digits", place.as_posix(), split="all", count=10)


def test_wrong_folders_are_counted_as_wrong(tmp_path: Path) -> None:
    found = assess("digits", str(folder(tmp_path / "swapped", {7: "3", 3: "7"}, each=8)), "all")
    everything, *each = found.numbers
    assert everything["accuracy"] <= 0.1
    assert each[3]["named"][7] >= 7


def test_refuses_classes_it_does_not_know_and_pictures_without_labels(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="'seven' is no class"):
        assess("digits", str(folder(tmp_path / "named", {7: "seven", 3: "three"})), "all")
    loose = folder(tmp_path / "loose", {1: "."})
    with pytest.raises(DataError, match="labels"):
        assess("digits", str(loose), "all")
    with pytest.raises(DataError):
        assess("digits", str(tmp_path / "nowhere"))
