"""Content by its hash: the same work as in folders, found again, and no path of a client reaches the disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from danqing.core.artefacts.pictures import recipe_in
from danqing.core.disk import hash_of
from danqing.core.errors import OutputError, ParameterError, UserError
from danqing.core.learned.card import bundled
from danqing.core.learned.families import family_named
from danqing.core.learned.weights import save
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.core.recipe import to_json
from danqing.core.runs.blobs import Blobs, safe_name
from danqing.core.runs.folders import Folders
from danqing.core.runs.replay import replay
from danqing.core.runs.run import Result, run


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "store")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    x = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    return write(x, tmp_path / "my 熊猫.png")


def done(name: str, store: Any, **values: Any) -> Result:
    return finish(run(operator_named(name), values, store))


def test_content_is_kept_once_under_its_hash(blobs: Blobs, photo: Path) -> None:
    one = blobs.put(photo, photo.name)
    two = blobs.put(photo.read_bytes(), "another.png")
    assert one == two == hash_of(photo) == hash_of(blobs.file(one))
    assert blobs.file(one).name == photo.name
    assert len([each for each in blobs.folder.rglob("*") if each.is_file()]) == 1


def test_an_operator_makes_the_same_of_blobs_as_in_folders(blobs: Blobs, photo: Path, tmp_path: Path) -> None:
    made = done("median", blobs, x=blobs.put(photo, photo.name), radius=2).outcomes[0]
    done("median", Folders([photo], out=tmp_path / "out.png"), radius=2)
    (kept,) = blobs.kept(made)
    assert (made.state, kept.name) == ("done", "my 熊猫-median.png")
    assert read(blobs.file(kept.sha256)).pixels.equal(read(tmp_path / "out.png").pixels)


def test_masks_and_weights_are_hashes_too(blobs: Blobs, photo: Path, tmp_path: Path) -> None:
    mask = write((torch.rand(1, 1, 20, 30) > 0.8).float(), tmp_path / "mask.png")
    x = blobs.put(photo, "a.png")
    made = done("inpaint", blobs, x=x, mask=blobs.put(mask, "a.png")).outcomes[0]
    done("inpaint", Folders([photo], out=tmp_path / "out.png"), mask=mask)
    assert read(made.files[0]).pixels.equal(read(tmp_path / "out.png").pixels)
    weights = blobs.put(bundled()["denoise-tiny"], "mine.safetensors")
    by_hash = done("denoise", blobs, x=x, weights=weights, sigma=20).outcomes[0]
    by_name = done("denoise", blobs, x=x, weights="denoise-tiny", sigma=20).outcomes[0]
    assert read(by_hash.files[0]).pixels.equal(read(by_name.files[0]).pixels)
    for file in (*by_hash.files, *made.files):
        assert str(blobs.folder) not in to_json(recipe_in(file) or [])
    step = (recipe_in(by_hash.files[0]) or [])[-1]
    assert step.inputs == [{"as": "x", "path": "x/a.png", "sha256": x}]
    assert step.weights == {"weights": {"name": "weights/mine.safetensors", "sha256": weights}}


def test_what_is_taken_home_is_made_again_from_the_pictures_beside_it(
    blobs: Blobs, photo: Path, tmp_path: Path
) -> None:
    """A client has its own pictures, by their own names, and the result that it was given."""
    mask = write((torch.rand(1, 1, 20, 30) > 0.8).float(), tmp_path / "my mask.png")
    made = done("inpaint", blobs, x=blobs.put(photo, photo.name), mask=blobs.put(mask, mask.name)).outcomes[0]
    home = tmp_path / "home"
    home.mkdir()
    result = Path(shutil.copy(made.files[0], home))
    with pytest.raises(UserError, match="missing"):
        finish(replay(result))
    for number, each in enumerate((photo, mask)):  # under any name
        shutil.copy(each, home / f"{number}.PNG")
    assert finish(replay(result)).identical
    with pytest.raises(OutputError, match="one of the files that the picture was made from"):
        finish(replay(result, home / "0.PNG", force=True))
    (home / "1.PNG").unlink()
    with pytest.raises(UserError, match=r"mask\.png: is missing"):
        finish(replay(result, force=True))


def test_a_second_run_finds_the_result_there(blobs: Blobs, photo: Path) -> None:
    x = blobs.put(photo, photo.name)
    first, again = (done("median", blobs, x=x).outcomes[0] for _ in range(2))
    other = done("median", blobs, x=x, radius=3).outcomes[0]
    assert (first.state, again.state, other.state) == ("done", "skipped", "done")
    assert blobs.kept(first) == blobs.kept(again) != blobs.kept(other)


def test_figures_and_several_pictures_are_kept(blobs: Blobs, photo: Path, tmp_path: Path) -> None:
    found = done("sharpness", blobs, x=blobs.put(photo, photo.name)).outcomes[0]
    kept = blobs.kept(found)
    assert json.loads(blobs.file(kept[0].sha256).read_text("utf-8"))["numbers"] == found.numbers
    model = save(family_named("vae")(size=16, channels=1, classes=0, dim=3, width=4), tmp_path / "vae.safetensors")
    painted = done("generate", blobs, weights=blobs.put(model, model.name), count=2, seed=3).outcomes[0]
    assert len({each.sha256 for each in blobs.kept(painted)}) == 2


def test_a_folder_of_the_server_that_has_changed_is_looked_at_again(tmp_path: Path) -> None:
    """Beside what was made of it before, which stays."""
    for at, name in enumerate("ab"):
        write(torch.full((1, 3, 16, 16), at / 2), tmp_path / "set" / name / "0.png")
    model = family_named("classifier")(size=16, channels=3, classes=2, width=4, dim=8)  # type: ignore[call-arg]
    blobs, mode = Blobs(tmp_path / "store", folders={"mine": tmp_path / "set"}), (tmp_path / "set").stat().st_mode
    weights = blobs.put(save(model, tmp_path / "w.safetensors", classes=["a", "b"]), "w.safetensors")
    asked = {"weights": weights, "data": "mine", "split": "all"}
    first = done("assess", blobs, **asked).outcomes[0]
    assert [done("assess", blobs, **asked).outcomes[0].state, first.state] == ["skipped", "done"]
    write(torch.ones(1, 3, 16, 16), tmp_path / "set" / "b" / "1.png")
    again = done("assess", blobs, **asked).outcomes[0]
    assert (again.state, again.numbers[0]["pictures"], first.numbers[0]["pictures"]) == ("done", 3, 2)
    assert all(file.is_file() for file in first.files)
    assert (tmp_path / "set").stat().st_mode == mode


def test_several_hashes_are_several_orders(blobs: Blobs, photo: Path) -> None:
    other = blobs.put(write(torch.rand(1, 1, 9, 9), photo.with_name("b.png")), "b.png")
    made = done("flip", blobs, x=[blobs.put(photo, "a.png"), other])
    assert [each.files[0].name for each in made.outcomes] == ["a-flip.png", "b-flip.png"]


PLACES = ["../../etc/passwd", "/etc/passwd", "photo.png", "..", "", "A" * 64, "0" * 63, "0" * 64 + "\n", "0" * 64, 3]


@pytest.mark.parametrize("place", PLACES)
def test_no_path_of_a_client_reaches_the_disk(blobs: Blobs, photo: Path, place: Any) -> None:
    x = blobs.put(photo, photo.name)
    with pytest.raises(ParameterError):
        blobs.file(place)
    asked: list[tuple[str, dict[str, Any]]] = [
        ("median", {"x": place}),
        ("denoise", {"x": x, "weights": place}),
        ("inpaint", {"x": x, "mask": place}),
        ("evaluate", {"weights": "digits", "data": place}),
    ]
    for name, values in asked:
        with pytest.raises(UserError):
            done(name, blobs, **values)
    assert not (blobs.folder / "work").exists()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../a.png", "a.png"),
        ("..\\b.png", "b.png"),
        (".hidden", "hidden"),
        ("", "file"),
        ("/", "file"),
        ("a\x00\n<b>.png", "a_b_.png"),
        ("熊猫 1.jpeg", "熊猫 1.jpeg"),
        ("n" * 300 + ".png", "n" * 60 + ".png"),
    ],
)
def test_names_are_made_safe(blobs: Blobs, name: str, safe: str) -> None:
    assert safe_name(name) == safe
    kept = blobs.file(blobs.put(name.encode(), name))
    assert kept.name == safe
    assert kept.resolve().is_relative_to(blobs.folder.resolve())
