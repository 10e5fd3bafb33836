"""What restorers learn from: patches, views, other colours."""

import torch
from torch import Generator

from danqing.maths.colour import luma
from danqing.maths.variation import CHOICE, CHOSEN, RECOLOURED, detailed, partly_grey, patches, recoloured, views


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def pictures(count: int = 4, side: int = 24) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=seeded(7))


def test_patches_are_cut_out_of_the_pictures():
    x = pictures()
    found = patches(x, 8, seeded())
    assert found.shape == (4, 3, 8, 8)
    for patch, picture in zip(found, x, strict=True):
        assert torch.isin(patch, picture).all()
    assert torch.equal(found, patches(x, 8, seeded()))
    assert not torch.equal(found, patches(x, 8, seeded(1)))


def test_patches_are_turned_and_mirrored_in_all_eight_ways():
    x = torch.arange(9.0).view(1, 1, 3, 3).expand(200, 3, -1, -1)
    assert len({tuple(each[0].flatten().tolist()) for each in patches(x, 3, seeded())}) == 8


def test_most_patches_are_rich_in_detail():
    rng = seeded(3)
    plain = torch.full((300, 3, 12, 12), 0.5)
    rich = torch.rand(100, 3, 12, 12, generator=rng)
    found = detailed(torch.cat([plain, rich]), 8, seeded())
    assert found.shape == (400, 3, 8, 8)
    share = float((found.std((1, 2, 3)) > 0.1).double().mean())
    one_of_four_is_rich = 1 - 0.75**CHOICE
    assert abs(share - (CHOSEN * one_of_four_is_rich + (1 - CHOSEN) / 4)) < 0.07
    assert torch.equal(found, detailed(torch.cat([plain, rich]), 8, seeded()))


def test_views_show_more_or_less_of_a_picture_upright():
    ramp = torch.linspace(0, 1, 64).view(1, 1, 64, 1).expand(60, 3, 64, 64)  # dark above
    found = views(ramp, 16, seeded())
    assert found.shape == (60, 3, 16, 16)
    heights = found[:, 0, -1, 0] - found[:, 0, 0, 0]
    assert heights.min() > 0.2
    assert heights.max() > 0.7
    assert torch.equal(views(ramp, 16, seeded()), found)


def test_a_view_of_the_whole_picture_is_the_picture_or_its_mirror():
    x = pictures(20, 16)
    found = views(x, 16, seeded())
    plain = (found == x).flatten(1).all(1)
    mirrored = (found == x.flip(3)).flatten(1).all(1)
    assert (plain ^ mirrored).all()
    assert plain.any()
    assert mirrored.any()


def test_some_pictures_take_other_colours():
    x = pictures(1000, 4)
    found = recoloured(x, seeded())
    assert found.min() >= 0
    assert found.max() <= 1
    changed = (found != x).flatten(1).any(1)
    assert abs(changed.double().mean() - RECOLOURED) < 0.05


def test_other_colours_part_edges_from_brightness():
    edge = torch.zeros(500, 3, 4, 4)
    edge[..., 2:] = 0.6
    found = recoloured(edge, seeded())
    steps = (found[..., 3] - found[..., 0]).mean(2)
    assert (steps.amax(1) - steps.amin(1) > 0.2).double().mean() > RECOLOURED / 2
    assert (steps.prod(1) < 0).any()  # one channel rises where another falls


def test_those_chosen_are_grey_and_the_others_as_they_were():
    x = pictures(2)
    found = partly_grey(x, torch.tensor([True, False]))
    assert torch.equal(found[:1], luma(x[:1]).expand(-1, 3, -1, -1))
    assert torch.equal(found[1:], x[1:])


def test_what_the_processor_draws_meets_pictures_on_any_device():
    x = pictures().to("meta")
    assert partly_grey(x, torch.rand(4) < 0.5).device == x.device
    assert recoloured(x, seeded()).device == x.device
    assert patches(x, 8, seeded()).device == x.device
