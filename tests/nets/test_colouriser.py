"""The net that guesses colours."""

import pytest
import torch
from torch import Generator

from danqing.maths.colour import luma
from danqing.nets.colouriser import LOOK, Colouriser
from danqing.nets.efficientnet_lite import shared_lite0


def net() -> Colouriser:
    torch.manual_seed(0)
    made = Colouriser(16)
    torch.nn.init.normal_(made.paint.weight, std=0.05)
    return made


def grey(height: int, width: int, count: int = 1) -> torch.Tensor:
    return torch.rand(count, 1, height, width, generator=Generator().manual_seed(3)).expand(-1, 3, -1, -1)


def test_at_first_nothing_is_added():
    x = grey(48, 64)
    assert torch.equal(Colouriser(16)(x, x[:, :1] * 0), torch.zeros_like(x))


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (3, 50), (70, 3), (33, 47), (LOOK, 2 * LOOK), (LOOK + 70, LOOK + 9)]
)
def test_any_size_takes_colours_that_leave_the_brightness(height: int, width: int):
    x = grey(height, width)
    with torch.no_grad():
        colours = net()(x, torch.zeros_like(x[:, :1]))
    assert colours.shape == x.shape
    assert colours.abs().max() > 0
    torch.testing.assert_close(luma(colours), torch.zeros_like(x[:, :1]), atol=1e-5, rtol=0)


def test_colours_that_are_told_are_seen_where_they_are_told():
    x = grey(2 * LOOK, 2 * LOOK)
    mask = torch.zeros_like(x[:, :1])
    mask[..., :64, :64] = 1
    red = x + mask * torch.tensor([0.3, -0.1, 0.0]).view(1, 3, 1, 1)
    made = net()
    with torch.no_grad():
        plain, told = made(x, torch.zeros_like(mask)), made(red, mask)
        beside = (told - plain)[..., -64:, -64:]
        there = (told - plain)[..., :64, :64]
    assert there.abs().mean() > 4 * beside.abs().mean()


def test_what_is_hidden_while_learning_comes_from_the_generator():
    x, made = grey(64, 64), net()
    mask = torch.zeros_like(x[:, :1])
    first, second, other = (made(x, mask, Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert not torch.equal(first, made(x, mask))


def test_only_what_learns_is_saved_and_stepped():
    made = net()
    assert sum(each.numel() for each in made.parameters()) < 100_000
    assert set(made.state_dict()) == {name for name, _ in made.named_parameters()}


def test_a_net_that_was_used_first_can_learn_afterwards():
    shared_lite0.cache_clear()
    x, made = grey(64, 64), net()
    mask = torch.zeros_like(x[:, :1])
    with torch.inference_mode():
        made(x, mask)
    made(x, mask, Generator().manual_seed(0)).square().sum().backward()
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in made.parameters())


def test_looks_that_disagree_leave_grey_and_say_so():
    x, made = grey(64, 64), net()
    mask = torch.zeros_like(x[:, :1])
    with torch.no_grad():
        guess, sure = made.guess(x, mask), made(x, mask)
    assert torch.equal(guess.colours, made.guess(x, mask).colours.detach())
    assert 0 <= float(guess.unknown) <= 1
    assert guess.colours.abs().mean() < sure.abs().mean()
    still = Colouriser(16).guess(x, mask)  # paints nothing: it hesitates nowhere
    assert float(still.unknown) == 0
    assert still.colours.abs().max() == 0


def test_a_hint_is_believed():
    x = torch.full((1, 3, 40, 60), 0.5)
    mask = torch.zeros_like(x[:, :1])
    mask[..., 18:22, 28:32] = 1
    red = x + mask * torch.tensor([0.3, -0.09, 0.0]).view(1, 3, 1, 1)
    with torch.no_grad():
        colours = Colouriser(16).guess(red, mask).colours
    wanted = (red - luma(red))[..., 18:22, 28:32]
    torch.testing.assert_close(colours[..., 18:22, 28:32], wanted, atol=0.01, rtol=0)
    assert colours[0, 0, 20, 50] > 0.05
