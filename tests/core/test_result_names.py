"""Each picture's result has a name of its own, and none is taken away from another."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danqing.core.errors import OutputError
from danqing.core.notes import noted
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.names import folded, stem
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.core.runs.folders import Folders
from danqing.core.runs.result_names import Source, names_of
from danqing.core.runs.run import Result, run

COMPOSED, APART = "é.png", "e\u0301.png"


def painted(folder: Path, *names: str) -> Path:
    """Pictures, each of another grey; a disk that takes two of the names for one cannot ask this."""
    for level, name in enumerate(names):
        write(torch.full((1, 1, 4, 4), level / 10), folder / f"whole{Path(name).suffix}", force=True)
        (folder / f"whole{Path(name).suffix}").rename(folder / name)
    if len(list(folder.iterdir())) < len(names):
        pytest.skip("this disk holds no two of these names")
    return folder


def flipped(folder: Path, out_dir: Path) -> Result:
    return finish(run(operator_named("flip"), {}, Folders([folder], out_dir=out_dir)))


def came_from(result: Result) -> dict[str, str]:
    return {outcome.files[0].name: str(outcome.source and outcome.source.name) for outcome in result.outcomes}


@pytest.mark.parametrize(
    ("sources", "wanted", "told"),
    [
        (
            (APART, COMPOSED, "ok.png"),
            {COMPOSED: COMPOSED, "é-2.png": APART, "ok.png": "ok.png"},
            r"'e\u0301.png' → é-2",
        ),
        (
            ("a.png", "a.gif", "a.png.png", "z.png"),
            {"a.png-2.png": "a.png", "a.gif.png": "a.gif", "a.png.png": "a.png.png", "z.png": "z.png"},
            "a.png → a.png-2.png",
        ),
        (
            ("A.png", "a-2.png", "a.png"),
            {"A.png": "A.png", "a-2.png": "a-2.png", "a-3.png": "a.png"},
            "a.png → a-3.png",
        ),
        (
            ("é.gif", COMPOSED, APART),
            {"é.gif.png": "é.gif", "é.png.png": COMPOSED, "é.png-2.png": APART},
            r"'e\u0301.png' → é.png-2.png",
        ),
    ],
)
def test_two_names_of_one_form_cost_no_folder(
    tmp_path: Path, sources: tuple[str, ...], wanted: dict[str, str], told: str
) -> None:
    folder = painted(tmp_path / "in", *sources)
    result = flipped(folder, tmp_path / "out")
    assert came_from(result) == wanted
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(wanted)
    for name, source in wanted.items():
        assert torch.equal(read(tmp_path / "out" / name).pixels, read(folder / source).pixels)
    (words,) = [each for each in result.notes if "Numbered" in each]
    assert told in words
    again = flipped(folder, tmp_path / "out")
    assert {outcome.state for outcome in again.outcomes} == {"skipped"}
    assert came_from(again) == wanted


def test_folders_that_one_disk_takes_for_one_stay_apart(tmp_path: Path) -> None:
    for home in ("A", "a"):
        painted(tmp_path / "in" / home, "x.png")
    if len(list((tmp_path / "in").iterdir())) < 2:
        pytest.skip("this disk holds no two of these names")
    names = [
        outcome.files[0].relative_to(tmp_path / "out").as_posix()
        for outcome in flipped(tmp_path / "in", tmp_path / "out").outcomes
    ]
    assert names == ["A/x.png", "a/x-2.png"]


def test_results_beside_their_pictures_have_names_of_their_own(tmp_path: Path) -> None:
    folder = painted(tmp_path / "in", "a.png", "a.bmp", "b.png")
    result = finish(run(operator_named("flip"), {}, Folders(sorted(folder.iterdir()))))
    named = came_from(result)
    assert {name.rpartition(".")[0]: source for name, source in named.items()} == {
        "a.png-flip": "a.png", "a.bmp-flip": "a.bmp", "b-flip": "b.png",
    }  # fmt: skip


def test_masks_of_one_form_belong_to_the_picture_of_the_same(tmp_path: Path) -> None:
    pictures, masks = painted(tmp_path / "in", COMPOSED, APART), painted(tmp_path / "masks", APART, COMPOSED)
    with noted([]):
        orders = Folders([pictures], out_dir=tmp_path / "out").orders(operator_named("inpaint"), {"mask": masks})
    assert {order.inputs["x"].name: order.inputs["mask"].name for order in orders} == {COMPOSED: COMPOSED, APART: APART}


def test_what_was_given_apart_under_one_name_is_refused() -> None:
    twice = [Source(Path("x/a.png"), Path("a.png"), 0), Source(Path("y/a.png"), Path("a.png"), 1)]
    with pytest.raises(OutputError, match="2 of the pictures have this name"):
        names_of(twice, [".png", ".png"])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            "".join,
            st.tuples(
                st.sampled_from(
                    ["a", "A", "é", "e\u0301", "a-2", "A-3", "a.png", "e\u0301-2", "x" * 300, "x" * 299 + "y"]
                ),
                st.sampled_from([".png", ".PNG", ".gif", ""]),
            ),
        ),
        unique=True,
        max_size=12,
    ),
    st.randoms(),
)
def test_names_are_apart_on_every_disk_and_the_order_does_not_matter(names: list[str], rng: object) -> None:
    found = [Source(Path("in", name), Path(unicodedata.normalize("NFC", name)), 0) for name in names]
    with noted([]):
        made = names_of(found, [".png"] * len(found))
        again = list(found)
        rng.shuffle(again)  # type: ignore[attr-defined]
        assert dict(zip(again, names_of(again, [".png"] * len(again)), strict=True)) == dict(
            zip(found, made, strict=True)
        )
    assert len({folded(str(each)) for each in made}) == len(found)
    natural = {folded(stem(each.key.name)) + ".png" for each in found}
    for source, name in zip(found, made, strict=True):
        own = [folded(stem(source.key.name)) + ".png", folded(source.key.name) + ".png"]
        assert folded(name.name) in own or folded(name.name) not in natural
