"""Sets of composed pictures on the disk: pictures with their recipes, and labels in any format that is known."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch

from danqing.core.errors import OutputError, ParameterError, UserError
from danqing.core.notes import note
from danqing.core.pictures.found import Found
from danqing.core.pictures.header import recipe_of
from danqing.core.pictures.listing import files_in
from danqing.core.pictures.writing import write
from danqing.core.progress import Job, Progress
from danqing.core.recipe import Step
from danqing.data.annotations.formats import CODECS
from danqing.data.annotations.label_set import LabelSet
from danqing.data.annotations.packed import Packed
from danqing.data.backgrounds import Ground
from danqing.data.cutouts import Kind
from danqing.data.scenes import Manner, compose

Labels = Literal["coco", "yolo", "voc", "labelme", "masks", "danqing", "classes"]
PICTURES = "pictures"  # the folder of them in a set
PLACES = {"coco": "labels.json", "classes": PICTURES}  # of the labels; of others it is the folder labels
PARTS = (PICTURES, "labels", "labels.json")  # of a set
OPERATOR = "data compose"  # in the recipe of each
NUMBERED = re.compile(r"\d{6,}\.png")
LOOKED_AT = 256  # pictures of a set that is to be replaced
PREVIEW = 8  # pictures between two that are shown while it works


class Made(NamedTuple):
    """A set that was written.

    Attributes:
        pictures: their folder.
        labels: the file or folder of labels; that of the pictures where class folders say it all.
        found: what is in each picture, by its name in the folder.
    """

    pictures: Path
    labels: Path
    found: Packed


def write_set(
    out: Path, kinds: list[Kind], ground: Ground, manner: Manner, numbers: range, seed: int, labels: Labels,
    step: Step, force: bool = False,
) -> Job[Made]:  # fmt: skip
    """Compose pictures of these numbers and write them; each follows from the seed and its number alone.

    Args:
        out: the folder for the set.
        kinds: what is laid on.
        ground: what it is laid on.
        manner: how.
        numbers: of the pictures.
        seed: fixes every random choice.
        labels: the format of the labels.
        step: how the whole set is made, without the number of a picture.
        force: replace a set that is there.

    The set takes its place when it is whole; until then an earlier one stays, and afterwards nothing of that is left.

    Raises:
        ParameterError: if class folders are wanted for pictures of several things.
        OutputError: if something is there.
    """
    if labels == "classes" and (manner.fewest, manner.most) != (1, 1):
        remedy = "Give --fewest 1 --most 1, or other labels"
        raise ParameterError("class folders want one thing a picture", where="labels", remedy=remedy)
    check_free(out, force)
    found, empty = Packed(), 0
    with _making(out) as home:
        for at in numbers:
            pixels, things = compose(kinds, ground, manner, np.random.default_rng((seed, at)))
            x = torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()
            yield Progress(at - numbers.start, len(numbers), f"picture {at}", x if at % PREVIEW == 0 else None)
            empty += not things.things
            if labels == "classes" and not things.things:
                continue
            name = f"{at:06}.png" if labels != "classes" else f"{_folder_of(things)}/{at:06}.png"
            made = Step(step.operator, {**step.params, "first": at, "count": 1})
            write(x, home / PICTURES / name, recipe=[made])
            found.add(name, things)
        _tell_of_empty(empty, len(numbers), manner, labels)
        told = PLACES.get(labels, "labels")
        if labels != "classes":
            CODECS[labels].write(LabelSet(found, [kind.label for kind in kinds], []), home / told)
        _set_up(home, out)
    return Made(out / PICTURES, out / told, found)


def _tell_of_empty(empty: int, count: int, manner: Manner, labels: Labels) -> None:
    if empty and manner.fewest:
        left = "were left out" if labels == "classes" else "have none"
        note(f"{empty} of {count} pictures {left}: no thing fits in; smaller things, or more overlap, would")


def _folder_of(things: Found) -> str:
    return things.things[0].label.replace("/", "∕").strip(".") or "_"


def check_free(out: Path, force: bool, read: Sequence[Path | None] = ()) -> None:
    """See that a set can be written here: what it replaces must be one that danqing composed, and not be read.

    Args:
        out: the folder for the set.
        force: whether a set that is there may be replaced.
        read: places that the work is done from.

    Raises:
        OutputError: if it cannot be.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not force or not out.is_dir():
        raise OutputError("is not empty", where=out, remedy="Choose another --out or give --force")
    there = [out / name for name in PARTS if (out / name).exists()]
    for place in (each.resolve() for each in read if each is not None):
        if any(place.is_relative_to(each.resolve()) for each in there):
            raise OutputError("would replace what it is made from", where=place, remedy="Choose another --out")
    foreign = next(_foreign(out / PICTURES), None) if out / PICTURES in there else next(iter(there), None)
    if foreign is not None:
        remedy = "Choose another --out, or move it away: --force replaces composed sets only"
        raise OutputError("is nothing that danqing composed", where=foreign, remedy=remedy)


def _foreign(folder: Path) -> Iterator[Path]:
    """What in the pictures of a set was not composed; of numbered ones, some are looked into."""
    files = [each.file for each in files_in(folder).found]  # without what file managers leave
    yield from (each for each in files if not NUMBERED.fullmatch(each.name))
    for each in files[:: max(1, len(files) // LOOKED_AT)]:
        try:
            composed = recipe_of(each)[-1].operator == OPERATOR
        except (UserError, IndexError):
            composed = False
        if not composed:
            yield each


@contextmanager
def _making(out: Path) -> Iterator[Path]:
    """A folder in that of the set, which is gone afterwards; that of the set, too, if it is still empty."""
    out.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix=".making-", dir=out))
    try:
        (home / PICTURES).mkdir()
        yield home
    finally:
        shutil.rmtree(home)
        with contextlib.suppress(OSError):
            out.rmdir()


def _set_up(home: Path, out: Path) -> None:
    """Move a set that is whole to its place, and one that was there before away."""
    before = home / "before"
    before.mkdir()
    for name in PARTS:
        if (out / name).exists():
            (out / name).rename(before / name)
        if (home / name).exists():
            (home / name).rename(out / name)


__all__ = ["OPERATOR", "Labels", "Made", "check_free", "write_set"]
