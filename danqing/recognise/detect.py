"""The operator detect."""

from __future__ import annotations

from typing import Annotated

from danqing.core.artefacts.boxes import Boxes
from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.only import Only
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.found import labels_in
from danqing.maths.opacity import opacity_of
from danqing.nets.detection import things_in
from danqing.nets.nanodet import COCO, NanoDet
from danqing.nets.ready_made import ready_made


@operator
def detect(
    x: Images,
    threshold: Annotated[float, Range(0.01, 1)] = 0.4,
    side: Annotated[int, Range(128, 2048, "px")] = 416,
    count: Annotated[int, Range(1, 1000, "things")] = 100,
    only: Only = "",
    alpha: Mask | None = None,
) -> Job[Boxes]:
    """Find everyday things in pictures: people, animals, vehicles, furniture, food; eighty classes in all.

    The classes are those of COCO, such as person, bicycle, car, boat, bird, cat, dog, horse, bottle, cup, chair,
    laptop or clock.

    Args:
        x: pictures of any size.
        threshold: how sure the net must be; lower finds more, and more that is not there.
        side: longer side in pixels to which the net shrinks a picture; at 832 it finds things half as large, in four
            times the time.
        count: how many things are told, at most, the surest first.
        only: classes that are looked for, with commas between; empty: all.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        for each picture its width and height and the things in it, each with its label, score and box (left, top,
        right, bottom in pixels); and the pictures with all of it drawn in.

    Raises:
        ParameterError: for a class that the net does not know.

    Source: RangiLyu, NanoDet, 2020, its variant g, trained on COCO 2017.

    Examples:
        danqing detect photo.png
        danqing detect photo.png --only dog,cat --threshold 0.3 --out pets.png
    """
    wanted = _known(only)
    net = ready_made("nanodet", NanoDet)
    shown, found = laid_on(x, opacity_of(x, alpha)), []
    for at, picture in enumerate(shown.split(1)):
        yield Progress(at, len(x), "looking for things")
        each = things_in(net, picture, COCO, side, threshold, 1000 if wanted else count)
        things = tuple(thing for thing in each.things if not wanted or thing.label in wanted)[:count]
        found.append(each._replace(things=things))
    return Boxes.in_pictures(shown, found)


def _known(only: str) -> set[str]:
    """The classes that are asked for."""
    wanted = labels_in(only)
    for label in sorted(wanted - set(COCO)):
        remedy = f"It knows {', '.join(COCO)}"
        raise ParameterError(f"the net does not know {label!r}", where="only", remedy=remedy)
    return wanted
