"""What nets that enlarge or sharpen would take for detail, taken away before they see a picture."""

from __future__ import annotations

from danqing.core.operators.use import use
from danqing.core.pictures.contract import Images, Mask

LEFT = "shading,scratches,stains,fading,blur"  # steps of `repair` that do no more than clean


def cleaned(x: Images, seen: Mask | None) -> Images:
    """Take noise and the blocks of JPEG out of pictures (B, C, H, W) of an opacity, where ``repair`` would."""
    made: Images = use("repair")(x, never=LEFT, alpha=seen).picture
    return made


__all__ = ["cleaned"]
