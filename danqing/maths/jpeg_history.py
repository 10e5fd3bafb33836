"""What JPEG compression left in pixels: where its blocks lie, and which table of steps explains the coefficients."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from danqing.core.pictures.contract import Images

SIDE = 8
MOST = 1024  # blocks that are looked at
ROUNDING = 0.3  # standard deviation that rounding to whole levels leaves on a coefficient
STRAY = 0.02  # share of coefficients that something else has moved
CERTAIN = 0.09  # gain in likelihood, nats a coefficient, from which a table is believed
FEWEST = 4  # coefficients besides the means of blocks that must tell: plain blocks are multiples of some step by chance
CUT = 0.5 / 255  # within this of 0 or 1 a value is cut off
AT_ONCE = 2**13  # blocks times steps that are compared together
LARGEST = 255  # step of quantisation
TABLE = (  # of luminance, ITU-T T.81, table K.1
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip


def history(x: Images, seen: Tensor | None = None) -> tuple[list[dict[str, Any]], Tensor]:
    """Tell each picture's ``quality`` (None if there is no trace), ``certainty``, ``grid`` and ``blockiness``.

    Args:
        x: pictures (B, C, H, W) in [0, 1], not resized since they were compressed.
        seen: which pixels count (B, H, W), bool; all, if it is not given.

    Returns:
        What was found of each picture, and a map (B, H, W) in [0, 1] of the steps at block borders.

    Source: Z. Fan, R. de Queiroz, "Identification of bitmap compression history: JPEG detection and quantizer
    estimation", 2003; tables scaled as by the Independent JPEG Group.
    """
    light = 255 * _luma(x).cpu().double()
    cut = ((x <= CUT) | (x >= 1 - CUT)).any(1).cpu()
    there = torch.ones_like(cut) if seen is None else seen.cpu()
    found = [_found(*each) for each in zip(light, cut | ~there, there, strict=True)]
    maps = [_blocks_drawn(plane, *told["grid"]) for plane, told in zip(light, found, strict=True)]
    return found, torch.stack(maps)


def _luma(x: Images) -> Tensor:
    """The Y (B, H, W) of JFIF files."""
    return x[:, 0] if x.shape[1] == 1 else torch.tensordot(x, torch.tensor([0.299, 0.587, 0.114]).to(x), ([1], [0]))


def _found(light: Tensor, cut: Tensor, seen: Tensor) -> dict[str, Any]:
    """What is said of one picture (H, W) on the 0–255 scale; ``cut`` marks pixels that tell nothing of coefficients."""
    (column, across), (row, down) = _phase(_jumps(light), _told(seen)), _phase(_jumps(light.T), _told(seen.T))
    quality, certainty, grid = None, 0.0, (column, row)
    for begin in {(0, 0), (column, row)}:
        likely, gain = _most_likely(_coefficients(light, cut, *begin))
        if gain > max(CERTAIN, certainty):
            quality, certainty, grid = likely, gain, begin
    return {"quality": quality, "certainty": certainty, "grid": list(grid), "blockiness": (across + down) / 2}


def _jumps(plane: Tensor) -> Tensor:
    """How much larger the step to the next column is than the steps beside it, (H, W - 3); the first is from 1 to 2."""
    steps = plane.diff(dim=1).abs()
    return steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2 if plane.shape[1] > 3 else steps[:, :0]


def _told(seen: Tensor) -> Tensor:
    """Of which jumps (H, W - 3) all four pixels are seen."""
    return seen[:, :-3] & seen[:, 1:-2] & seen[:, 2:-1] & seen[:, 3:] if seen.shape[1] > 3 else seen[:, :0]


def _phase(jumps: Tensor, told: Tensor) -> tuple[int, float]:
    """Where along a row the blocks begin (0…7), and how much larger steps are there than elsewhere, in levels."""
    if jumps.shape[1] < 2 * SIDE:
        return 0, 0.0
    sums, counts = (jumps * told).sum(0), told.sum(0)
    places = [slice((start - 2) % SIDE, None, SIDE) for start in range(SIDE)]
    phases = torch.stack([sums[place].sum() / counts[place].sum().clamp(min=1) for place in places])
    best = int(phases.argmax())
    others = torch.cat([phases[:best], phases[best + 1 :]])
    return best, max(0.0, float(phases[best] - others.mean()))


def _coefficients(light: Tensor, cut: Tensor, column: int, row: int) -> Tensor:
    """Cosine coefficients (N, 64) of blocks of the grid in which no pixel is cut off at black or white.

    Blocks that are equal, of an even ground, count once: all of them may be a multiple of a step by chance.
    """
    blocks, broken = (_blocks(plane[row:, column:]) for plane in (light, cut))
    whole = blocks[~broken.any(2).any(1)]
    rank = torch.linspace(0, len(whole) - 1, min(len(whole), MOST), dtype=torch.float64).round().long()
    at = torch.arange(SIDE, dtype=torch.float64)
    basis = torch.cos(math.pi * (at + 0.5) * at[:, None] / SIDE) * math.sqrt(2 / SIDE)
    basis[0] /= math.sqrt(2)
    different: Tensor = torch.unique(whole[rank], dim=0)  # type: ignore[no-untyped-call]
    return (basis @ (different - 128) @ basis.T).flatten(1).float()


def _blocks(plane: Tensor) -> Tensor:
    rows, columns = plane.shape[0] // SIDE, plane.shape[1] // SIDE
    whole = plane[: rows * SIDE, : columns * SIDE]
    return whole.reshape(rows, SIDE, columns, SIDE).transpose(1, 2).flatten(0, 1)


def _most_likely(coefficients: Tensor) -> tuple[int, float]:
    """The quality whose steps explain the coefficients (N, 64) best, and by how much better than no steps do."""
    if not len(coefficients):
        return 100, 0.0
    together = max(1, AT_ONCE // len(coefficients))
    parts = [_gain(coefficients, steps) for steps in torch.arange(1, LARGEST + 1).split(together)]
    gains, counts = (torch.cat(each) for each in zip(*parts, strict=True))
    frequency = torch.arange(SIDE**2)
    tables = torch.stack([_table(quality) for quality in range(1, 101)]) - 1  # rows of gains
    gain = gains[tables, frequency].sum(1)
    best = int(gain.argmax())
    told = counts[tables[best], frequency]
    return best + 1, float(gain[best] / told.sum()) if told[1:].sum() >= FEWEST else 0.0


def _gain(coefficients: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    """How much likelier coefficients (N, 64) are as rounded multiples of a step than as any numbers.

    Those that the step makes 0 say nothing: without any step they would be about 0 as well.

    Args:
        coefficients: of the blocks.
        steps: (S,), whole numbers.

    Returns:
        Nats, and the number of coefficients that say them, each (S, 64) float64.
    """
    step = steps.view(-1, 1, 1).float()
    multiple = (coefficients / step).round()
    away = coefficients - step * multiple
    near = torch.exp(-(away**2) / (2 * ROUNDING**2))
    if int(steps[0]) < 4:  # the next multiples are near as well
        for turn in (-1, 1):
            near += torch.exp(-((away + turn * step) ** 2) / (2 * ROUNDING**2))
    likelier = (1 - STRAY) * step * near / (ROUNDING * math.sqrt(2 * math.pi)) + STRAY
    told = multiple != 0
    return (likelier.log() * told).sum(1).double(), told.sum(1).double()


def _table(quality: int) -> Tensor:
    """The steps (64,) of luminance at a quality, as libjpeg makes them."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return ((torch.tensor(TABLE).flatten() * scale + 50) // 100).clamp(1, LARGEST)


def _blocks_drawn(plane: Tensor, column: int, row: int) -> Tensor:
    """The steps at block borders (H, W) that stand out from those beside them; 1 is 16 levels."""
    shown = torch.zeros_like(plane)
    for picture, jumps, start in ((shown, _jumps(plane), column), (shown.T, _jumps(plane.T), row)):
        first = (start - 2) % SIDE
        if jumps.shape[1] > first:
            borders = picture[:, 2:-1][:, first::SIDE]
            borders.copy_(torch.maximum(borders, jumps[:, first::SIDE].clamp(min=0)))
    return (shown / 16).clamp(max=1)
