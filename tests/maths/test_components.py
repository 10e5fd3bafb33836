"""Pieces of what a net marks: specks are passed over before they cost anything."""

from __future__ import annotations

import torch

from danqing.maths.components import pieces_of, things_in_planes


def specks_and_a_square(side: int = 200) -> torch.Tensor:
    mask = torch.zeros(side, side, dtype=torch.bool)
    mask[::4, ::4] = True
    mask[36:84, 56:124] = False
    mask[40:80, 60:120] = True
    return mask


def test_parts_that_are_too_small_are_left_out() -> None:
    mask = specks_and_a_square()
    (piece,) = pieces_of(mask, least=40)
    assert int(piece.sum()) == 40 * 60
    assert sum(int(each.sum()) for each in pieces_of(mask)) == int(mask.sum())
    assert pieces_of(torch.zeros(5, 5, dtype=torch.bool)) == []


def test_specks_are_no_things() -> None:
    mask = specks_and_a_square()
    (thing,) = things_in_planes(torch.stack([(~mask).float(), mask.float()]), ["square"], mask.shape)
    assert thing.box == (60, 40, 120, 80)
