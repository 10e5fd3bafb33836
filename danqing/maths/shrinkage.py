"""A first estimate of what lies under white noise: cosine coefficients that do not exceed the noise are dropped."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images
from danqing.maths.bases import cosine, plane
from danqing.maths.borders import mirrored
from danqing.maths.colour import from_opponent, to_opponent
from danqing.maths.full_precision import full_precision

SIDE = 8  # px of a block
STEP = 2  # px from one block to the next
THRESHOLD = 2.7  # standard deviations that a coefficient must exceed
FAINT = 1e-6  # noise that counts as none
CELLS = SIDE // STEP  # steps across a block
BLOCKS = 8192  # worked on together
REACH = SIDE + STEP - 1  # px: a pixel is in blocks that begin so far away at most


@full_precision
def shrunk(x: Images, sigma: Tensor) -> Images:
    """Filter the blocks at every second place in both directions, and average them where they overlap.

    The fewer coefficients a block keeps, the less noise it holds, and the more it counts. In colour, brightness and two
    differences of colour are filtered apart.

    Args:
        x: pictures (B, C, H, W), C 1 or 3.
        sigma: standard deviation of the noise in each, (B,), in image units; 0 changes nothing.

    Returns:
        Pictures of the same size, not clipped.

    Source: G. Yu, G. Sapiro, "DCT image denoising: a simple and effective image denoising algorithm", 2011; the weights
    are those of K. Dabov et al., "Image denoising by sparse 3-D transform-domain collaborative filtering", 2007, eq.
    10.
    """
    height, width = x.shape[-2:]
    scale = sigma.to(x).view(-1, 1, 1, 1)
    colours = (to_opponent(x) if x.shape[1] == 3 else x) / scale.clamp(min=FAINT)
    framed = mirrored(colours, (SIDE, SIDE + height % STEP, SIDE, SIDE + width % STEP))
    phases = functional.pixel_unshuffle(framed.flatten(0, 1)[:, None], STEP).transpose(0, 1).contiguous()
    clean = functional.pixel_shuffle(_filtered(phases).transpose(0, 1), STEP)[:, 0]
    clean = clean[:, SIDE : SIDE + height, SIDE : SIDE + width].reshape(colours.shape) * scale
    return torch.where(scale > FAINT, from_opponent(clean) if x.shape[1] == 3 else clean, x)


def _filtered(phases: Tensor) -> Tensor:
    """Filter planes under noise of strength 1, parted into phases (STEP², N, H, W), band by band.

    What is computed on the way stays near the processor.
    """
    rows, columns = _places(phases)
    count = phases.shape[1]
    total, weights = torch.zeros_like(phases), phases.new_empty(count, rows, columns)
    basis = plane(cosine(SIDE)).to(phases)
    band = max(1, BLOCKS // (count * columns))
    for top in range(0, rows, band):
        inside = slice(top, min(top + band, rows) + CELLS - 1)
        blocks = _blocks(phases[:, :, inside])
        coefficients = basis.expand(len(blocks), -1, -1) @ blocks
        mean = coefficients[:, 0].clone()
        functional.hardshrink(coefficients, THRESHOLD, out=coefficients)
        coefficients[:, 0] = mean
        weight = coefficients.sign().square_().sum(1).clamp_(min=1).reciprocal_()  # of as many as are kept
        coefficients *= weight[:, None]
        torch.bmm(basis.T.expand(len(blocks), -1, -1), coefficients, out=blocks)
        _overlay(total[:, :, inside], blocks)
        weights[:, top : top + band] = weight.view(-1, count, columns).transpose(0, 1)
    spread = functional.pad(weights, (CELLS - 1,) * 4)
    return total / functional.avg_pool2d(spread, CELLS, 1, divisor_override=1).clamp_(min=1e-12)


def _blocks(phases: Tensor) -> Tensor:
    """All blocks of pictures that are parted into phases (STEP², N, H, W), line by line: (rows · N, SIDE², columns)."""
    rows, columns = _places(phases)
    phase, picture, row, column = phases.stride()
    sides = (rows, phases.shape[1], CELLS, STEP, CELLS, STEP, columns)
    steps = (row, picture, row, STEP * phase, column, phase, column)
    return phases.as_strided(sides, steps, phases.storage_offset()).reshape(-1, SIDE**2, columns)


def _overlay(total: Tensor, blocks: Tensor) -> None:
    """Add blocks to sums that are parted into phases, where they lie."""
    rows, columns = _places(total)
    cells = total.unflatten(0, (STEP, STEP))
    parted = blocks.view(rows, total.shape[1], CELLS, STEP, CELLS, STEP, columns)
    for y in range(CELLS):
        for x in range(CELLS):
            cells[..., y : y + rows, x : x + columns] += parted[:, :, y, :, x].permute(2, 3, 1, 0, 4)


def _places(phases: Tensor) -> tuple[int, int]:
    """How many blocks fit in both directions."""
    height, width = phases.shape[-2:]
    return height - CELLS + 1, width - CELLS + 1
