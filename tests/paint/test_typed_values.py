"""What people type for latents, directions and seeds: numbers of any length are refused in words, names lead back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import danqing
from danqing.core.artefacts.artefact import kinds
from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.fields.seed import LARGEST
from danqing.core.learned.kept import Directions
from danqing.core.learned.model import Painter
from danqing.core.learned.numbered import numbered

LONG = "9" * 5000  # Python reads no more than 4,300 digits


@pytest.fixture
def directions(model: Painter) -> Directions:
    return Directions.of(model, torch.eye(6)[:2, None], names=["slant", "weight"])


@pytest.mark.parametrize("index", [LARGEST + 1, 2**64, 10**23, 10**400, 10**5000], ids=hex)
def test_a_number_beyond_all_pictures_is_refused(model: Painter, index: int) -> None:
    with pytest.raises(ParameterError) as caught:
        danqing.traverse(model, index=index)
    assert caught.value.where == "index"
    assert caught.value.remedy == (f"Give at most {LARGEST}" if index < 10**100 else "")
    assert danqing.traverse(model, index=LARGEST).shape == (1, 1, 16, 16)


@pytest.mark.parametrize("to", [LONG, f"5,{LONG}", str(2**63), "²"])
def test_seeds_of_any_length_are_refused_in_words(model: Painter, to: str) -> None:
    with pytest.raises(ParameterError, match="is not a list of seeds") as caught:
        danqing.interpolate(model, to=to)
    assert len(str(caught.value)) < 200
    assert len(danqing.interpolate(model, to=f"{LARGEST},007", frames=3).pictures) == 3


@pytest.mark.parametrize(
    "along",
    [LONG, f"slant@{LONG}", f"slant@0-{LONG}", f"slant={LONG}", "slant=1e300", "slant=-20.5", "slant=nan", "3", "0"],
)
def test_what_no_direction_has_is_said_of_along(model: Painter, directions: Directions, along: str) -> None:
    with pytest.raises(ParameterError) as caught:
        danqing.steer(model, directions, along=along)
    assert caught.value.where == "along"
    assert len(str(caught.value)) < 250


def test_a_direction_goes_by_its_name_or_its_number(directions: Directions) -> None:
    for name, at in (("slant", 0), ("1", 0), ("weight", 1), ("02", 1)):
        assert torch.equal(directions.named(name), directions.tensor[at])


@pytest.mark.parametrize(("names", "count"), [("2", 3), ("a,3", 3), ("3,1", 3), ("a,a", 2)])
def test_no_two_directions_have_one_name(model: Painter, names: str, count: int) -> None:
    with pytest.raises(ParameterError, match="are no names") as caught:
        danqing.find_directions(model, method="pca", count=count, names=names)
    assert caught.value.where == "names"


def test_every_direction_can_be_reached_by_its_name(model: Painter) -> None:
    kept = danqing.find_directions(model, method="pca", count=3, names="2,1").kept
    assert isinstance(kept, Directions)
    assert kept.names == ["2", "1", "3"]
    for at, name in enumerate(kept.names):
        assert torch.equal(kept.named(name), kept.tensor[at])


@pytest.mark.parametrize(
    ("text", "count", "number"),
    [("0", 1, 0), ("000", 1, 0), ("7", 8, 7), ("8", 8, None), ("007", 8, 7), ("", 8, None), ("-1", 8, None)],
)
def test_digits_say_a_number_of_those_there_are(text: str, count: int, number: int | None) -> None:
    assert numbered(text, count) == number
    assert numbered("0" * 5000 + text, count) == (0 if not text else number)
    assert numbered(f"1{LONG}", count) is None


def test_what_goes_beside_one_kind_of_result_has_no_name_that_another_gives(tmp_path: Path) -> None:
    """Projections and directions of one model go into files of one stem."""
    given = [(file, kind) for kind in kinds() for _, file in kind.beside(tmp_path / f"mine{kind.suffixes[0]}")]
    assert len(given) >= 2
    assert len({file for file, _ in given}) == len(given), given


def test_labels_of_any_length_are_refused_in_words() -> None:
    with pytest.raises(ParameterError, match="is no class of this model") as caught:
        danqing.generate("handwritten-digits", label=LONG)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("shape", [(2, 1, 5), (2, 2, 6), (1, 1, 7)])
def test_what_only_says_that_it_is_of_this_model_is_damaged(model: Painter, shape: tuple[int, ...]) -> None:
    made = Directions.of(model, torch.randn(shape), names=["1", "2"][: shape[0]])
    with pytest.raises(ModelFileError, match="is damaged"):
        danqing.steer(model, made)
