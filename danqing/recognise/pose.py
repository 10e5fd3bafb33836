"""The operator pose."""

from __future__ import annotations

from typing import Annotated

from danqing.core.artefacts.boxes import Boxes
from danqing.core.fields.boxes import Things
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.pictures.found import Found
from danqing.core.progress import Job, Progress
from danqing.maths.found import chosen
from danqing.maths.opacity import opacity_of
from danqing.nets.blazepose import BlazePose
from danqing.nets.detection import things_in
from danqing.nets.nanodet import COCO, SIDE, NanoDet
from danqing.nets.pose import PERSON, poses_in
from danqing.nets.ready_made import ready_made


@operator
def pose(
    x: Images,
    threshold: Annotated[float, Range(0.01, 1)] = 0.4,
    count: Annotated[int, Range(1, 100, "persons")] = 20,
    boxes: Things | None = None,
    alpha: Mask | None = None,
) -> Job[Boxes]:
    """Find persons in pictures, and 33 points of each body: from the eyes to the toes.

    Args:
        x: pictures of any size.
        threshold: how sure the nets must be that somebody is there.
        count: how many persons are told, at most, the surest first.
        boxes: where persons are, as detect writes it; not given: they are looked for.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        for each picture its width and height and the persons in it, each with a score, a box (left, top, right, bottom
        in pixels) and 33 points with theirs; left and right are the person's own. And the pictures with all drawn in.

    Raises:
        ParameterError: if the boxes are of pictures of another size.

    Source: V. Bazarevsky et al., "BlazePose: on-device real-time body pose tracking", 2020; persons by NanoDet.

    Examples:
        danqing pose photo.png
        danqing pose photo.png --out pose.json
    """
    net = ready_made("blazepose", BlazePose)
    given = None if boxes is None else chosen(x, boxes, PERSON)
    shown, found = laid_on(x, opacity_of(x, alpha)), []
    for at, picture in enumerate(shown.split(1)):
        yield Progress(at, len(x), "looking for persons")
        if given is None:
            persons = things_in(ready_made("nanodet", NanoDet), picture, COCO, SIDE, threshold, 1000)
        else:
            # However others spell it
            persons = Found(x.shape[3], x.shape[2], tuple(thing._replace(label=PERSON) for thing in given[at]))
        things = tuple(thing for thing in persons.things if thing.label == PERSON)[:count]
        found.append(poses_in(net, picture, persons._replace(things=things), threshold))
    return Boxes.in_pictures(shown, found)
