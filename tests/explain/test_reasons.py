"""Explanations of recognisers: they sum up, they point at what decides, and they depend on what was learned."""

from __future__ import annotations

import pytest
import torch
from captum.attr import IntegratedGradients, LayerGradCam
from toys import SIDE, Seeker, Stubborn, planted

import danqing
from danqing.core.errors import ParameterError
from danqing.core.learned.model import Recogniser
from danqing.core.learned.weights import load
from danqing.core.notes import noted
from danqing.data.digits import digits
from danqing.maths.heat import rank_correlation
from danqing.nets.reasons import ALIKE, PIXELS, Aim, at_once

DRAWS = 30


def digit(count: int) -> torch.Tensor:
    return torch.from_numpy(digits("test")[0][:count]).float().div(255)[:, None]


@pytest.fixture(scope="module")
def net() -> Recogniser:
    return load("digits", kind=Recogniser).eval()


def hottest(picture: torch.Tensor, x: torch.Tensor) -> tuple[int, int]:
    """Where an overlay is most orange: red above blue, beyond what the ground has."""
    warm = (picture[:, 0] - picture[:, 2]).flatten()
    return divmod(int(warm.argmax()), x.shape[3])


@pytest.mark.parametrize("name", ["grad_cam", "integrated_gradients", "occlusion"])
def test_a_planted_patch_is_found(name: str) -> None:
    op, hits = getattr(danqing, name), 0
    values = {"occlusion": {"side": 3}, "grad_cam": {"layer": "seek"}}.get(name, {"ground": "grey"})
    for seed in range(DRAWS):
        x, row, column = planted(seed)
        found = op(x, Seeker(), label="1", **values).picture
        down, across = hottest(found, x)
        hits += max(abs(down - row), abs(across - column)) <= 2
    assert hits >= 0.9 * DRAWS


def test_credits_sum_to_the_change_of_the_score(net: Recogniser) -> None:
    rows = danqing.integrated_gradients(digit(6), net).numbers
    assert all(row["gap"] <= 0.02 for row in rows)
    x = digit(6)
    with torch.no_grad():
        number = [int(row["label"]) for row in rows]
        change = net.logits(x)[range(6), number] - net.logits(torch.zeros_like(x))[range(6), number]
    torch.testing.assert_close(torch.tensor([row["change"] for row in rows]), change, rtol=1e-4, atol=1e-4)


def test_credits_are_those_of_captum(net: Recogniser) -> None:
    from danqing.explain.integrated_gradients import _reasons

    x = digit(1)
    ours = _reasons(net, x, Aim(3), 0.0, 64).found
    theirs = IntegratedGradients(net.logits).attribute(x, target=3, n_steps=64, method="riemann_middle")
    torch.testing.assert_close(ours, theirs.float(), rtol=0, atol=float(ours.abs().max()) * 1e-4)


def test_maps_are_those_of_captum(net: Recogniser) -> None:
    from danqing.explain.grad_cam import _cam

    x = digit(1).requires_grad_()
    theirs = LayerGradCam(net.logits, net.get_submodule("trunk.0")).attribute(x, target=0, relu_attributions=True)
    ours = _cam(net, "trunk.0", x.detach(), Aim(0), averaged=True)
    torch.testing.assert_close(ours, theirs.detach(), rtol=0, atol=float(ours.abs().max()) * 1e-4)


def test_maps_that_are_changed_in_place_are_weighed_as_the_layer_gave_them() -> None:
    class InPlace(Seeker):
        def features(self, x: torch.Tensor) -> torch.Tensor:
            return self.seek(x).relu_().square().sum((2, 3)).sqrt()  # type: ignore[no-any-return]

    x, _, _ = planted(4)
    one, other = (danqing.grad_cam(x, net, label="1", layer="seek").picture for net in (Seeker(), InPlace()))
    assert torch.equal(one, other)


