"""The stylist: learns a painting's look, its colours calm, every weight learning; and what it does with paintings."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import torch
from PIL import Image
from skimage import data
from torch import Tensor

from danqing.core.errors import DataError
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import load, load_tensors, save, save_tensors
from danqing.models.stylist import Stylist, code_of, gallery
from danqing.nets.style_features import style_features

SIDE = 64


@pytest.fixture(scope="module")
def paintings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paintings")
    Image.fromarray(data.immunohistochemistry()[:200, :200]).save(folder / "cells.png")
    return folder


def photographs() -> Tensor:
    x = torch.from_numpy(data.chelsea()[60 : 60 + 2 * SIDE, 100 : 100 + 2 * SIDE].copy()).permute(2, 0, 1).float() / 255
    return x.unfold(1, SIDE, SIDE).unfold(2, SIDE, SIDE).permute(1, 2, 0, 3, 4).reshape(-1, 3, SIDE, SIDE)


@pytest.mark.slow
def test_it_learns_the_look_of_a_painting(paintings: Path) -> None:
    """On one painting and four squares it comes nearer to the painting than colours alone do; what is seen stays."""
    torch.manual_seed(0)
    model = Stylist(SIDE, str(paintings), "tiny")
    x, rng = photographs(), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    before = model.score(Samples(x))["style_learned"]
    for _ in range(75):
        for _, loss in model.losses(Samples(x), rng):
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    after = model.score(Samples(x))
    assert after["style_learned"] < 0.96 * before
    assert after["content_learned"] < 0.5


def test_every_weight_learns(paintings: Path) -> None:
    model = Stylist(SIDE, str(paintings), "tiny")
    for _, loss in model.losses(Samples(photographs()), torch.Generator().manual_seed(0)):
        loss.backward()
    assert [name for name, each in model.named_parameters() if each.grad is None or not each.grad.any()] == []


def test_colours_have_no_detail_of_one_pixel() -> None:
    """Whatever the net paints, it adds colours at half the size: what it adds to chroma is smooth."""
    model = Stylist(SIDE, net="tiny")
    x = torch.full((1, 3, SIDE, SIDE), 0.5)
    with torch.no_grad():
        model.brush.tail.weight.normal_(std=0.3, generator=torch.Generator().manual_seed(0))
        made = model.brush(x, torch.rand(1, model.code(x).shape[1]))
    chroma = made - made.mean(1, keepdim=True)
    pairs = torch.nn.functional.avg_pool2d(chroma, 2)
    smooth = torch.nn.functional.interpolate(pairs, scale_factor=2, mode="bilinear", align_corners=False)
    assert (chroma - smooth).square().mean() < chroma.square().mean() / 2


def test_a_code_is_means_and_deviations() -> None:
    x = photographs()[:1]
    style, code = style_features().style(x), Stylist(SIDE, net="tiny").code(x)
    torch.testing.assert_close(code, code_of(style))
    torch.testing.assert_close(code[0, :3], x.mean((2, 3))[0])
    assert code.shape == (1, 2 * sum(each.mean.shape[1] for each in style))


def test_one_painting_in_five_is_held_out(tmp_path: Path) -> None:
    for at in range(12):
        Image.new("RGB", (32, 32), (20 * at, 0, 0)).save(tmp_path / f"painting {at}.png")
    found = gallery(str(tmp_path))
    held = {at for at in range(12) if int(hashlib.sha256(f"painting {at}".encode()).hexdigest(), 16) % 5 == 0}
    assert {round(int(each[0, 0, 0]) / 20) for each in found.held_out} == held
    assert len(found.learned) == 12 - len(held)


def test_paintings_are_looked_at_as_they_are_seen_and_as_they_are_now(tmp_path: Path) -> None:
    """What lies under transparency is nobody's colour, and a folder is read anew when it has changed."""
    file = tmp_path / "painting 1.png"
    for hidden in ((0, 255, 0, 0), (9, 9, 9, 0)):
        Image.new("RGBA", (32, 32), hidden).save(file)
        (seen,) = gallery(str(tmp_path)).learned
        assert bool((seen == 255).all())
    Image.new("RGBA", (32, 32), (9, 9, 9, 255)).save(file)
    os.utime(file, (0, 0))
    assert bool((gallery(str(tmp_path)).learned[0] == 9).all())


def test_a_folder_without_paintings_is_refused(tmp_path: Path) -> None:
    model = Stylist(SIDE, str(tmp_path), "tiny")
    with pytest.raises(DataError, match="holds no paintings"):
        next(model.losses(Samples(photographs()), torch.Generator()))


def test_it_comes_back_from_its_file_without_its_paintings(tmp_path: Path) -> None:
    model = Stylist(SIDE, str(tmp_path / "gone"), "tiny").eval()
    again = load(save(model, tmp_path / "mine.safetensors"), kind=Stylist)
    x = photographs()[:1]
    assert again.paint(x, again.code(x)).equal(model.paint(x, model.code(x)))


def test_what_lies_far_away_is_not_seen() -> None:
    """Its reach is true: evened alike, a change of one pixel changes nothing farther away."""
    model = Stylist(SIDE, net="tiny").eval()
    x = torch.rand(1, 3, 40, 480, generator=torch.Generator().manual_seed(0))
    changed = x.clone()
    changed[..., 20, 240] = 1 - changed[..., 20, 240]
    code = model.code(x)
    with torch.no_grad():
        model.brush.tail.weight.mul_(30)
    even = model.evenness(x, code)
    apart = (model.paint(x, code, even) - model.paint(changed, code, even)).abs().amax((0, 1, 2))
    seen = apart.nonzero()[:, 0]
    assert apart.max() > 0
    assert max(240 - int(seen.min()), int(seen.max()) - 240) <= model.reach


def test_a_picture_is_evened_by_what_it_is_as_a_whole() -> None:
    """A small one by all of it; of a large one nine parts tell the same, as long as it is alike everywhere."""
    model = Stylist(SIDE, net="tiny").eval()
    x = torch.rand(1, 3, 72, 64, generator=torch.Generator().manual_seed(0))
    code = model.code(x)
    assert model.paint(x, code, model.evenness(x, code)).equal(model.paint(x, code))
    large = x.repeat(1, 1, 8, 9)
    whole, parts = model.brush.evenness(large, code), model.evenness(large, code)
    for mine, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(mine.deviation, other.deviation, rtol=0.1, atol=0.01)


def test_one_from_before_evens_places(tmp_path: Path) -> None:
    old = Stylist(SIDE, net="tiny", norm="places").eval()
    file = save(old, tmp_path / "old.safetensors")
    card, tensors = load_tensors(file)
    del card["config"]["norm"]
    again = load(save_tensors(tensors, tmp_path / "older.safetensors", card), kind=Stylist)
    x = photographs()[:1]
    code = old.code(x)
    assert old.evenness(x, code) == []
    assert again.paint(x, code).equal(old.paint(x, code))
