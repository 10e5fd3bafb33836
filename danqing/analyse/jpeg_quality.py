"""The operator jpeg_quality."""

from __future__ import annotations

from danqing.core.artefacts.figures import Figures
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.colour import heat
from danqing.maths.jpeg_history import history
from danqing.maths.opacity import opacity_of, unhidden, weights_of


@operator(version=2)
def jpeg_quality(x: Images, alpha: Mask | None = None) -> Job[Figures]:
    """Estimate at which JPEG quality pictures were saved before, from nothing but the pixels.

    Args:
        x: pictures (B, C, H, W) in [0, 1], not resized since.
        alpha: opacity (B, 1, H, W), by default the pictures' own; what is not seen at all does not count.

    Returns:
        For each picture ``quality`` (1–100, of the standard tables; null if there is no trace, which is also so from 98
        on), ``certainty`` (how much better its table explains the pixels than none, in nats a coefficient),
        ``grid`` (column and row at which the blocks begin: not 0, 0 in a picture that was cropped) and ``blockiness``
        (how much larger steps are at block borders than within; 0 no blocks); and a map (B, 3, H, W) of the steps at
        block borders, bright where blocks are seen.

    Source: Z. Fan, R. de Queiroz, "Identification of bitmap compression history: JPEG detection and quantizer
    estimation", 2003; tables scaled as by the Independent JPEG Group.

    Examples:
        danqing jpeg_quality photo.png --json
        danqing jpeg_quality photo.png --out blocks.png
    """
    opacity = opacity_of(x, alpha)
    seen = weights_of(x, opacity) > 0
    visible = unhidden(x, opacity)
    yield Progress(0.1, 1, "trying tables and grids")
    found, steps = history(visible, seen)
    return Figures(found, heat((steps.to(seen.device) * seen)[:, None].float()))
