"""Films and reconstructions: they start, end and go on as they should."""

from __future__ import annotations

import pytest
import torch

from danqing.core.errors import ModelFileError, ParameterError
from danqing.models.classifier import Classifier
from danqing.models.stylegan import StyleGAN
from danqing.models.vae import VAE
from danqing.paint.generate import generate
from danqing.paint.interpolate import interpolate
from danqing.paint.morph import morph
from danqing.paint.reconstruct import reconstruct
from danqing.paint.traverse import traverse


@pytest.fixture(scope="module")
def conditional() -> VAE:
    torch.manual_seed(0)
    return VAE(16, 3, classes=3, dim=6, width=4).eval()


@pytest.fixture(scope="module")
def mapped() -> StyleGAN:
    torch.manual_seed(0)
    return StyleGAN(16, 1, latents=8, styles=8, width=4, critic_width=4).eval()


def test_a_walk_passes_through_the_pictures_of_its_seeds(model: VAE) -> None:
    film = interpolate(model, seed=4, to="5, 9,4", frames=31)
    assert film.pictures.shape == (31, 1, 16, 16)
    for frame, seed in ((0, 4), (10, 5), (20, 9), (30, 4)):
        torch.testing.assert_close(film.pictures[frame], generate(model, count=1, seed=seed)[0], rtol=0, atol=1e-5)


def test_a_walk_goes_smoothly(model: VAE) -> None:
    frames = interpolate(model, seed=0, to="1", frames=60).pictures.flatten(1)
    steps = (frames[1:] - frames[:-1]).norm(dim=1)
    whole = float((frames[0] - frames[-1]).norm())
    assert float(steps.max()) < whole / 10
    assert float(steps.min()) > 0


def test_a_walk_keeps_one_class(conditional: VAE) -> None:
    named = interpolate(conditional, seed=2, to="3", frames=5, label="1").pictures
    torch.testing.assert_close(named[-1], generate(conditional, count=1, seed=3, label="1")[0], rtol=0, atol=1e-5)
    drawn = interpolate(conditional, seed=2, to="3", frames=5).pictures
    torch.testing.assert_close(drawn[0], generate(conditional, count=1, seed=2)[0], rtol=0, atol=1e-5)
    still = interpolate(conditional, seed=2, to="3", frames=5, truncation=0.0).pictures
    torch.testing.assert_close(still, still[:1].expand_as(still), rtol=0, atol=1e-5)


@pytest.mark.parametrize("truncation", [0.0, 0.6, 1.0])
def test_walks_are_truncated_as_pictures_are(mapped: StyleGAN, truncation: float) -> None:
    """Where a mapping network makes styles, they are drawn to their mean; the latents stay what they are."""
    picture = generate(mapped, count=1, seed=4, truncation=truncation)
    walk = interpolate(mapped, seed=4, to="5", frames=3, truncation=truncation).pictures
    torch.testing.assert_close(walk[:1], picture, rtol=0, atol=1e-5)
    assert torch.equal(traverse(mapped, seed=4, truncation=truncation), picture)
    assert (float((walk[0] - walk[-1]).abs().max()) < 1e-5) == (truncation == 0)


@pytest.mark.parametrize("to", ["", "a", "1,,2", "-1", "1.5", str(2**63)])
def test_a_walk_refuses_what_are_no_seeds(model: VAE, to: str) -> None:
    with pytest.raises(ParameterError) as caught:
        interpolate(model, to=to)
    assert caught.value.where == "to"


def test_a_walk_refuses_wrong_labels_and_lengths(model: VAE, conditional: VAE) -> None:
    with pytest.raises(ParameterError, match="unconditional"):
        interpolate(model, label="1")
    with pytest.raises(ParameterError, match="It knows 0, 1, 2"):
        interpolate(conditional, label="all")
    with pytest.raises(ParameterError):
        interpolate(model, frames=1)


def test_reconstructions_are_the_models_and_do_not_meet(conditional: VAE, astronaut: torch.Tensor) -> None:
    pair = torch.cat([astronaut[..., :200, :300], astronaut[..., 200:400, 100:400]])
    found = reconstruct(pair, conditional)
    assert found.shape == (2, 3, 16, 16)
    assert torch.equal(found[1:], reconstruct(pair[1:], conditional))
    with torch.no_grad():
        torch.testing.assert_close(found, conditional.reconstruct(pair), rtol=0, atol=1e-5)


@pytest.mark.parametrize("classes", [0, 3])
def test_a_morph_goes_from_one_reconstruction_to_the_other(
    model: VAE, conditional: VAE, classes: int, astronaut: torch.Tensor, chelsea: torch.Tensor
) -> None:
    vae = conditional if classes else model
    film = morph(astronaut, chelsea, vae, frames=9)
    torch.testing.assert_close(film.pictures[:1], reconstruct(astronaut, vae), rtol=0, atol=1e-5)
    torch.testing.assert_close(film.pictures[-1:], reconstruct(chelsea, vae), rtol=0, atol=1e-5)
    two = morph(torch.cat([astronaut, astronaut.flip(3)]), chelsea, vae, frames=9)
    assert torch.equal(two.pictures[:9], film.pictures)
    assert two.pictures.shape[0] == 18


def test_a_morph_refuses_pictures_that_do_not_pair(model: VAE, astronaut: torch.Tensor) -> None:
    three, two = astronaut.expand(3, -1, -1, -1), astronaut.expand(2, -1, -1, -1)
    with pytest.raises(ParameterError, match="paired"):
        morph(three, two, model)
    with pytest.raises(ModelFileError, match="is a classifier, not a generator, vae or codec"):
        morph(astronaut, astronaut, Classifier(16, 1, 2, width=4))
