"""The operator cutout."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.fields.number import Range
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.pictures.found import Thing
from danqing.core.progress import Job, Progress
from danqing.maths.colour import brightness
from danqing.maths.guided import enlarged_along
from danqing.maths.opacity import opacity_of
from danqing.nets.detection import things_in
from danqing.nets.faces import faces_in
from danqing.nets.mtcnn import SMALLEST, Mtcnn
from danqing.nets.nanodet import COCO, NanoDet
from danqing.nets.nanodet import SIDE as SEEN
from danqing.nets.pose import PERSON
from danqing.nets.ready_made import ready_made
from danqing.nets.selfie import SIDE, SelfieNet

THRESHOLD = 0.4  # how sure it must be that somebody is there, for a look of its own
CLOSE = 8  # the shorter side may be so many faces long, at most, in a whole picture of somebody
SURE = 0.9  # how sure it must be of such a face
WIDER = 1.3  # than a person is the square that is looked at
STEEP = 0.45  # of the shares at each end that become 0 and 1 where nothing is to be soft


@operator
def cutout(x: Images, softness: Annotated[float, Range(0, 1)] = 0.7, alpha: Mask | None = None) -> Job[Mask]:
    """Mark the persons in pictures, with soft hair and edges, as a mask for other operators.

    Persons are looked for first, and each is then looked at alone, so that small ones are found, too. Where there is
    none, but a face, all of the picture is looked at.

    Args:
        x: pictures of any size.
        softness: how wide the edge is; at 1 the net's own shares are kept, at 0 pixels belong to a person or not.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        A job with masks (B, 1, H, W): the share of each pixel that is a person's. Without persons they are empty, and
        a note says so.

    Source: MediaPipe selfie segmentation, 2021, on squares around persons that NanoDet finds; edges by K. He, J. Sun,
    "Fast guided filter", 2015.

    Examples:
        danqing cutout photo.png --out person.png
    """
    net, detector = ready_made("selfie", SelfieNet), ready_made("nanodet", NanoDet)
    masks = []
    for at, picture in enumerate(laid_on(x, opacity_of(x, alpha)).split(1)):
        yield Progress(at, len(x), "looking for persons")
        found = things_in(detector, picture, COCO, SEEN, THRESHOLD)
        persons = [thing for thing in found.things if thing.label == PERSON] or _around_a_face(picture)
        if not persons:
            note("no person was found in the picture")
        masks.append(_mask(net, picture, persons))
    low = STEEP * (1 - softness)
    return ((torch.cat(masks) - low) / (1 - 2 * low)).clamp(0, 1)


def _around_a_face(picture: Images) -> list[Thing]:
    """All of a picture as one person's, if it shows a face: too much of one fills it for the detector to see whose.

    The net itself would not do: it takes any large thing in the middle for a person, a cat as well.
    """
    height, width = picture.shape[-2:]
    smallest = max(SMALLEST, min(height, width) / CLOSE)
    faces = faces_in(ready_made("mtcnn", Mtcnn), picture, smallest, SURE)
    return [Thing(PERSON, (0, 0, width, height))] if faces.things else []


@torch.no_grad()
def _mask(net: SelfieNet, picture: Images, persons: list[Thing]) -> Mask:
    """The shares in one picture: the most of those of each person apart."""
    height, width = picture.shape[-2:]
    share = picture.new_zeros(1, 1, height, width)
    for thing in persons:
        left, top, right, bottom = thing.box
        half = WIDER / 2 * max(right - left, bottom - top)
        x, y = (left + right) / 2, (top + bottom) / 2
        rows = slice(max(int(y - half), 0), min(int(y + half) + 1, height))
        columns = slice(max(int(x - half), 0), min(int(x + half) + 1, width))
        part = share[..., rows, columns]
        part.copy_(torch.maximum(part, _look(net, picture[..., rows, columns])))
    return share


def _look(net: SelfieNet, picture: Images) -> Tensor:
    """The shares (1, 1, H, W) in what the net sees at once, their edges where the picture's are."""
    small = functional.interpolate(picture, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    share = net(small.clamp(0, 1).expand(-1, 3, -1, -1))
    near = functional.max_pool2d(((share > 0.02) & (share < 0.98)).float(), 5, 1, 2)
    followed = enlarged_along(share, brightness(small), brightness(picture)).clamp(0, 1)
    plain, edge = (_enlarged(each, picture) for each in (share, near))
    return torch.lerp(plain, followed, edge)


def _enlarged(share: Tensor, like: Images) -> Tensor:
    return functional.interpolate(share, like.shape[-2:], mode="bilinear", align_corners=False)
