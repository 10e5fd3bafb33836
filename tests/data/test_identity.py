"""A set is told from another by where it lies and what it holds, never by names, sizes and times alone."""

import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from danqing.core.disk import BLOCK, BLOCKS, sampled
from danqing.core.errors import OutputError
from danqing.core.notes import noted
from danqing.core.progress import finish
from danqing.data.cache import cached
from danqing.data.check import check
from danqing.data.sources import open_source
from danqing.data.store import Store, pack
from danqing.data.stream import Stream

Make = Callable[[Path, int], Path]


def folder(place: Path, grey: int) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    for at in range(3):
        file = place / f"{at}.bmp"
        Image.new("L", (16, 16), grey).save(file)
        os.utime(file, (0, 0))
    return place


def zipped(place: Path, grey: int) -> Path:
    folder(place, grey)
    with zipfile.ZipFile(place.with_suffix(".zip"), "w") as archive:
        for file in sorted(place.iterdir()):
            archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes())
    os.utime(place.with_suffix(".zip"), (0, 0))
    return place.with_suffix(".zip")


def tarred(place: Path, grey: int) -> Path:
    folder(place, grey)
    with tarfile.open(place.with_suffix(".tar"), "w") as archive:
        for file in sorted(place.iterdir()):
            archive.add(file, file.name)
    os.utime(place.with_suffix(".tar"), (0, 0))
    return place.with_suffix(".tar")


KINDS = [folder, zipped, tarred]


def packed(spec: Path) -> Store:
    return finish(pack(spec, size=16, split="all"))


@pytest.mark.parametrize("make", KINDS)
def test_two_sets_of_equal_names_sizes_and_times(tmp_path: Path, make: Make) -> None:
    black, white = make(tmp_path / "a" / "set", 0), make(tmp_path / "b" / "set", 255)
    assert [int(packed(spec).pictures.max()) for spec in (black, white)] == [0, 255]


@pytest.mark.parametrize("make", KINDS)
def test_files_replaced_with_their_times_kept(tmp_path: Path, make: Make) -> None:
    spec = make(tmp_path / "set", 0)
    assert packed(spec).pictures.max() == 0
    make(tmp_path / "other" / "set", 255)
    if spec.is_dir():
        for file in spec.iterdir():
            shutil.copy2(tmp_path / "other" / "set" / file.name, file)
    else:
        shutil.copy2(tmp_path / "other" / spec.name, spec)
    assert packed(spec).pictures.min() == 255
    assert finish(check(spec)).usable == 3


@pytest.mark.parametrize("make", KINDS)
def test_the_hash_of_what_is_learned_does_not_know_the_place(tmp_path: Path, make: Make) -> None:
    one, other = make(tmp_path / "a" / "set", 7), make(tmp_path / "b" / "set", 7)
    assert packed(one).facts()["sha256"] == packed(other).facts()["sha256"]
    assert packed(one).facts()["sha256"] != packed(make(tmp_path / "c" / "set", 8)).facts()["sha256"]


def test_the_hash_changes_with_labels_classes_channels_and_pixels(tmp_path: Path) -> None:
    spec = folder(tmp_path / "set", 7)
    hashes = [packed(spec).facts()["sha256"], finish(pack(spec, size=16, channels="colour")).facts()["sha256"]]
    for text in ("0.bmp,a\n1.bmp,b\n2.bmp,b\n", "0.bmp,a\n1.bmp,b\n2.bmp,a\n", "0.bmp,a\n1.bmp,c\n2.bmp,c\n"):
        (spec / "labels.csv").write_text("file,label\n" + text)
        hashes.append(packed(spec).facts()["sha256"])
    Image.new("L", (16, 16), 8).save(spec / "0.bmp")
    hashes.append(packed(spec).facts()["sha256"])
    assert len(set(hashes)) == 6


def test_streams_know_what_they_hold_wherever_it_lies(tmp_path: Path) -> None:
    one, other = tarred(tmp_path / "a" / "set", 7), tmp_path / "b.set" / "set.tar"
    other.parent.mkdir()
    shutil.copy(one, other)
    white = tarred(tmp_path / "c" / "set", 9)
    facts = [Stream(spec, size=8).facts()["sha256"] for spec in (one, other, white)]
    assert facts[0] == facts[1] != facts[2]
    classes = Stream(one, size=8, classes=["a", "b"]).facts()["sha256"]
    channels = Stream(one, size=8, channels="colour").facts()["sha256"]
    assert len({*facts, classes, channels}) == 4


def test_large_files_are_sampled_at_both_ends_and_between(tmp_path: Path) -> None:
    file = tmp_path / "large"
    size = 4 * BLOCKS * BLOCK
    file.write_bytes(bytes(size))
    whole = sampled(file)
    for at in (0, size - 1, size // 63 * 20):
        raw = bytearray(size)
        raw[at : at + 2 * size // BLOCKS] = b"\1" * len(raw[at : at + 2 * size // BLOCKS])
        file.write_bytes(raw)
        assert sampled(file) != whole
    file.write_bytes(bytes(size + 1))
    assert sampled(file) != whole
    assert sampled(tmp_path / "gone") == sampled(tmp_path / "gone too")


def test_a_store_that_was_cut_short_is_packed_again(tmp_path: Path, cache: Path) -> None:
    spec = folder(tmp_path / "set", 200)
    before = packed(spec)
    file = next(cache.rglob("pictures.u8"))
    os.truncate(file, file.stat().st_size - 100)
    assert packed(spec).facts() == before.facts()
    store = next(cache.rglob("store.json"))
    store.write_text(store.read_text()[:50])
    assert packed(spec).facts() == before.facts()


def test_a_report_that_is_damaged_is_told_anew(tmp_path: Path, cache: Path) -> None:
    spec = folder(tmp_path / "set", 200)
    before = finish(check(spec))
    for text in ("{", "{}", "[]", '{"unusable": [], "passed_over": []}'):
        next((cache / "checks").iterdir()).write_text(text)
        assert finish(check(spec)) == before


def test_looking_needs_no_cache_and_packing_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = folder(tmp_path / "set", 200)
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", Path("/proc/danqing")):
        monkeypatch.setenv("DANQING_CACHE", str(place))
        with noted([]) as notes:
            assert finish(check(spec)).usable == 3
        assert any(str(place) in words for words in notes)
        with pytest.raises(OutputError, match=r"DANQING_CACHE names another folder") as refused:
            packed(spec)
        assert str(place) in str(refused.value)


def test_the_cache_is_where_the_system_keeps_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANQING_CACHE", str(tmp_path / "mine"))
    assert cached("packs", "some set", 1).parent == tmp_path / "mine" / "packs"
    monkeypatch.delenv("DANQING_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert cached("packs", "some set", 1).parent == tmp_path / ".cache" / "danqing" / "packs"


def test_a_link_to_a_set_is_that_set(tmp_path: Path) -> None:
    spec = folder(tmp_path / "set", 7)
    (tmp_path / "link").symlink_to(spec)
    assert open_source(spec).fingerprint == open_source(tmp_path / "link").fingerprint
    assert json.loads(json.dumps(open_source(spec).fingerprint)) == open_source(spec).fingerprint
