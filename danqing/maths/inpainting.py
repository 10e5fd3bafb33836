"""Fill holes in pictures: from their rims, by a smooth surface, or by what looks like the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator

from danqing.core.errors import ParameterError
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress
from danqing.maths.exemplar import exemplar
from danqing.maths.membrane import halved

Plane = np.ndarray[Any, np.dtype[Any]]
CELL = 512  # px; holes whose middles lie in one cell of this size are filled together
MARGIN = 64  # px around holes that patches are taken from, or SEARCH times their depth
SEARCH = 3
LEVELS = 65535  # that OpenCV fills with; what is known is never rounded
SOLVED = 30_000  # pixels of a biharmonic surface that are solved for at once; more, from coarse to fine
BELT = 4  # px along the rim where a surface found at half the size is solved for again


class Holes(NamedTuple):
    """Holes that are filled together: where they and their surroundings lie, and which pixels are theirs."""

    rows: slice
    columns: slice
    own: Plane


def filled(x: Images, holes: torch.Tensor, method: str, radius: int, seed: int) -> Job[Images]:
    """Fill holes in pictures.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        holes: (B, H, W), bool.
        method: exemplar, telea, navier-stokes or biharmonic.
        radius: how far known pixels are looked at, or how far a patch reaches, in pixels.
        seed: of the random guesses of exemplar.

    Returns:
        A job with pictures of the same size; known pixels are unchanged.

    Raises:
        ParameterError: if a hole is the whole picture.

    Source: those of the methods; holes far from each other are filled one by one, danqing.
    """
    something_is_known(holes)
    out, total, done = x.clone(), int(holes.sum()), 0
    for picture, hole in zip(out, holes.cpu().numpy().copy(), strict=True):
        for group in _groups(hole, method, radius):
            place = group.rows, group.columns
            pixels = picture[:, *place].permute(1, 2, 0).cpu().numpy().astype(np.float32)
            size, rng = int(group.own.sum()), np.random.default_rng(seed)
            job = _FILLERS[method](pixels, hole[place], radius, rng)
            new = yield from _shared(job, done, size, total)
            mended = torch.from_numpy(np.where(group.own[..., None], new, pixels)).permute(2, 0, 1)
            picture[:, *place] = mended.to(x)
            hole[place] &= ~group.own
            done += size
    return out


def _shared(job: Job[Plane], done: int, size: int, total: int) -> Job[Plane]:
    """Show the progress in some holes as part of the whole."""
    while True:
        try:
            part = next(job)
        except StopIteration as end:
            return np.asarray(end.value)
        yield Progress(done + size * part.done / part.total, total, part.words)


def _groups(hole: Plane, method: str, radius: int) -> Iterator[Holes]:
    """Holes with what is around them, those that lie near each other together."""
    import cv2

    count, labels, boxes, middles = cv2.connectedComponentsWithStats(hole.astype(np.uint8), connectivity=8)
    cells = (middles // CELL).astype(int)
    cells[0] = -1  # what is known
    for cell in np.unique(cells[1:], axis=0) if count > 1 else ():
        theirs = (cells == cell).all(1)
        left, top = boxes[theirs, :2].min(0)
        right, bottom = (boxes[theirs, :2] + boxes[theirs, 2:4]).max(0)
        margin = _margin(theirs[labels[top:bottom, left:right]], method, radius)
        while True:
            rows = slice(max(top - margin, 0), min(bottom + margin, hole.shape[0]))
            columns = slice(max(left - margin, 0), min(right + margin, hole.shape[1]))
            if not hole[rows, columns].all():
                break
            margin *= 2
        yield Holes(rows, columns, theirs[labels[rows, columns]])


def _margin(own: Plane, method: str, radius: int) -> int:
    """How many pixels around holes their filling looks at."""
    import cv2

    if method != "exemplar":
        return 2 * radius + 2 * BELT
    deepest = cv2.distanceTransform(np.pad(own, 1).astype(np.uint8), cv2.DIST_C, 3).max()
    return max(MARGIN, int(SEARCH * deepest))


def _telea(picture: Plane, hole: Plane, radius: int, rng: Generator) -> Job[Plane]:
    """Fill from the rim inwards with weighted means of what is known within ``radius``.

    Source: A. Telea, "An image inpainting technique based on the fast marching method", 2004, as OpenCV has it.
    """
    yield from ()
    return _by_opencv(picture, hole, radius, "INPAINT_TELEA")


def _navier_stokes(picture: Plane, hole: Plane, radius: int, rng: Generator) -> Job[Plane]:
    """Fill from the rim inwards along lines of equal brightness.

    Source: M. Bertalmio, A. Bertozzi, G. Sapiro, "Navier-Stokes, fluid dynamics, and image and video inpainting", 2001,
    as OpenCV has it.
    """
    yield from ()
    return _by_opencv(picture, hole, radius, "INPAINT_NS")


def _by_opencv(picture: Plane, hole: Plane, radius: int, way: str) -> Plane:
    """Fill channel by channel in 16 bits, OpenCV's finest: with floats, Telea's formula leaves their range."""
    import cv2

    levels = np.rint(picture * LEVELS).astype(np.uint16)
    mask, flag = hole.astype(np.uint8), getattr(cv2, way)
    planes = [cv2.inpaint(np.ascontiguousarray(levels[..., c]), mask, radius, flag) for c in range(levels.shape[2])]
    return np.stack(planes, 2).astype(np.float32) / LEVELS


def _biharmonic(picture: Plane, hole: Plane, radius: int, rng: Generator) -> Job[Plane]:
    """Fill by the surface that bends least, of which large ones are found at half the size except near the rim.

    Source: S. B. Damelin, N. S. Hoang, "On surface completion and image inpainting by biharmonic functions: numerical
    aspects", 2018, as scikit-image has it.
    """
    yield from ()
    return _surface(picture, hole)


def _surface(picture: Plane, hole: Plane) -> Plane:
    import cv2
    from skimage.restoration import inpaint_biharmonic

    if np.count_nonzero(hole) > SOLVED:
        small, hidden = halved(picture, hole)
        size = 2 * small.shape[1], 2 * small.shape[0]
        guess = cv2.resize(_surface(small, hidden), size, interpolation=cv2.INTER_CUBIC)
        guess = guess.reshape(*size[::-1], -1)[: hole.shape[0], : hole.shape[1]]
        picture = np.where(hole[..., None], guess, picture)
        side = 2 * BELT + 1
        deep = cv2.erode(hole.astype(np.uint8), np.ones((side, side), np.uint8), borderValue=1) > 0
        hole = hole & ~deep
    exact = picture.astype(
        np.float64
    )  # its equations lose 6 digits on the way: float32 would keep one, another anywhere
    found = inpaint_biharmonic(exact, hole, split_into_regions=True, channel_axis=-1)
    return np.asarray(found.astype(np.float32).clip(0, 1))


_FILLERS: dict[str, Callable[[Plane, Plane, int, Generator], Job[Plane]]] = {
    "telea": _telea,
    "navier-stokes": _navier_stokes,
    "biharmonic": _biharmonic,
    "exemplar": exemplar,
}


def something_is_known(holes: torch.Tensor, name: str = "mask") -> None:
    """Refuse holes (B, H, W), bool, that leave nothing of a picture, by the name of what marked them.

    Raises:
        ParameterError: if they do.
    """
    if bool(holes.flatten(1).all(1).any()):
        what = "covers the whole picture: nothing is left to fill from"
        wrong = "1 (white) means: paint here; is it the wrong way round?" if name == "mask" else "Mark less of it"
        raise ParameterError(what, where=name, remedy=wrong)
