"""From what was found in pictures to what operators work on: the chosen things, masks and rectangles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import overload

import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.box import Rectangle
from danqing.core.notes import note
from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found, Thing, inside, labels_of
from danqing.maths.cutout import object_in

SHOWN = 8  # labels in a message


@overload
def chosen(x: Images, boxes: None, only: str = "", name: str = "boxes") -> None: ...
@overload
def chosen(x: Images, boxes: tuple[Found, ...], only: str = "", name: str = "boxes") -> list[tuple[Thing, ...]]: ...


def chosen(
    x: Images, boxes: tuple[Found, ...] | None, only: str = "", name: str = "boxes"
) -> list[tuple[Thing, ...]] | None:
    """The things that are meant, for each picture; where nothing is, it is noted, and the list is empty.

    Args:
        x: pictures (B, C, H, W) that they were found in.
        boxes: what was found, once for all or once for each; None: nobody looked.
        only: labels with commas between; empty: all.
        name: the parameter the boxes were given for.

    Returns:
        things whose boxes are cut off at the picture's borders, in their order.

    Raises:
        ParameterError: if they are of pictures of another size, not as many as there are pictures, or outside of them;
            or if labels are named, and there are no boxes.
    """
    wanted = labels_in(only)
    if boxes is None:
        if wanted:
            remedy = "Give what was found, too: --boxes FILE"
            raise ParameterError("says which of the boxes are meant, and there are none", where="only", remedy=remedy)
        return None
    if len(boxes) not in (1, len(x)):
        raise ParameterError(f"holds what was found in {len(boxes)} pictures, not in {len(x)}", where=name)
    return [_of_one(x, each, wanted, only, name) for each in (boxes * len(x) if len(boxes) == 1 else boxes)]


def known_labels(only: str, names: Sequence[str]) -> set[str]:
    """The labels that a text names, as a net calls them; empty where it names none.

    Raises:
        ParameterError: for a label that is none of ``names``.
    """
    known, wanted = {name.casefold(): name for name in names}, labels_in(only)
    for label in sorted(wanted - known.keys()):
        remedy = f"It knows {', '.join(names)}"
        raise ParameterError(f"the net does not know {label!r}", where="only", remedy=remedy)
    return {known[label] for label in wanted}


def labels_in(only: str) -> set[str]:
    """The labels that a text names, with commas between, in small letters."""
    return {label.strip().casefold() for label in only.split(",") if label.strip()}


def _of_one(x: Images, found: Found, wanted: set[str], only: str, name: str) -> tuple[Thing, ...]:
    height, width = x.shape[-2:]
    if (found.width, found.height) != (width, height):
        what = f"was found in a picture of {found.width}×{found.height} px, not of {width}×{height} px"
        raise ParameterError(what, where=name, remedy="Look for things in the picture itself")
    known = (_within(thing, width, height, name) for thing in found.things)
    things = tuple(thing for thing in known if not wanted or thing.label.casefold() in wanted)
    if not things:
        note(lacking([found], only) or "nothing was found in the picture")
    return things


def lacking(boxes: Sequence[Found], only: str) -> str:
    """What was found instead of what is meant; nothing where nothing was."""
    labels = sorted({label for each in boxes for label in labels_of(each)})
    told = f"{', '.join(labels[:SHOWN])}{' …' if len(labels) > SHOWN else ''}"
    return f"no {only} among what was found: {told}" if labels else ""


def _within(thing: Thing, width: int, height: int, name: str) -> Thing:
    """A thing with what of its box lies in the picture: whoever made it in Python may have asked nobody."""
    box = inside(thing.box, width, height)
    if box is None:
        shown = ", ".join(f"{each:g}" for each in thing.box)
        raise ParameterError(f"the {thing.label} at {shown} lies outside the picture, or has no area", where=name)
    if thing.mask is not None and tuple(thing.mask.shape) != (height, width):
        raise ParameterError(f"the mask of the {thing.label} does not fit {width}×{height} px", where=name)
    return thing._replace(box=box)


def rectangle(thing: Thing, width: int, height: int) -> Rectangle:
    """The whole pixels of a picture that a thing's box touches."""
    left, top = min(math.floor(thing.box[0]), width - 1), min(math.floor(thing.box[1]), height - 1)
    right, bottom = min(math.ceil(thing.box[2]), width), min(math.ceil(thing.box[3]), height)
    return Rectangle(left, top, max(right - left, 1), max(bottom - top, 1))


def around(things: tuple[Thing, ...], width: int, height: int) -> Rectangle:
    """The smallest rectangle that holds all of some things; there must be one."""
    edges = [rectangle(thing, width, height) for thing in things]
    left, top = min(each.left for each in edges), min(each.top for each in edges)
    right, bottom = max(each.left + each.width for each in edges), max(each.top + each.height for each in edges)
    return Rectangle(left, top, right - left, bottom - top)


def pixels_of(picture: Tensor, things: tuple[Thing, ...], whole: bool = False) -> Tensor:
    """The pixels (H, W), bool, of a picture (C, H, W) that belong to things: by their masks, or what stands out.

    Args:
        picture: where they were found.
        things: which are meant.
        whole: take all of each box, instead of the object that stands out in it.
    """
    height, width = picture.shape[-2:]
    marked = torch.zeros(height, width, dtype=torch.bool, device=picture.device)
    for thing in things:
        place = rectangle(thing, width, height)
        if thing.mask is not None and not whole:
            marked |= thing.mask.to(marked.device)
        elif whole:
            marked[place.place] = True
        else:
            marked |= object_in(picture, place)
    return marked


__all__ = ["around", "chosen", "known_labels", "labels_in", "lacking", "pixels_of", "rectangle"]
