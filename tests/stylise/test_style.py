"""Styles: nearer to the painting, still the photograph, where asked, as strongly as asked; and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from skimage import data
from torch import Tensor

import danqing
from danqing.core.errors import DanqingError, ModelFileError, ParameterError, PictureError
from danqing.core.notes import noted
from danqing.core.pictures.films import frames
from danqing.core.uses import noting_uses
from danqing.maths.moments import moments
from danqing.maths.pyramid import resized
from danqing.nets import neural_style as neural
from danqing.nets.style_features import style_distance, style_features

SIDE = 72  # px


def picture(pixels: object, side: int = SIDE) -> Tensor:
    x = torch.as_tensor(pixels)[None, :, :, :3].permute(0, 3, 1, 2).float() / 255
    return torch.nn.functional.interpolate(x, (side, side), mode="bilinear", antialias=True)


@pytest.fixture(scope="module")
def photo() -> Tensor:
    return picture(data.chelsea())


@pytest.fixture(scope="module")
def painting() -> Tensor:
    """Something with a look of its own: cells, in violet and white."""
    return picture(data.immunohistochemistry())


def away(x: Tensor, painting: Tensor) -> float:
    features = style_features()
    with torch.no_grad():
        return float(style_distance(features.style(x), features.style(painting)))


def alike(x: Tensor, y: Tensor) -> float:
    features = style_features()
    with torch.no_grad():
        return float(torch.cosine_similarity(features.content(x).flatten(), features.content(y).flatten(), dim=0))


def test_neural_style_comes_near_to_the_painting_and_stays_the_photograph(photo: Tensor, painting: Tensor) -> None:
    made = danqing.neural_style(photo, style=painting, steps=20)
    assert away(made, painting) < 0.7 * away(photo, painting)
    assert alike(made, photo) > alike(painting, photo) + 0.1


def test_a_painting_is_known_again_wherever_it_is_moved(painting: Tensor) -> None:
    """It has the rim that pictures have: what is seen at an edge is otherwise painted along the edges of a picture."""
    features, small = style_features(), resized(painting, [48, 64])
    corners = [[0, 3], [5, 0], [3, 7], [6, 5], [1, 4], [4, 2]]
    with torch.no_grad():
        ((_, _, wanted),) = neural._wanted([neural.Model(small)], features, 1.0, False, corners)
        for corner in ((2, 6), (7, 1)):
            seen = features.style(neural._moved(small, *corner))
            bare = style_distance(seen, features.style(small), rooted=True)
            assert style_distance(seen, wanted, rooted=True) < 0.75 * bare


def test_more_strength_is_nearer_and_none_is_the_photograph(photo: Tensor, painting: Tensor) -> None:
    weak, strong = (danqing.neural_style(photo, style=painting, steps=10, strength=each) for each in (0.05, 2.0))
    assert away(strong, painting) < away(weak, painting)
    assert danqing.neural_style(photo, style=painting, strength=0.0).equal(photo)


def test_the_finest_colours_stay_calm(photo: Tensor, painting: Tensor) -> None:
    """Colours of neighbours differ no more than if the colours alone had been made smaller and larger again."""
    made = danqing.neural_style(photo, style=painting, steps=10)
    chroma = made - made.mean(1, keepdim=True)
    noise = (chroma[..., 1:] - chroma[..., :-1]).abs().mean()
    brightness = made.mean(1, keepdim=True)
    assert noise < (brightness[..., 1:] - brightness[..., :-1]).abs().mean()


def test_a_mask_says_where(photo: Tensor, painting: Tensor) -> None:
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[..., : SIDE // 2] = 1
    for made in (
        danqing.neural_style(photo, style=painting, mask=mask, steps=2),
        danqing.patch_style(photo, style=painting, mask=mask, steps=2),
        danqing.style_model(photo, style=painting, mask=mask),
    ):
        assert made[..., SIDE // 2 :].equal(photo[..., SIDE // 2 :])
        assert not torch.allclose(made[..., : SIDE // 2], photo[..., : SIDE // 2], atol=1 / 255)


def test_two_paintings_share_the_picture(photo: Tensor, painting: Tensor) -> None:
    grass = picture(data.rocket())
    left = torch.zeros(1, 1, SIDE, SIDE)
    left[..., : SIDE // 2] = 1
    made = danqing.style_model(photo, style=painting, style2=grass, mask=left, mask2=1 - left)
    one, other = (danqing.style_model(photo, style=each) for each in (painting, grass))
    torch.testing.assert_close(made[..., : SIDE // 2], one[..., : SIDE // 2], rtol=0, atol=1e-4)
    torch.testing.assert_close(made[..., SIDE // 2 :], other[..., SIDE // 2 :], rtol=0, atol=1e-4)
    mixed = danqing.style_model(photo, style=painting, style2=grass, strength=(1.0, 0.0))
    torch.testing.assert_close(mixed, one, rtol=0, atol=1e-5)


def test_the_photographs_colours_can_be_kept(photo: Tensor, painting: Tensor) -> None:
    for operator in (danqing.patch_style, danqing.style_model):
        own, theirs = (operator(photo, style=painting, colours=each) for each in ("photograph", "painting"))
        mean = photo.mean((2, 3))
        assert (own.mean((2, 3)) - mean).abs().max() < (theirs.mean((2, 3)) - mean).abs().max() / 3


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grey_photograph_that_keeps_its_colours_stays_grey(channels: int, photo: Tensor, painting: Tensor) -> None:
    grey, where = photo.mean(1, keepdim=True).expand(-1, channels, -1, -1), torch.zeros(1, 1, SIDE, SIDE)
    where[..., SIDE // 3 :] = 1
    for operator, more in ((danqing.patch_style, {}), (danqing.style_model, {}), (danqing.neural_style, {"steps": 2})):
        made = operator(grey, style=painting, colours="photograph", mask=where, **more)
        assert made.shape == (1, 3, SIDE, SIDE)
        assert bool((made == made[:, :1]).all())


def test_patches_come_from_the_painting(photo: Tensor, painting: Tensor) -> None:
    """Their colours are the painting's: quantiles of every colour lie within a few steps of 255."""
    made = danqing.patch_style(photo, style=painting)
    shares = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9])
    found, wanted = (each.flatten(2)[0].quantile(shares, dim=1) for each in (made, painting))
    before = photo.flatten(2)[0].quantile(shares, dim=1)
    assert (found - wanted).abs().mean() < (before - wanted).abs().mean() / 3


