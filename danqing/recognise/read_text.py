"""The operator read_text."""

from __future__ import annotations

from typing import Annotated

from danqing.core.artefacts.boxes import Boxes
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.pictures.found import CORNERS, Found, Spot, Thing, inside
from danqing.core.progress import Job, Progress
from danqing.maths.opacity import opacity_of
from danqing.nets.text_reading import NEEDED, Line, lines_in


@operator(needs=NEEDED, extra="text")
def read_text(
    x: Images,
    threshold: Annotated[float, Range(0, 1)] = 0.5,
    side: Annotated[int, Range(64, 8192, "px")] = 1280,
    alpha: Mask | None = None,
) -> Job[Boxes]:
    """Find lines of text in pictures and read them: Chinese, English and digits, printed or on signs.

    Handwriting and other scripts are mostly read wrongly. It needs the extra ``danqing[text]``.

    Args:
        x: pictures of any size.
        threshold: how sure the reader must be of a line; lower tells more, and more that is not there.
        side: longer side in pixels to which a picture is shrunk to find lines in; larger finds smaller letters.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        for each picture its width and height and the lines in it, from above to below, each with its words as label,
        its score, its box (left, top, right, bottom in pixels) and its four corners; and the pictures with all of it
        drawn in.

    Raises:
        ParameterError: if the extra is not installed.

    Source: PP-OCRv4 by PaddlePaddle, as ``rapidocr-onnxruntime`` brings it.

    Examples:
        danqing read_text sign.jpg
        danqing read_text scans --out-dir read
    """
    shown, found = laid_on(x, opacity_of(x, alpha)), []
    for at, picture in enumerate(shown.split(1)):
        yield Progress(at, len(x), "reading")
        height, width = picture.shape[2:]
        lines = lines_in(picture.expand(-1, 3, -1, -1), side)
        things = (_thing(line, width, height) for line in lines if line.score >= threshold)
        found.append(Found(width, height, tuple(each for each in things if each is not None)))
    return Boxes.in_pictures(shown, found)


def _thing(line: Line, width: int, height: int) -> Thing | None:
    (left, top), (right, bottom) = line.corners.min(0).tolist(), line.corners.max(0).tolist()
    box = inside((left, top, right, bottom), width, height)
    spots = (Spot(name, float(x), float(y), line.score) for name, (x, y) in zip(CORNERS, line.corners, strict=True))
    return None if box is None else Thing(line.text, box, line.score, tuple(spots))
