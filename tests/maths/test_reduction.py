"""What is seen in reduced pictures lies where it was."""

from __future__ import annotations

import torch

from danqing.maths.reduction import in_reduced


def test_pictures_of_a_known_size_are_seen_as_they_are() -> None:
    x = torch.rand(2, 3, 5, 7)
    assert in_reduced(x, 1.0, lambda small: small, "nearest") is x
    assert in_reduced(x, 0.5, lambda small: small, "nearest") is x


def test_whole_reductions_are_means_and_come_back_to_their_places() -> None:
    x, seen = torch.rand(1, 1, 8, 12), []
    made = in_reduced(x, 4.0, lambda small: seen.append(small.shape) or small, "nearest")  # type: ignore[func-returns-value]
    assert seen == [(1, 1, 2, 3)]
    assert torch.allclose(made[0, 0, :4, 4:8], x[0, 0, :4, 4:8].mean().expand(4, 4))


def test_even_pictures_stay_even_and_no_side_vanishes() -> None:
    for mode in ("nearest", "bilinear"):
        made = in_reduced(torch.full((1, 1, 2, 50), 0.3), 9.0, lambda small: small, mode)  # type: ignore[arg-type]
        assert made.shape == (1, 1, 2, 50)
        assert torch.allclose(made, torch.tensor(0.3))
