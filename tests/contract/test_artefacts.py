"""Every kind of result keeps what all promise; the kinds are found by walking their folder in every root."""

from __future__ import annotations

import ast
import json
import random
from pathlib import Path

import pytest

import danqing
from danqing.core.artefacts.artefact import ARTEFACTS, Artefact, kinds, plain
from danqing.core.artefacts.file import Files
from danqing.core.artefacts.pictures import recipe_in
from danqing.core.artefacts.saving import Saving
from danqing.core.artefacts.trained import Trained
from danqing.core.errors import OutputError
from danqing.core.menu import modules_in
from danqing.core.pictures.contract import check_images
from danqing.core.recipe import Recipe, Step

RECIPE: Recipe = [
    Step("median", {"radius": 2, "mode": "软"}, [{"as": "x", "path": "a b.png", "sha256": "0" * 64}], version=3),
    Step("generate", {"seed": 2**40}, weights={"weights": {"name": "digits", "sha256": "1" * 64}}, take=2),
]
ONE_SUFFIX = (Files,)  # the bytes are there: they have one format
CARD = (Trained,)  # how it was made is in the card of the weights, which is more than a recipe


def name_of(kind: type[Artefact]) -> str:
    return kind.__name__.lower()


def in_files(kind: type[Artefact]) -> list[str]:
    return [name_of(kind) + each for each in (kind.suffixes[:1] if kind in ONE_SUFFIX else kind.suffixes)]


walked = pytest.mark.parametrize("kind", kinds(), ids=name_of)
FILES = [pytest.param(kind, name, id=name) for kind in kinds() for name in in_files(kind)]


def written(kind: type[Artefact], file: Path, seed: int = 0, recipe: Recipe = RECIPE) -> Path:
    kind.draw(random.Random(seed)).write(file, recipe, Saving())
    return file


@walked
def test_it_says_what_it_is(kind: type[Artefact]) -> None:
    assert kind.noun != Artefact.noun
    assert kind.place.endswith(".")
    assert kind.suffixes
    assert all(each[0] == "." and each == each.lower() for each in kind.suffixes)
    made = kind.draw(random.Random(0))
    assert isinstance(made, kind)
    assert all(isinstance(line, str) for line in made.words())


@walked
def test_its_figures_are_json(kind: type[Artefact]) -> None:
    told = kind.draw(random.Random(0)).told()
    assert json.loads(json.dumps(told, allow_nan=False)) == plain(told)


@walked
def test_its_thumbnail_is_a_picture(kind: type[Artefact]) -> None:
    shown = kind.draw(random.Random(0)).thumbnail()
    if shown is not None:
        assert len(check_images(shown, "thumbnail")) == 1


@walked
def test_what_it_shows_is_pictures_and_is_counted(kind: type[Artefact]) -> None:
    made = kind.draw(random.Random(0))
    shown = made.shown()
    assert made.nbytes() >= (0 if shown is None else check_images(shown, "shown").nbytes)
    assert not kind.lives or shown is not None


def test_no_face_and_no_run_asks_which_kind_a_result_is() -> None:
    kinds_of_results = {kind.__name__ for kind in kinds()}
    found = []
    for file in (
        f
        for room in ("core/runs", "core/operators", "faces")
        for f in (Path(danqing.__file__).parent / room).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
                asked = {each.id for each in ast.walk(node.args[1]) if isinstance(each, ast.Name)}
                found += [f"{file.name}:{node.lineno}"] * bool(asked & kinds_of_results)
    assert found == [], "a kind of result knows itself what is asked here: see Artefact"


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_its_recipe_comes_back(kind: type[Artefact], name: str, tmp_path: Path) -> None:
    file = written(kind, tmp_path / name)
    assert recipe_in(file) == kind.read_recipe(file) == (None if kind in CARD else RECIPE)


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_the_same_is_the_same_whatever_the_recipe(kind: type[Artefact], name: str, tmp_path: Path) -> None:
    one = written(kind, tmp_path / name)
    again = written(kind, tmp_path / f"again-{name}", recipe=RECIPE[:1])
    others = [written(kind, tmp_path / f"{seed}-{name}", seed) for seed in range(1, 5)]
    assert kind.same(one, one)
    assert kind.same(one, again)
    assert not all(kind.same(one, other) for other in others)


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_half_a_file_is_not_whole(kind: type[Artefact], name: str, tmp_path: Path) -> None:
    file = written(kind, tmp_path / name)
    assert kind.is_whole(file)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    assert not kind.is_whole(file)


@walked
def test_nothing_is_written_over_unasked(kind: type[Artefact], tmp_path: Path) -> None:
    file = tmp_path / in_files(kind)[0]
    file.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        written(kind, file)
    assert file.read_bytes() == b"mine"
    kind.draw(random.Random(0)).write(file, RECIPE, Saving(force=True))
    assert kind.is_whole(file)
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


@walked
def test_another_name_is_refused_before_anything_is_made(kind: type[Artefact]) -> None:
    values = {"format": "png"}
    kind.check_place(Path(in_files(kind)[0]), Saving(), values)
    with pytest.raises(OutputError):
        kind.check_place(Path("name.of-nothing"), Saving(), values)


@walked
def test_its_parts_are_files_of_its_own(kind: type[Artefact], tmp_path: Path) -> None:
    parts = kind.draw(random.Random(0)).parts(tmp_path / in_files(kind)[0], Saving())
    assert parts
    for part in parts:
        part.content.write(part.file, RECIPE, Saving())
        assert type(part.content).is_whole(part.file)


@walked
def test_its_files_are_told_apart_by_their_recipes(kind: type[Artefact], tmp_path: Path) -> None:
    """Which of them a replay makes again."""
    for name in (*in_files(kind), "named.png"):
        parts = kind.draw(random.Random(0)).parts(tmp_path / name, Saving())
        assert len({(part.take, part.file.suffix if part.take is None else "") for part in parts}) == len(parts)


def test_the_walk_finds_them() -> None:
    homes = {kind.__module__ for kind in kinds()}
    assert homes <= set(modules_in(ARTEFACTS))
    assert len(kinds()) >= 5
