"""The layers' short way against torch's own layers."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from danqing.core.learned.manner import multiplies_tiles
from danqing.nets.convolution import (
    WIDE,
    WIDER,
    Down,
    FreeUp,
    Same,
    Spread,
    Up,
    join_phases,
    short_way,
    split_phases,
)


@pytest.mark.parametrize("layer", [Down, FreeUp, Spread])
@pytest.mark.parametrize("size", [2, 4, 7, 8, 14, 16])
def test_layers_are_torchs(layer, size):
    torch.manual_seed(0)
    net, x = layer(24, 20), torch.randn(3, 24, size, size)
    ours = net(x)
    theirs = (nn.Conv2d if layer is Down else nn.ConvTranspose2d).forward(net, x)
    theirs = theirs[:, :, 1:-2, 1:-2] if layer is Spread else theirs
    assert ours.shape[-1] == {Down: size // 2, FreeUp: 2 * size, Spread: size}[layer]
    torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=1e-3)


@pytest.mark.parametrize("channels", [8, WIDE, WIDER])
def test_same_is_torchs_whether_it_learns_or_not(channels):
    torch.manual_seed(0)
    net, x = Same(channels, channels), torch.randn(2, channels, 9, 14)
    theirs = nn.Conv2d.forward(net, x)
    for ours in (net(x), torch.no_grad()(net)(x)):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("channels", [8, WIDE, WIDER])
def test_up_is_torchs_whether_it_learns_or_not(channels):
    torch.manual_seed(0)
    net, x = Up(channels, channels), torch.randn(2, channels, 9, 14)
    theirs = nn.Conv2d.forward(net, F.interpolate(x, scale_factor=2, mode="bilinear"))
    for ours in (net(x), torch.no_grad()(net)(x)):
        assert ours.shape == (2, channels, 18, 28)
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


def test_up_leaves_what_is_even_even():
    """Away from the border, where zeros come in; a free doubling tells even pixels from odd ones."""
    torch.manual_seed(0)
    even = torch.randn(1, 24, 1, 1).expand(1, 24, 8, 8)
    smooth, free = (layer(24, 20)(even)[..., 2:-2, 2:-2] for layer in (Up, FreeUp))
    assert smooth.std((2, 3)).max() < 1e-5
    assert free.std((2, 3)).min() > 1e-2


def test_state_is_torchs():
    theirs = nn.ConvTranspose2d(24, 20, 4, stride=2, padding=1)
    FreeUp(24, 20).load_state_dict(theirs.state_dict())


@pytest.mark.parametrize("layer", [Down, FreeUp, Up, Spread])
@pytest.mark.parametrize("size", [4, 7, 12])
def test_half_precision_gives_half_precision(layer, size):
    torch.manual_seed(0)
    net, x = layer(16, 16), torch.randn(2, 16, size, size)
    with torch.autocast("cpu", torch.bfloat16):
        half = net(x)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), net(x), atol=0.05, rtol=0.05)


def test_in_half_precision_few_multiplications_must_be_few_indeed():
    """They are float32's, so that what comes out is rounded once, and gradients are float32's own."""
    torch.manual_seed(0)
    net, x = Spread(16, 16), torch.randn(2, 16, 7, 7).bfloat16().requires_grad_()
    seven, (here, there) = (28 / 10) ** 2, ((14 / 8) ** 2, (8 / 5) ** 2)
    with torch.autocast("cpu", torch.bfloat16):
        assert short_way(x, 10, 16, seven) != multiplies_tiles()
        assert not short_way(x, 8, 16, here)
        assert not short_way(x, 5, 16, there)
        made = net(x)
    whole = net(x.float())
    if not multiplies_tiles():
        assert torch.equal(made, whole.bfloat16())
    ours, theirs = (torch.autograd.grad(each.float().square().sum(), net.weight)[0] for each in (made, whole))
    torch.testing.assert_close(ours, theirs, rtol=0.02, atol=0.02 * float(theirs.abs().max()))


def test_phases_are_the_even_and_odd_rows_and_columns():
    x = torch.arange(2 * 3 * 4 * 6.0).view(2, 3, 4, 6)
    parted = split_phases(x)
    torch.testing.assert_close(parted[:, 3 * 2 : 3 * 3], x[:, :, 1::2, 0::2])
    assert torch.equal(join_phases(parted), x)