def test_where_the_last_maps_are_averaged_both_methods_are_one() -> None:
    class Mean(Seeker):
        def logits(self, x: torch.Tensor) -> torch.Tensor:
            return self.seek(x).mean((2, 3))  # type: ignore[no-any-return]

    x, _, _ = planted(0)
    one, other = (
        danqing.grad_cam(x, Mean(), label="1", layer="seek", method=method).picture
        for method in ("grad_cam", "hires_cam")
    )
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_random_weights_change_the_map(net: Recogniser) -> None:
    rows = [*danqing.grad_cam(digit(8), net).numbers, *danqing.integrated_gradients(digit(8), net).numbers]
    changed = [row["random"] for row in rows]
    assert sum(each < ALIKE for each in changed) >= 0.75 * len(changed)


def test_a_map_that_does_not_depend_on_the_weights_is_named() -> None:
    notes: list[str] = []
    with noted(notes):
        rows = danqing.integrated_gradients(torch.rand(1, 1, SIDE, SIDE), Stubborn(), label="1").numbers
    assert rows[0]["random"] >= ALIKE
    assert any("random weights" in each for each in notes)


def test_rank_correlation_looks_at_order_alone() -> None:
    x = torch.rand(50, generator=torch.Generator().manual_seed(0))
    assert rank_correlation(x, x.exp()) == pytest.approx(1)
    assert rank_correlation(x, -x) == pytest.approx(-1)
    assert rank_correlation(x, torch.ones(50)) == 0


def test_a_wide_picture_is_explained_in_its_middle_square() -> None:
    x = torch.rand(1, 1, SIDE, 3 * SIDE, generator=torch.Generator().manual_seed(0))
    net = load("digits", kind=Recogniser)
    found = danqing.grad_cam(x, net, layer="trunk.0").picture
    ground = danqing.grad_cam(x, net, layer="trunk.0", label="1").picture
    assert found.shape == (1, 3, SIDE, 3 * SIDE)
    assert torch.equal(found[..., :SIDE], ground[..., :SIDE])


def test_a_very_large_picture_is_looked_at_smaller_and_drawn_whole() -> None:
    x = torch.rand(1, 1, 16, 20_000, generator=torch.Generator().manual_seed(0))
    notes: list[str] = []
    with noted(notes):
        found = danqing.integrated_gradients(x, load("digits", kind=Recogniser), steps=4)
    assert any("looked at in 18102 x 14 px" in each for each in notes)
    assert found.picture.shape == (1, 3, 16, 20_000)


def test_of_large_pictures_few_copies_are_looked_at_together(net: Recogniser) -> None:
    sides = [(1, 1), (28, 28), (512, 512), (1000, 1500), (3000, 4000)]
    empty = [torch.empty(1, 1, *each, device="meta") for each in sides]
    assert [at_once(each, 16) for each in empty] == [16, 16, 16, 2, 1]
    x = torch.rand(1, 1, 1000, 1000, generator=torch.Generator().manual_seed(0))
    assert at_once(x, 16) * x.numel() <= PIXELS
    (row,) = danqing.occlusion(x, net, side=500).numbers
    worst = x.clone()
    worst[..., row["top"] : row["top"] + 500, row["left"] : row["left"] + 500] = x.mean()
    with torch.no_grad():
        number = int(row["label"])
        fall = float(net.logits(x)[0, number] - net.logits(worst)[0, number])
    assert row["fall"] == pytest.approx(fall, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "values", "where"),
    [
        ("grad_cam", {"label": "11"}, "label"),
        ("grad_cam", {"layer": "trunk.99"}, "layer"),
        ("integrated_gradients", {"label": "eleven"}, "label"),
        ("occlusion", {"side": 29}, "side"),
    ],
)
def test_what_there_is_not_is_refused(net: Recogniser, name: str, values: dict[str, object], where: str) -> None:
    with pytest.raises(ParameterError) as caught:
        getattr(danqing, name)(digit(1), net, **values)
    assert caught.value.where == where
