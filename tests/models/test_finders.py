"""Detector, segmenter and keypoints learn what is where, on pictures whose truth is known to the pixel."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from danqing.core.errors import ParameterError
from danqing.core.learned.finder import Finder
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import load, save
from danqing.maths.boxes import overlaps
from danqing.models.detector import Detector
from danqing.models.keypoints import Keypoints
from danqing.models.segmenter import Segmenter, dice_loss
from danqing.training.freezing import freeze, rates_of
from danqing.training.step import Stepper
from tests.models.things import NAMES, POINTS, SIDE, batch_of

KINDS = (Detector, Segmenter, Keypoints)
HELD_OUT = batch_of(24, seed=10**6)


def made(kind: type[Finder], **more: Any) -> Finder:
    torch.manual_seed(0)
    points = {"points": list(POINTS)} if "points" in inspect.signature(kind.__init__).parameters else {}
    model = kind(**{"size": SIDE, "channels": 3, "classes": 2, "backbone": "mobilenet", **points, **more})
    model.card = {"classes": list(NAMES)}
    return model


def learned(kind: type[Finder], steps: int, **more: Any) -> Finder:
    model = made(kind, **more).to(memory_format=torch.channels_last).train()
    factors = rates_of(model, model.rates)
    stepper, rng = Stepper(model, model.optimiser, "fp32", factors=factors), torch.Generator().manual_seed(0)
    for step in range(steps):
        stepper.step(batch_of(8, step), rng, min(1.0, 2 * (1 - step / steps)))
    return model.eval()


@pytest.fixture(scope="module")
def detector() -> Finder:
    return learned(Detector, 50)


@pytest.fixture(scope="module")
def segmenter() -> Finder:
    return learned(Segmenter, 25)


def test_a_detector_finds_things_that_it_never_saw(detector: Finder) -> None:
    """Boxes of the right class that overlap by half; a detector that says nothing, or one class for all, has less."""
    assert -detector.score(HELD_OUT)["-AP50"] > 0.5


def test_a_segmenter_knows_the_pixels_of_things_that_it_never_saw(segmenter: Finder) -> None:
    """By chance it would be a half of a half: discs and squares are told apart, and their edges are met."""
    assert -segmenter.score(HELD_OUT)["-mIoU"] > 0.75


@pytest.mark.slow
def test_keypoints_are_found_on_the_right_things() -> None:
    assert -learned(Keypoints, 300).score(HELD_OUT)["-PCK"] > 0.75


def test_what_is_found_lies_in_the_picture_at_its_own_size(detector: Finder, segmenter: Finder) -> None:
    """A picture twice as wide, of which the lower part is cut off: boxes and masks are in its pixels."""
    large = functional.interpolate(HELD_OUT.x[:4], scale_factor=2, mode="nearest")[..., : 2 * SIDE - 30, :]
    for model in (detector, segmenter):
        found = model.find(large, 0.3)
        assert all((each.width, each.height) == (2 * SIDE, 2 * SIDE - 30) for each in found)
        things = [thing for each in found for thing in each.things]
        assert things
        for thing in things:
            left, top, right, bottom = thing.box
            assert 0 <= left < right <= 2 * SIDE
            assert 0 <= top < bottom <= 2 * SIDE - 30
            assert thing.mask is None or thing.mask.shape == (2 * SIDE - 30, 2 * SIDE)


def test_a_picture_is_looked_at_alike_at_any_enlargement(detector: Finder) -> None:
    """Each pixel doubled, the net sees almost the same, but for a blur by half a pixel: boxes are twice as large."""
    small = detector.find(HELD_OUT.x[:8], 0.5)
    large = detector.find(functional.interpolate(HELD_OUT.x[:8], scale_factor=2, mode="nearest"), 0.3)
    pairs = [(thing, other) for one, other in zip(small, large, strict=True) for thing in one.things]
    assert len(pairs) >= 6
    for thing, other in pairs:
        alike = torch.tensor([each.box for each in other.things if each.label == thing.label])
        assert float(overlaps(2 * torch.tensor([thing.box]), alike).max()) > 0.6


def test_the_masks_of_a_segmenter_are_pieces_that_hang_together(segmenter: Finder) -> None:
    for found in segmenter.find(HELD_OUT.x[:6], 0.0):
        for thing in found.things:
            assert thing.mask is not None
            rows, columns = thing.mask.nonzero(as_tuple=True)
            box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
            assert thing.box == box


@pytest.mark.parametrize("backbone", ["mobilenet", "lite0"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_receives_gradient(kind: type[Finder], backbone: str) -> None:
    """From pictures with large and small things, so that every level has something to find."""
    model = made(kind, backbone=backbone).train()
    batch = batch_of(4, seed=3, side=256, empty=0.0)
    ((_, loss),) = model.losses(batch, torch.Generator())
    loss.backward()
    without = [name for name, weight in model.named_parameters() if weight.grad is None]
    assert not without
    assert loss.isfinite()


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_trunk_stays_as_it_is_and_the_rest_learns(kind: type[Finder]) -> None:
    model = made(kind).train()
    frozen = freeze(model, "trunk")
    assert 0 < len(frozen) < len(list(model.parameters()))
    before = {name: each.clone() for name, each in model.state_dict().items()}
    Stepper(model, model.optimiser, "fp32", frozen=frozen).step(batch_of(4, 1), torch.Generator())
    moved = {name for name, each in model.state_dict().items() if not torch.equal(each, before[name])}
    assert moved
    assert not any(name.startswith("trunk.") for name in moved)


@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_is_the_mean_over_equal_shares_of_a_batch(kind: type[Finder]) -> None:
    """So that many processes learn as one; sums of 32-bit floats in another order differ by some 1e-6 of the whole."""
    model, whole = made(kind).eval(), batch_of(4, 2)
    losses = [
        float(next(model.losses(part, torch.Generator()))[1].detach())
        for part in (whole, whole.map(lambda each: each[:2]), whole.map(lambda each: each[2:]))
    ]
    assert losses[0] == pytest.approx((losses[1] + losses[2]) / 2, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_without_anything_are_learned_from_and_score_nothing(kind: type[Finder]) -> None:
    model, batch = made(kind).train(), batch_of(3, 0, empty=2.0)
    ((_, loss),) = model.losses(batch, torch.Generator())
    assert loss.isfinite()
    assert model.eval().score(batch) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_without_labels_and_models_without_classes_are_refused(kind: type[Finder]) -> None:
    with pytest.raises(ParameterError, match="learns from pictures"):
        next(made(kind).losses(Samples(HELD_OUT.x[:2]), torch.Generator()))
    with pytest.raises(ParameterError, match="no classes"):
        made(kind, classes=0)


def test_keypoints_need_names() -> None:
    with pytest.raises(ParameterError, match="no named points"):
        made(Keypoints, points=[])


@pytest.mark.parametrize("kind", KINDS)
def test_grey_pictures_and_files(kind: type[Finder], tmp_path: Path) -> None:
    """A grey model takes pictures in colour, too; from its file it finds the same."""
    model = made(kind, channels=1).eval()
    save(model, tmp_path / "model.safetensors", classes=list(NAMES))
    again = load(tmp_path / "model.safetensors", kind=kind)
    assert list(again.names) == list(NAMES)
    for one, other in zip(model.find(HELD_OUT.x[:2], 0.0, 5), again.find(HELD_OUT.x[:2], 0.0, 5), strict=True):
        assert [each._replace(mask=None) for each in one.things] == [each._replace(mask=None) for each in other.things]


def test_dice_is_that_of_its_formula() -> None:
    """Of 4 pixels that are said and 2 that are there, 2 in common: 1 - (2 × 2 + 1) / (4 + 2 + 1)."""
    said, there = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    said[..., 0, :], there[..., 0, :2] = 1, 1
    assert float(dice_loss(said, there)) == pytest.approx(1 - 5 / 7)
    assert float(dice_loss(there, there)) == pytest.approx(0)
