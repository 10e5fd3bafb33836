"""Painting for a slider: no more is painted than is looked at, and it is the picture that would be made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from danqing.core.learned.manner import live
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import CHUNK, PAINT, coded_by_chunks, paint_chunk, painted_by_chunks
from danqing.models.dcgan import DCGAN


@pytest.fixture
def rows() -> Iterator[list[int]]:
    """How many latents each chunk held that was painted."""
    seen: list[int] = []

    def counted(model: Painter, z: Tensor, y: Tensor | None, wanted: int) -> Tensor:
        seen.append(len(z))
        return paint_chunk(model, z, y, wanted)

    token = PAINT.set(counted)
    yield seen
    PAINT.reset(token)


@pytest.mark.parametrize("count", [1, CHUNK + 1])
def test_what_is_looked_at_is_painted_and_no_more(count: int, rows: list[int]) -> None:
    torch.manual_seed(0)
    model = DCGAN(16, 3, 3, latents=6, width=8, critic_width=8).eval().requires_grad_(False)
    z, codes = torch.randn(2 * CHUNK, 6), model.codes(torch.randn(count, 6), torch.arange(count) % 3)

    def all_of() -> tuple[Tensor, Tensor]:
        painted = torch.cat(list(painted_by_chunks(model, count, lambda at: z[at], lambda at: at % 3)))
        return painted, torch.cat(list(coded_by_chunks(model, count, lambda at: codes[at])))

    truth = all_of()
    assert rows == [CHUNK] * len(rows)
    rows.clear()
    with live():
        found = all_of()
    assert sum(rows) == count
    for one, other in zip(found, truth, strict=True):
        assert one.shape == other.shape == (count, 3, 16, 16)
        torch.testing.assert_close(one, other, rtol=0, atol=0.5 / 255)  # nobody sees less than half a step of 8 bits
