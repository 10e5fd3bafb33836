"""Translating: as far as it is asked for, at any size and scale, in tiles as in one, in any kind of file."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from torch.nn import functional as F

import danqing
from danqing.core.errors import ParameterError
from danqing.core.learned.weights import save
from danqing.faces.cli import cli
from danqing.maths.pyramid import resized
from danqing.models.cyclegan import CycleGAN
from danqing.models.pix2pix import Pix2Pix
from danqing.models.vae import VAE


@pytest.fixture(scope="module")
def net():
    """What has learned nothing, but paints both ways something else than it sees."""
    torch.manual_seed(0)
    net = CycleGAN(size=16, width=16, critic_width=8).eval()
    for painter in net.painter:
        torch.nn.init.normal_(painter.tail.weight, std=0.1)
    return net


@pytest.fixture
def x():
    return torch.rand(2, 3, 24, 33, generator=torch.Generator().manual_seed(1))


def typed(*words, code=0):
    """What a command line says."""
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.output


def test_strength_is_how_far_it_goes(net, x):
    made = danqing.translate(x, net)
    assert not torch.equal(made, x)
    assert torch.equal(danqing.translate(x, net, strength=0.0), x)
    torch.testing.assert_close(danqing.translate(x, net, strength=0.5), (x + made) / 2)
    torch.testing.assert_close(danqing.translate(x, net, strength=2.0), (2 * made - x).clamp(0, 1))
    assert not torch.equal(danqing.translate(x, net, back=True), made)


def test_a_picture_does_not_depend_on_its_company(net, x):
    assert torch.equal(danqing.translate(x[:1], net), danqing.translate(x, net)[:1])


def test_at_a_larger_scale_a_smaller_picture_is_painted_and_enlarged(net, x):
    small = danqing.translate(resized(x, [12, 16]), net)
    enlarged = F.interpolate(small, x.shape[2:], mode="bicubic", align_corners=False).clamp(0, 1)
    torch.testing.assert_close(danqing.translate(x, net, scale=2.0), enlarged)
    large = danqing.translate(x, net, scale=0.5)
    assert large.shape == x.shape
    assert not torch.equal(large, danqing.translate(x, net))


@pytest.mark.parametrize("sides", [(1, 1), (1, 40), (3, 2)])
@pytest.mark.parametrize("scale", [0.25, 1.0, 4.0])
def test_the_smallest_pictures_are_translated_too(net, sides, scale):
    made = danqing.translate(torch.rand(1, 1, *sides), net, scale=scale)
    assert made.shape == (1, 3, *sides)
    assert made.isfinite().all()


def test_large_pictures_are_painted_in_tiles_without_a_seam(net, monkeypatch):
    x = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(1)).repeat(1, 1, 8, 15)
    whole = danqing.translate(x, net)
    for place in ("danqing.paint.translate", "danqing.core.operators.tiles"):
        monkeypatch.setattr(f"{place}.TILE", 96)
    torch.testing.assert_close(danqing.translate(x, net), whole, rtol=0, atol=0.1 / 255)


def test_files_keep_what_they_have_beside_colours(net, tmp_path):
    """Transparency, sixteen bits, and the recipe by which they are made again."""
    weights = save(net, tmp_path / "net.safetensors")
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (20, 30, 4), np.uint8)
    pixels[..., 3] = 255 * (np.arange(30) < 15)
    Image.fromarray(pixels).save(tmp_path / "clear.png")
    Image.fromarray(rng.integers(0, 65536, (20, 30), np.uint16)).save(tmp_path / "deep.png")
    for name in ("clear", "deep"):
        made = tmp_path / f"{name}-made.png"
        typed("translate", tmp_path / f"{name}.png", "--weights", weights, "--out", made)
        again = tmp_path / f"{name}-again.png"
        typed("replay", made, "--out", again)
        assert torch.equal(danqing.read(again).pixels, danqing.read(made).pixels)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "clear-made.png"))[..., 3], pixels[..., 3])
    assert danqing.read(tmp_path / "deep-made.png").depth == 16


def test_other_weights_are_refused(x, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "x.png")
    other = save(VAE(16, 1, dim=6, width=4), tmp_path / "vae.safetensors")
    told = typed("translate", tmp_path / "x.png", "--weights", other, "--out", tmp_path / "y.png", code=2)
    assert "vae.safetensors" in told
    assert "is a vae, not a pix2pix or cyclegan" in told
    assert not (tmp_path / "y.png").exists()
    with pytest.raises(ParameterError, match="one way only"):
        danqing.translate(x, Pix2Pix(size=16, width=16).eval(), back=True)
