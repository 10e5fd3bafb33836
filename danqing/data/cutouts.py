"""What can be laid on pictures: cut-outs of a folder, words and digits; each with its class and its points."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from danqing.core.disk import identity_of
from danqing.core.errors import DataError, ParameterError, UserError
from danqing.core.notes import note
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.found import CORNERS, Spot, from_json
from danqing.core.pictures.listing import pictures_in
from danqing.core.pictures.reading import read
from danqing.core.progress import Job, Progress
from danqing.data.digits import digits
from danqing.maths.cutout import matte, unmixed

Plane = np.ndarray[Any, np.dtype[Any]]
EVEN = 0.06  # distance in RGB from the usual colour of the border that still counts as even
EVEN_SHARE = 0.97  # of the border that must be even
SEEN = 0.5  # opacity from which a pixel belongs to a thing
FEWEST = 24  # pixels of a thing, below which nobody can tell what it is
KEPT = 64  # cut-outs, and words, held in memory
LETTERS = 96  # px of the letters that words are set in
MARGIN = 0.02  # of a cut-out's sides that is kept around it, in case its edge is soft
LONGEST = 64  # characters of a word


class Cutout(NamedTuple):
    """A thing that can be laid on a picture.

    Attributes:
        label: its class.
        pixels: (H, W, 4), float32, colours premultiplied by the opacity.
        points: places in it; x and y in its pixels.
        turns: whether it may be mirrored.
    """

    label: str
    pixels: Plane
    points: tuple[Spot, ...]
    turns: bool = True


class Kind(NamedTuple):
    """All things of one class: how many there are, and how one is made of its number and chance."""

    label: str
    size: int
    make: Callable[[int, np.random.Generator], Cutout]


def from_folder(folder: Path, skip_bad: bool = False) -> Job[list[Kind]]:
    """The cut-outs of a folder, by its class folders; those that lie in none are called as the folder itself.

    All are looked at, so that nothing fails later; those that cannot be used are left out where ``skip_bad`` says so.

    Raises:
        DataError: if there are none, or one cannot be used.
    """
    classes: dict[str, list[Path]] = {}
    faults: list[str] = []
    listed = pictures_in(folder).found
    for at, each in enumerate(listed):
        yield Progress(at, len(listed), "looking at cut-outs")
        label = each.name.split("/")[0] if "/" in each.name else folder.resolve().name
        try:
            from_file(each.file, label)
        except DataError as error:
            faults.append(f"{each.name} {error.what}")
            continue
        classes.setdefault(label, []).append(each.file)
    if faults and not skip_bad:
        remedy = "Give them transparency, or leave them out with --skip-bad"
        raise DataError(f"{len(faults)} cut-outs cannot be used: {faults[0]}", where=folder, remedy=remedy)
    if faults:
        note(f"{len(faults)} cut-outs were left out, the first: {faults[0]}")
    if not classes:
        raise DataError("holds no cut-outs", where=folder, remedy="PNG or WebP files with transparency")

    def make(label: str, files: list[Path], at: int, rng: np.random.Generator) -> Cutout:
        return from_file(files[at], label)

    return [Kind(label, len(files), functools.partial(make, label, files)) for label, files in sorted(classes.items())]


def from_file(file: Path, label: str) -> Cutout:
    """A cut-out with its points, which a JSON file of danqing's beside it may tell (as ``pose`` writes them).

    An opaque picture on an even ground is cut out of that.

    Raises:
        DataError: if it cannot be read, is opaque without an even border, or nothing of it can be seen.
    """
    there = tuple(identity_of(each) for each in (file, file.with_suffix(".json")) if each.is_file())
    return _from_file(file, label, there)


@functools.lru_cache(KEPT)
def _from_file(file: Path, label: str, there: tuple[tuple[int, ...], ...]) -> Cutout:
    try:
        picture = read(file)
    except UserError as error:
        raise DataError(f"cannot be read: {error.what}", where=file) from error
    colours = picture.pixels[0].expand(3, -1, -1)
    if picture.alpha is not None and float(picture.alpha.min()) < 1:
        opacity = picture.alpha[0, 0]
    else:
        colours, opacity = _off_even_ground(colours, file)
    return _cropped(label, torch.cat([colours * opacity, opacity[None]]), _points_beside(file, picture), file)


def words(text: str, font: Path | None = None) -> list[Kind]:
    """Words, with commas between, each a class of its own, set in a font in any colour.

    Raises:
        ParameterError: if there are none, one is too long, the font cannot be read or has none of the letters.
    """
    told = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not told:
        raise ParameterError("holds no words", where="text", remedy="Words with commas between, such as OPEN,SALE")
    for word in told:
        if len(word) > LONGEST:
            raise ParameterError(f"a word of {len(word)} characters is too long: {word[:20]!r}…", where="text")
        _set(word, font)

    def make(word: str, at: int, rng: np.random.Generator) -> Cutout:
        plane = _set(word, font)
        height, width = plane.shape
        ends = (0, 0), (width, 0), (width, height), (0, height)
        spots = tuple(Spot(name, float(x), float(y)) for name, (x, y) in zip(CORNERS, ends, strict=True))
        return Cutout(word, _inked(plane, rng), spots, turns=False)

    return [Kind(word, 1, functools.partial(make, word)) for word in told]


def handwritten() -> list[Kind]:
    """The built-in digits, in any colour."""
    pictures, labels = digits("train")

    def make(of: Plane, label: str, at: int, rng: np.random.Generator) -> Cutout:
        plane = pictures[of[at]].astype(np.float32) / 255
        rows, columns = (np.flatnonzero(plane.max(axis) > 0) for axis in (1, 0))
        plane = np.pad(plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
        return Cutout(label, _inked(_finer(plane), rng), (), turns=False)

    found = [np.flatnonzero(labels == digit) for digit in range(10)]
    return [Kind(str(at), len(of), functools.partial(make, of, str(at))) for at, of in enumerate(found)]


def _cropped(label: str, premultiplied: torch.Tensor, points: tuple[Spot, ...], file: Path) -> Cutout:
    """A cut-out without the empty space around it."""
    pixels = premultiplied.permute(1, 2, 0).numpy().astype(np.float32)
    rows, columns = (np.flatnonzero(pixels[..., 3].max(axis) > SEEN) for axis in (1, 0))
    if not len(rows) or np.count_nonzero(pixels[..., 3] > SEEN) < FEWEST:
        raise DataError("has nothing that can be seen: it is transparent all over", where=file)
    margin = 1 + round(MARGIN * max(pixels.shape[:2]))
    top, left = max(rows[0] - margin, 0), max(columns[0] - margin, 0)
    part = pixels[top : rows[-1] + 1 + margin, left : columns[-1] + 1 + margin]
    moved = tuple(spot._replace(x=spot.x - left + 1, y=spot.y - top + 1) for spot in points)  # of the edge
    return Cutout(label, np.pad(part, ((1, 1), (1, 1), (0, 0))), moved)


def _off_even_ground(colours: torch.Tensor, file: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """The colours and opacity of what stands on the even ground that touches all borders."""
    import cv2

    height, width = colours.shape[1:]
    border = torch.cat([colours[:, 0], colours[:, -1], colours[:, :, 0], colours[:, :, -1]], 1)
    ground = border.median(1, keepdim=True).values
    if float(((border - ground).norm(dim=0) <= EVEN).float().mean()) < EVEN_SHARE:
        remedy = "danqing cutout cuts persons out, danqing select and background other things"
        raise DataError("is opaque, and its border is not even enough to cut it out", where=file, remedy=remedy)
    like = ((colours - ground[..., None]).norm(dim=0) <= EVEN).numpy().astype(np.uint8)
    wide = np.pad(like, 1, constant_values=1)
    _, regions = cv2.connectedComponents(wide, connectivity=4)
    kept = torch.from_numpy(regions[1:-1, 1:-1] != regions[0, 0])
    if not bool(kept.any()):
        raise DataError("is opaque, and of one colour all over", where=file)
    opacity = matte(colours, kept, max(1, round(min(height, width) / 128)))
    return unmixed(colours, opacity), opacity


def _points_beside(file: Path, picture: Picture) -> tuple[Spot, ...]:
    """The points of the first thing that a JSON file beside a cut-out tells."""
    beside = file.with_suffix(".json")
    if not beside.is_file():
        return ()
    try:
        content = json.loads(beside.read_text("utf-8"))
        found = from_json(content.get("numbers", content), beside)
    except UserError as error:
        raise DataError(f"has labels beside it ({beside.name}) whose {error.what}", where=file) from error
    except (OSError, ValueError, RecursionError, AttributeError) as error:
        raise DataError(f"has labels beside it that cannot be read ({beside.name})", where=file) from error
    height, width = picture.pixels.shape[2:]
    if (found.width, found.height) != (width, height):
        raise DataError(f"has labels beside it of another size, {found.width}×{found.height} px", where=file)
    return found.things[0].points if found.things else ()


@functools.lru_cache(KEPT)
def _set(word: str, font: Path | None) -> Plane:
    """A word in black, (H, W), 1 where there is ink."""
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    home = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    try:
        letters = ImageFont.truetype(str(font or home / "DejaVuSans-Bold.ttf"), LETTERS)
    except OSError as error:
        raise ParameterError(f"is no font that can be read ({error})", where="font") from error
    left, top, right, bottom = letters.getbbox(word)
    if right <= left or bottom <= top:
        raise ParameterError(f"cannot set {word!r}: there is nothing to see", where="text")
    sheet = Image.new("L", (round(right - left) + 4, round(bottom - top) + 4))
    ImageDraw.Draw(sheet).text((2 - left, 2 - top), word, 255, letters)
    boxes = {_shape(letters, each) for each in set(word) if not each.isspace()}
    if not word.isascii() and boxes & {_shape(letters, "\ufffe")}:
        remedy = "Name a font that has them with --font"
        raise ParameterError(f"the font lacks letters of {word!r}", where="text", remedy=remedy)
    return np.asarray(sheet, np.float32) / 255


def _shape(letters: Any, character: str) -> bytes:
    return bytes(letters.getmask(character))


def _finer(plane: Plane) -> Plane:
    """A small drawing four times as fine, with smooth edges as of a pen."""
    import cv2

    wide = cv2.resize(plane, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    return np.asarray(((wide - 0.5) * 2 + 0.5).clip(0, 1), np.float32)


def _inked(plane: Plane, rng: np.random.Generator) -> Plane:
    """A drawing as a cut-out of one colour, which chance chooses."""
    import colorsys

    value = rng.uniform(0, 0.35) if rng.integers(2) else rng.uniform(0.7, 1)
    colour = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0, 0.9), value)
    return np.concatenate([plane[..., None] * np.array(colour, np.float32), plane[..., None]], 2)


__all__ = ["SEEN", "Cutout", "Kind", "from_file", "from_folder", "handwritten", "words"]
