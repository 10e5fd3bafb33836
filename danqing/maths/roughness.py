"""Where texture runs through what is hidden of a picture."""

from __future__ import annotations

import numpy as np
import torch

from danqing.core.pictures.contract import Images, Mask
from danqing.maths.colour import brightness

FINE = 1.5  # px: σ of the blur that parts texture from what it lies on
AROUND = 15  # px: side of the window in which texture is measured
ROUGH = 0.02  # standard deviation of brightness from which there is texture
DEEP = 3.0  # px: half the width from which a hole is wider than a line


def through_texture(x: Images, holes: Mask) -> Mask:
    """Which holes (B, 1, H, W) are wider than a line and lie in texture; x (B, C, H, W) holds something smooth there.

    Source: danqing: of connected holes, the largest distance from the rim, and the standard deviation of fine
        brightness in what is known around.
    """
    import cv2

    kept = np.zeros((len(x), 1, *x.shape[-2:]), np.float32)
    window = (AROUND, AROUND)
    for out, light, hole in zip(kept[:, 0], brightness(x)[:, 0].cpu().numpy(), holes[:, 0].cpu().numpy(), strict=True):
        fine = light - cv2.GaussianBlur(light, (0, 0), FINE)
        known = (hole <= 0).astype(np.float32)
        share = np.maximum(cv2.blur(known, window), 1e-3)
        rough = np.sqrt(np.maximum(cv2.blur(fine * fine * known, window), 0) / share)
        deep = cv2.distanceTransform((hole > 0).astype(np.uint8), cv2.DIST_L2, 3)
        count, labels = cv2.connectedComponents((hole > 0).astype(np.uint8), connectivity=8)
        widest, total = np.zeros(count, np.float32), np.bincount(labels.ravel(), rough.ravel(), count)
        np.maximum.at(widest, labels.ravel(), deep.ravel())
        chosen = (widest > DEEP) & (total / np.maximum(np.bincount(labels.ravel(), minlength=count), 1) > ROUGH)
        chosen[0] = False
        out[...] = chosen[labels]
    return torch.from_numpy(kept).to(x)
