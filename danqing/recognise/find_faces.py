"""The operator find_faces."""

from __future__ import annotations

from typing import Annotated

from danqing.core.artefacts.boxes import Boxes
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.opacity import opacity_of
from danqing.nets.faces import faces_in
from danqing.nets.mtcnn import SMALLEST, Mtcnn
from danqing.nets.ready_made import ready_made

SHARE = 40  # smallest faces in the longer side of a picture, where nobody says how large they are


@operator
def find_faces(
    x: Images,
    threshold: Annotated[float, Range(0.1, 1)] = 0.9,
    smallest: Annotated[int, Range(SMALLEST, unit="px")] | None = None,
    alpha: Mask | None = None,
) -> Job[Boxes]:
    """Find faces in pictures, with eyes, nose and corners of the mouth.

    It finds that there are faces, not whose. Seen from the side, upside down or hidden by half, faces are missed.

    Args:
        x: pictures of any size.
        threshold: how sure the net must be; lower finds more, and more that is no face.
        smallest: height of the smallest faces that are looked for; small ones take long. Not given: a fortieth of the
            longer side, at most half of the shorter one, and no less than 20 px.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        for each picture its width and height and the faces in it, each with its score, its box (left, top, right,
        bottom in pixels) and five points, left and right the person's own; and the pictures with all of it drawn in.

    Source: K. Zhang et al., "Joint face detection and alignment using multi-task cascaded
    convolutional networks", 2016.

    Examples:
        danqing find_faces photo.png
        danqing find_faces photo.png --out faces.json
    """
    net = ready_made("mtcnn", Mtcnn)
    least = max(SMALLEST, min(max(x.shape[-2:]) / SHARE, min(x.shape[-2:]) / 2)) if smallest is None else smallest
    shown, found = laid_on(x, opacity_of(x, alpha)), []
    for at, picture in enumerate(shown.split(1)):
        yield Progress(at, len(x), "looking for faces")
        found.append(faces_in(net, picture, least, threshold))
    return Boxes.in_pictures(shown, found)
