"""Pictures worth labelling next: those of which a finder is unsure come first."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Generator, Tensor

from danqing.core.errors import DataError
from danqing.core.learned.finder import Finder, Parser, Places
from danqing.core.learned.model import Samples
from danqing.core.notes import PictureWarning
from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found, Thing
from danqing.core.progress import finish
from danqing.data.next_labels import next_labels
from danqing.models.detector import Detector


class Bright(Finder):
    """Is as sure that it sees something as the picture is bright."""

    def __init__(self, size: int = 8, channels: int = 3, classes: int = 1) -> None:
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def features(self, x: Images) -> Tensor:
        return torch.ones(len(x), 2)

    def places(self, x: Images) -> Places:
        return Places(x.mean((1, 2, 3))[:, None, None].logit(), torch.zeros(1, 4))

    def outputs(self, x: Images) -> tuple[Tensor, ...]:
        return tuple(self.places(x))

    def find(self, x: Images, threshold: float, count: int = 100, side: int | None = None) -> list[Found]:
        chance = float(x.mean())
        things = (Thing("light", (0.0, 0.0, 4.0, 4.0), chance),) if chance >= threshold else ()
        return [Found(x.shape[3], x.shape[2], things)]

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        yield "", batch.x.mean()


class BrightPixels(Parser, Bright):
    """The same of pixels."""

    def shares(self, x: Images, side: int | None = None) -> Tensor:
        here = x.mean(1, keepdim=True)
        return torch.cat([1 - here, here], 1)


@pytest.mark.parametrize("model", [Bright(), BrightPixels()])
def test_what_a_finder_doubts_comes_first(model: Finder, tmp_path: Path) -> None:
    for name, value in (("black", 0), ("dim", 60), ("half", 128), ("white", 255)):
        Image.new("RGB", (12, 8), (value,) * 3).save(tmp_path / f"{name}.png")
    rows = finish(next_labels(model, tmp_path, 2))
    assert Path(rows[0]["picture"]).stem == "half"
    assert rows[0]["uncertainty"] == pytest.approx(1, abs=1e-3)
    everything = {Path(row["picture"]).stem: row["uncertainty"] for row in finish(next_labels(model, tmp_path, 9))}
    assert everything["black"] == everything["white"] == 0
    assert 0.7 < everything["dim"] < 0.9


def test_a_zip_is_looked_through_as_its_folder_is(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "inside").mkdir(parents=True)
    for name, value in (("black", 0), ("half", 128)):
        Image.new("RGB", (12, 8), (value,) * 3).save(folder / "inside" / f"{name}.png")
    packed = Path(shutil.make_archive(str(tmp_path / "set"), "zip", folder))
    rows = finish(next_labels(Bright(), packed, 2))
    assert [row["picture"] for row in rows] == ["inside/half.png", "inside/black.png"]
    assert rows == [
        {**row, "picture": Path(row["picture"]).relative_to(folder).as_posix()}
        for row in finish(next_labels(Bright(), folder, 2))
    ]


def test_of_pictures_alike_one_is_enough(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Detector(32, 3, 1, backbone="mobilenet").eval()
    rng = torch.Generator().manual_seed(0)
    for at in range(2):
        noise = (torch.rand(32, 32, 3, generator=rng) * 255).byte().numpy()
        Image.fromarray(noise).save(tmp_path / f"noise-{at}.png")
    Image.new("RGB", (32, 32), (200, 30, 20)).save(tmp_path / "red.png")
    first = [Path(row["picture"]).stem for row in finish(next_labels(model, tmp_path, 2))]
    assert "red" in first


def test_damaged_pictures_are_passed_over_and_told(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_text("no picture")
    with pytest.raises(DataError, match="none of its 1 picture can be read"):
        finish(next_labels(Bright(), tmp_path, 2))
    Image.new("RGB", (12, 8), (128,) * 3).save(tmp_path / "half.png")
    with pytest.warns(PictureWarning, match=r"Passed over 1 file: broken\.png"):
        (row,) = finish(next_labels(Bright(), tmp_path, 2))
    assert Path(row["picture"]).stem == "half"
