"""The operator detect."""

from __future__ import annotations

from typing import Annotated

from danqing.core.artefacts.boxes import Boxes
from danqing.core.fields.number import Range
from danqing.core.fields.only import Only
from danqing.core.learned.finder import Finder
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.pictures.found import Found
from danqing.core.progress import Job, Progress
from danqing.maths.found import known_labels
from danqing.maths.opacity import opacity_of
from danqing.nets.detection import things_in
from danqing.nets.nanodet import COCO, SIDE, NanoDet
from danqing.nets.ready_made import ready_made


@operator
def detect(
    x: Images,
    threshold: Annotated[float, Range(0.01, 1)] = 0.4,
    side: Annotated[int, Range(32, 2048, "px")] | None = None,
    count: Annotated[int, Range(1, 1000, "things")] = 100,
    only: Only = "",
    weights: Finder | None = None,
    alpha: Mask | None = None,
) -> Job[Boxes]:
    """Find everyday things in pictures, of eighty classes, or with weights of one's own what these have learned.

    The eighty classes are those of COCO, such as person, bicycle, car, boat, bird, cat, dog, horse, bottle, cup,
    chair, laptop or clock. A detector of one's own finds boxes, keypoints also the points of each thing, and a
    segmenter its pixels.

    Args:
        x: pictures of any size.
        threshold: how sure the net must be; lower finds more, and more that is not there.
        side: longer side in pixels to which the net shrinks a picture; at twice as many it finds things half as large,
            in four times the time. Not given: 416, or that which the weights learned from.
        count: how many things are told, at most, the surest first.
        only: classes that are looked for, with commas between; empty: all.
        weights: a detector, segmenter or keypoints of one's own (``danqing train detector PICTURES``): a run folder or
            a .safetensors file; not given: the net for everyday things.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        for each picture its width and height and the things in it, each with its label, score and box (left, top,
        right, bottom in pixels), and with points or a mask where the weights find them; and the pictures with all of
        it drawn in.

    Raises:
        ParameterError: for a class that the net does not know.

    Source: RangiLyu, NanoDet, 2020, its variant g, trained on COCO 2017.

    Examples:
        danqing detect photo.png
        danqing detect photo.png --only dog,cat --threshold 0.3 --out pets.png
    """
    names, find = (COCO, _everyday) if weights is None else (weights.names, weights.find)
    wanted = known_labels(only, names)
    shown, found = laid_on(x, opacity_of(x, alpha)), []
    for at, picture in enumerate(shown.split(1)):
        yield Progress(at, len(x), "looking for things")
        (each,) = find(picture, threshold, 1000 if wanted else count, side)
        things = tuple(thing for thing in each.things if not wanted or thing.label in wanted)[:count]
        found.append(each._replace(things=things))
    return Boxes.in_pictures(shown, found)


def _everyday(picture: Images, threshold: float, count: int, side: int | None) -> list[Found]:
    """What the net for everyday things finds."""
    return [things_in(ready_made("nanodet", NanoDet), picture, COCO, side or SIDE, threshold, count)]