def test_tiles_make_no_seam(photo: Tensor, painting: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    from danqing.core.operators import tiles

    large = picture(data.chelsea(), 400)
    whole = danqing.style_model(large, style=painting)
    monkeypatch.setattr(tiles.local, "__defaults__", (96,))
    monkeypatch.setattr("danqing.stylise.style_model.TILE", 96)
    torch.testing.assert_close(danqing.style_model(large, style=painting), whole, rtol=0, atol=1 / 255)


def test_the_net_is_in_the_recipe(photo: Tensor, painting: Tensor) -> None:
    uses: dict[str, dict[str, str]] = {}
    with noting_uses(uses):
        danqing.neural_style(photo, style=painting, steps=1)
    assert "mobilenet-v2" in uses


def test_it_works_where_nobody_wants_gradients(photo: Tensor, painting: Tensor) -> None:
    with torch.no_grad():
        assert not danqing.neural_style(photo, style=painting, steps=2).requires_grad


@pytest.mark.parametrize("name", ["neural_style", "style_model", "patch_style"])
def test_what_is_no_painting_is_refused(name: str, photo: Tensor, painting: Tensor) -> None:
    operator = getattr(danqing, name)
    with pytest.raises(ParameterError, match="too small to have a style: 1 x 1 px"):
        operator(photo, style=painting[..., :1, :1])
    with pytest.raises(ParameterError, match="marks nothing"):
        operator(photo, style=painting, mask=torch.zeros(1, 1, SIDE, SIDE))
    grey = operator(photo, style=painting[:, :1], **({} if name == "style_model" else {"steps": 1}))
    assert grey.shape == photo.shape


def test_numbers_and_masks_without_a_painting_are_refused(photo: Tensor, painting: Tensor) -> None:
    with pytest.raises(ParameterError, match="3 numbers do not pair up with 1 painting"):
        danqing.style_model(photo, style=painting, strength="1,1,1")
    with pytest.raises(ParameterError, match="a painting goes that is not given"):
        danqing.style_model(photo, style=painting, mask2=torch.ones(1, 1, SIDE, SIDE))


def test_another_backbone_is_a_file_or_a_known_name(photo: Tensor, painting: Tensor, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read as weights"):
        danqing.neural_style(photo, style=painting, backbone="resnet")
    (tmp_path / "vgg.pth").write_bytes(b"nothing")
    with pytest.raises(ModelFileError):
        danqing.neural_style(photo, style=painting, backbone=str(tmp_path / "vgg.pth"))
    first = {"features.0.weight": torch.zeros(64, 3, 3, 3)}
    wrong = {"features.0.weight": torch.zeros(3)}, {**first, "features.0.bias": torch.zeros(3)}, {**first}, [1], 3
    for content in (*wrong, {"features.0.weight": 1, "features.0.bias": 2}):
        torch.save(content, tmp_path / "vgg.pth")
        with pytest.raises(ModelFileError, match="holds no VGG16"):
            danqing.neural_style(photo, style=painting, backbone=str(tmp_path / "vgg.pth"))
    made = danqing.neural_style(photo[..., :40, :40], style=painting, backbone="efficientnet-lite0", steps=1)
    assert made.shape == (1, 3, 40, 40)


def test_a_strength_of_nothing_leaves_a_large_photograph_as_it_is_and_says_nothing_else(painting: Tensor) -> None:
    x, notes = torch.rand(1, 1, 1400, 1600), list[str]()
    with noted(notes):
        made = danqing.neural_style(x, style=painting, strength=(0.0,))
    assert torch.equal(made, x.expand(-1, 3, -1, -1))
    assert not notes


def test_gram_matrices_are_as_gatys_has_them() -> None:
    maps = torch.rand(1, 4, 5, 6)
    flat = maps.flatten(2)[0]
    torch.testing.assert_close(moments(maps, centred=False).spread[0], flat @ flat.T / 30)
    torch.testing.assert_close(moments(maps).spread[0], torch.cov(flat, correction=0))
    half = torch.zeros(1, 1, 5, 6)
    half[..., :3] = 1
    torch.testing.assert_close(moments(maps, half).spread[0], moments(maps[..., :3]).spread[0])


def film(folder: Path, count: int = 4) -> Path:
    from PIL import Image

    frames = [
        Image.fromarray(data.coffee()[40 + 2 * at : 120 + 2 * at, 60 + 3 * at : 180 + 3 * at]) for at in range(count)
    ]
    frames[0].save(folder / "film.gif", save_all=True, append_images=frames[1:], duration=80)
    return folder / "film.gif"


def test_a_film_flickers_less_when_frames_follow_each_other(tmp_path: Path, painting: Tensor) -> None:
    figures = []
    for steady in (0.0, 0.7):
        made = danqing.style_film(film(tmp_path), style=painting, steady=steady)
        assert made.pictures.shape == (4, 3, 80, 120)
        assert made.rate == pytest.approx(12.5)
        figures.append(made.told())
    assert figures[1]["flicker"] < figures[0]["flicker"] / 2
    assert figures[0]["flicker_of_the_film"] == figures[1]["flicker_of_the_film"]


@pytest.mark.parametrize("method", ["model", "neural"])
def test_no_strength_leaves_a_film_as_it_is(method: str, tmp_path: Path, painting: Tensor) -> None:
    """Neither a painting nor the frame before is mixed in."""
    made = danqing.style_film(film(tmp_path), style=painting, strength=0, method=method)
    given = torch.cat([each.pixels for each in frames(tmp_path / "film.gif")])
    assert torch.equal(made.pictures, given)


def test_a_film_is_painted_stroke_by_stroke(tmp_path: Path, painting: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("danqing.stylise.style_film.STEPS", 4)
    made = danqing.style_film(film(tmp_path, 2), style=painting, method="neural")
    assert made.pictures.shape == (2, 3, 80, 120)


def test_a_folder_of_films_is_told_what_to_do(tmp_path: Path, painting: Tensor) -> None:
    with pytest.raises(PictureError, match="painted one at a time") as told:
        danqing.style_film(tmp_path, style=painting)
    assert f"for film in {tmp_path}/*" in str(told.value)


def test_a_film_of_one_frame_and_none_at_all(tmp_path: Path, painting: Tensor) -> None:
    with pytest.warns(UserWarning, match="single frame"):
        made = danqing.style_film(film(tmp_path, 1), style=painting)
    assert made.pictures.shape[0] == 1
    assert not made.told()
    (tmp_path / "empty.mp4").write_bytes(b"\0\0\0\x18ftypisom")
    with pytest.raises(PictureError):
        danqing.style_film(tmp_path / "empty.mp4", style=painting)
    with pytest.raises(DanqingError):
        danqing.style_film(tmp_path / "nothing.mp4", style=painting)
