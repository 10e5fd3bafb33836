"""What a mask marks; and holes in pictures, drawn at random until they cover the asked share.

Strokes, boxes, text and scratches are masks (B, 1, H, W), 1 in the holes, with ``share`` of the pixels rounded to whole
ones; the last mark is cut.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from danqing.core.errors import ParameterError
from danqing.core.notes import note
from danqing.core.pictures.contract import Mask

HERE = 0.5  # above it, a mask says "here"
MOST = 0.9  # share; beyond, random marks need very long to find what is left
Canvas = NDArray[np.uint8]
Random = np.random.Generator
LETTERS = list(string.ascii_letters + string.digits)


def marked_by(mask: Mask, name: str = "mask") -> Tensor:
    """Where masks say "here" (above one half), (B, H, W), bool; an empty one, or a full one, is worth a note.

    Raises:
        ParameterError: for a mask that is not empty, and yet says "here" nowhere: one of zeros and ones in a picture
            of 0 to 255, or strokes in a dark colour.
    """
    marked = mask[:, 0] > HERE
    for each, there in zip(mask, marked, strict=True):
        brightest = float(each.max())
        if 0 < brightest <= HERE:
            what = (
                f"marks nothing: its brightest value is {255 * brightest:.3g} of 255, and only what is above 127 marks"
            )
            remedy = "Multiply its values by 255" if 255 * brightest < 1.5 else "Paint in white what is meant"
            raise ParameterError(what, where=name, remedy=remedy)
        if not brightest:
            note(f"the {name} is empty: it marks nothing")
        elif bool(there.all()):
            note(f"the {name} is full: it marks everything")
    return marked


def free_form(count: int, height: int, width: int, share: float | Tensor, rng: Generator) -> Mask:
    """Paint brush strokes that turn as they go.

    Args:
        count: of masks.
        height: in px.
        width: in px.
        share: covered, 0…0.9, one for all or (B,).
        rng: draws the strokes.

    Source: J. Yu et al., "Free-form image inpainting with gated convolution", 2019, algorithm 1; sizes in shares of the
        shorter side.
    """
    return _covered(_strokes, count, height, width, share, rng)


def boxes(count: int, height: int, width: int, share: float | Tensor, rng: Generator) -> Mask:
    """Cut upright rectangles; arguments as of :func:`free_form`.

    Source: danqing: sides of 1/10 to 1/3 of the picture's.
    """
    return _covered(_boxes, count, height, width, share, rng)


def text_mask(count: int, height: int, width: int, share: float | Tensor, rng: Generator) -> Mask:
    """Write paragraphs of random letters over the picture; arguments as of :func:`free_form`.

    Source: danqing, in the font that comes with Pillow (Aileron), letters 1/25 to 1/8 of the shorter side high.
    """
    return _covered(_paragraphs, count, height, width, share, rng)


def scratch_lines(count: int, height: int, width: int, share: float | Tensor, rng: Generator) -> Mask:
    """Scratch thin wavering lines, mostly along the height, as on old film; arguments as of :func:`free_form`.

    Source: danqing: 1/3 to all of the height long, 1 px wide or up to 1/200 of the shorter side.
    """
    return _covered(_scratches, count, height, width, share, rng)


def _covered(
    marks: Callable[[Canvas, Random], Iterator[Any]],
    count: int,
    height: int,
    width: int,
    share: float | Tensor,
    rng: Generator,
) -> Mask:
    """Let ``marks`` draw on canvases, until each is covered as far as asked.

    Raises:
        ParameterError: for a share outside 0…0.9.
    """
    shares = torch.as_tensor(share, dtype=torch.float64).expand(count).tolist()
    if not all(0 <= each <= MOST for each in shares):
        raise ParameterError(f"must be in 0…{MOST:g}", where="share")
    seeds = torch.randint(2**62, (count,), generator=rng, device=rng.device).tolist()
    masks = np.zeros((count, 1, height, width), np.uint8)
    for canvas, each, seed in zip(masks[:, 0], shares, seeds, strict=True):
        _cover(canvas, round(each * canvas.size), marks(canvas, np.random.default_rng(seed)))
    return torch.from_numpy(masks).float()


def _cover(canvas: Canvas, wanted: int, drawing: Iterator[Any]) -> None:
    """Draw marks until ``wanted`` pixels are 1; of the last mark, only so many are kept."""
    before, covered = canvas.copy(), 0
    while covered < wanted:
        next(drawing)
        now = int(np.count_nonzero(canvas))
        if now > wanted:
            fresh = np.flatnonzero(canvas > before)
            canvas.flat[fresh[wanted - covered :]] = 0
            return
        if now > covered:
            np.copyto(before, canvas)
            covered = now


def _strokes(canvas: Canvas, random: Random) -> Iterator[None]:
    import cv2

    height, width = canvas.shape
    side = min(height, width)
    while True:
        thickness = max(1, round(side * random.uniform(0.03, 0.12)))
        place = random.uniform(0, (width, height))
        heading = random.uniform(0, 2 * np.pi)
        for _ in range(random.integers(1, 6)):
            heading += random.uniform(-1, 1) * np.pi / 2
            there = place + side * random.uniform(0.08, 0.3) * np.array([np.cos(heading), np.sin(heading)])
            cv2.line(canvas, _pixel(place), _pixel(there), 1, thickness)  # its ends are round
            place = np.clip(there, 0, (width, height))
            yield


def _boxes(canvas: Canvas, random: Random) -> Iterator[None]:
    while True:
        tall, wide = (max(1, round(side * random.uniform(0.1, 0.33))) for side in canvas.shape)
        top, left = (random.integers(1 - part, side) for part, side in zip((tall, wide), canvas.shape, strict=True))
        canvas[max(top, 0) : top + tall, max(left, 0) : left + wide] = 1
        yield


def _paragraphs(canvas: Canvas, random: Random) -> Iterator[None]:
    height, width = canvas.shape
    while True:
        size = max(7, round(min(height, width) * random.uniform(0.04, 0.125)))
        text = _text(size)
        left, top = random.integers(-2 * size, width), random.integers(-size, height)
        for line in range(random.integers(1, 5)):
            start = random.integers(text.shape[1])
            for across in range(left, width, 6 * size):  # a piece of the line at a time
                piece = text[:, (start + across - left + np.arange(6 * size)) % text.shape[1]]
                _stamp(canvas, piece, top + round(1.2 * size * line), across)
                yield


def _scratches(canvas: Canvas, random: Random) -> Iterator[None]:
    import cv2

    height, width = canvas.shape
    while True:
        thickness = max(1, round(min(height, width) * random.uniform(0, 1 / 200)))
        length = height * random.uniform(0.33, 1)
        down = np.linspace(0, length, max(2, int(length / 8))) + random.uniform(-length / 2, height - length / 2)
        slope = random.normal(0, 0.15)
        wander = np.cumsum(random.normal(0, 0.6, down.size))
        across = random.uniform(0, width) + slope * (down - down[0]) + wander
        line = np.stack([across, down], 1)
        turned = line[:, ::-1] * (width / height, height / width) if random.random() < 0.1 else line
        cv2.polylines(canvas, [np.round(turned).astype(np.int32)], False, 1, thickness)
        yield


def _pixel(place: NDArray[np.float64]) -> tuple[int, int]:
    return int(place[0]), int(place[1])


@functools.lru_cache(32)
def _text(size: int) -> Canvas:
    """A long line of words that mean nothing, as 0 and 1 (H', W')."""
    from PIL import Image, ImageDraw, ImageFont

    random = np.random.default_rng(0)
    words = " ".join("".join(random.choice(LETTERS, random.integers(2, 9))) for _ in range(40))
    font = ImageFont.load_default(size)
    _, _, right, bottom = font.getbbox(words)
    picture = Image.new("1", (int(right) + size // 3, int(bottom)))
    ImageDraw.Draw(picture).text((0, 0), words, 1, font)
    return np.asarray(picture, np.uint8)


def _stamp(canvas: Canvas, mark: Canvas, top: int, left: int) -> None:
    """Add a mark whose corner may lie outside."""
    up, back = max(-top, 0), max(-left, 0)
    under = canvas[max(top, 0) : max(top + mark.shape[0], 0), max(left, 0) : max(left + mark.shape[1], 0)]
    under |= mark[up : up + under.shape[0], back : back + under.shape[1]]
