"""The preflight names what is unusable, counts the rest, and warns in plain words."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from danqing.core.errors import DataError, ParameterError
from danqing.core.progress import finish
from danqing.data.check import check
from danqing.data.likeness import alike, look_at
from danqing.data.report import Report
from danqing.tasks.data.check import check as data_check

Paint = Callable[..., Path]


def report_of(spec: object, **options: Any) -> Report:
    return finish(check(str(spec), **options))


def test_odd_files_are_named_with_reasons(odd_files: tuple[Path, set[str]]) -> None:
    folder, bad = odd_files
    report = report_of(folder)
    assert {item.name for item in report.unusable} == bad
    reasons = {item.name: item.reason for item in report.unusable}
    assert "not a picture" in reasons["text.png"]
    assert "empty" in reasons["empty.jpg"]
    assert "truncated" in reasons["cut.png"]
    assert "30000" in reasons["bomb.png"]
    assert report.usable == 7
    assert sum(report.sizes.values()) == sum(report.modes.values()) == 7
    assert report.sizes["1 x 1"] == 1
    assert set(report.modes) == {"grey", "colour", "colour with alpha"}
    assert all("\n" not in line for line in report.lines())


def test_report_survives_json(odd_files: tuple[Path, set[str]]) -> None:
    report = report_of(odd_files[0])
    known = json.loads(json.dumps(report.to_json()))
    assert known["unusable"][0].keys() == {"name", "reason"}
    assert known["usable"] == 7


def test_unchanged_set_is_not_read_again(tmp_path: Path, paint: Paint) -> None:
    for at in range(5):
        paint(f"set/{at}.png", at)
    first = report_of(tmp_path / "set", family="classifier")
    assert list(check(str(tmp_path / "set"))) == []
    assert report_of(tmp_path / "set", family="classifier") == first
    assert list(check(str(tmp_path / "set"), again=True))
    paint("set/5.png", 5)
    assert report_of(tmp_path / "set").usable == 6


@pytest.mark.parametrize("name", ["set.v1", "set.zip", "a.b.c", ".set", "set."])
def test_reports_of_two_sets_are_two_whatever_dots_are_in_their_name(tmp_path: Path, paint: Paint, name: str) -> None:
    for home, count in (("one", 2), ("other", 3)):
        for at in range(count):
            paint(f"{home}/{name}/{at}.png", at)
        if name.endswith(".zip"):
            folder = (tmp_path / home / name).rename(tmp_path / home / "unpacked")
            shutil.make_archive(str(tmp_path / home / "set"), "zip", folder)
    assert [report_of(tmp_path / home / name).usable for home in ("one", "other", "one")] == [2, 3, 2]
    paint(f"one/{'unpacked' if name.endswith('.zip') else name}/new.png", 9)
    if name.endswith(".zip"):
        shutil.make_archive(str(tmp_path / "one" / "set"), "zip", tmp_path / "one" / "unpacked")
    assert report_of(tmp_path / "one" / name).usable == 3


def test_exact_duplicates_by_pixels_not_by_bytes(tmp_path: Path, paint: Paint) -> None:
    paint("set/a.png", 1)
    paint("set/b.png", 2)
    paint("set/c.png", 1, compress_level=0)
    paint("set/d.bmp", 1)
    report = report_of(tmp_path / "set")
    assert report.duplicates == [["a.png", "c.png", "d.bmp"]]
    assert report.near_duplicates == []
    assert any("Exact copies: 2 pictures" in words for words in report.warnings)


def test_near_duplicates_are_grouped(tmp_path: Path, paint: Paint) -> None:
    for at in range(30):
        paint(f"set/{at}.png", at, size=(200, 160))
    original = Image.open(tmp_path / "set" / "7.png")
    original.save(tmp_path / "set" / "7 again.jpg", quality=60)
    original.resize((90, 70)).save(tmp_path / "set" / "7 small.png")
    original.point(lambda value: value * 0.9 + 10).save(tmp_path / "set" / "7 pale.png")
    assert report_of(tmp_path / "set").near_duplicates == [["7 again.jpg", "7 pale.png", "7 small.png", "7.png"]]


def test_alike_finds_every_pair_that_brute_force_finds() -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(0, 256, (60, 32, 32))
    greys = [*base, *(base[:20] + rng.normal(0, 5, (20, 32, 32))).clip(0, 255)]
    looks = [look_at(grey.astype(np.uint8)) for grey in greys]
    distance = [[bin(int(one.hash ^ other.hash)).count("1") for other in looks] for one in looks]
    wanted = [[at, at + 60] for at in range(20) if distance[at][at + 60] <= 6]
    assert alike(looks) == wanted
    assert len(wanted) >= 15


def test_flat_pictures_are_alike_by_brightness() -> None:
    flats = [look_at(np.full((32, 32), value, np.uint8)) for value in (0, 1, 128, 255)]
    assert alike(flats) == [[0, 1]]
    assert alike([]) == []


@pytest.mark.parametrize(
    ("count", "family", "words"),
    [
        (1, "vae", "only 1 picture"),
        (12, "vae", "too few to learn to paint from"),
        (12, None, "too few to learn to paint from"),
        (12, "classifier", "no classes to tell apart"),
    ],
)
def test_too_few_pictures(tmp_path: Path, paint: Paint, count: int, family: str | None, words: str) -> None:
    for at in range(count):
        paint(f"set/{at}.png", at)
    assert any(words in warning for warning in report_of(tmp_path / "set", family=family).warnings)


def test_uneven_classes_shapes_and_modes(tmp_path: Path, paint: Paint) -> None:
    for at in range(30):
        paint(f"set/cat/{at}.png", at, size=(60, 20))
    for at in range(3):
        paint(f"set/dog/{at}.png", 100 + at, size=(200, 190), mode="LA")
    report = report_of(tmp_path / "set", family="classifier")
    assert report.classes == {"cat": 30, "dog": 3}
    words = " ".join(report.warnings)
    assert "fewer than 20 pictures: dog (3)" in words
    assert "uneven: cat has 30 pictures, dog has 3" in words
    assert "Far from square: 30 pictures" in words
    assert "20 to 190 px" in words
    assert "Some pictures are grey, some in colour" in words
    assert "transparent" in words
    assert "learn to paint" not in words


def test_built_in_digits_are_sound() -> None:
    report = report_of("digits", family="vae")
    assert (report.usable, report.unusable, report.warnings) == (10_000, [], [])


def test_wrong_requests(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no model family"):
        report_of("digits", family="gam")
    with pytest.raises(DataError, match="is empty"):
        report_of(tmp_path)


def test_what_to_do_is_told_before_the_details(odd_files: tuple[Path, set[str]]) -> None:
    """Of a set with long lists of faults, too: whoever reads the first lines knows what to do."""
    folder, bad = odd_files
    told = finish(data_check.job(str(folder)))
    lines = told.lines
    at = lines.index("In detail:")
    assert lines[0] == f"{folder}: 7 usable pictures"
    assert all(line.startswith("Warning: ") for line in lines[1:3])
    assert any(line.startswith("Suggestion: danqing train dcgan") and "--skip-bad" in line for line in lines[:at])
    assert f"cannot be used ({len(bad)}):" in lines[at:]
    assert not any(line.startswith(("Warning", "Suggestion")) for line in lines[at:])
    assert told.told()["suggestion"] == [line for line in lines[:at] if line in told.told()["suggestion"]]
