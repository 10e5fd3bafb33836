"""What of pictures is seen: colours that transparency hides are nobody's, and must never change an answer."""

from __future__ import annotations

import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.pictures.contract import Images, Mask

FAINTEST = 0.5 / 255


def opacity_of(x: Images, alpha: Mask | None, name: str = "alpha") -> Mask | None:
    """The opacity (B, 1, H, W) of pictures; None where all of them are opaque, which is to have none.

    What rounds to nothing or to all of 8 bits is nothing or all: nobody sees the difference.

    Raises:
        ParameterError: if it has another size than the pictures, or is not one, or one for each.
    """
    if alpha is None:
        return None
    if alpha.shape[-2:] != x.shape[-2:]:
        what = f"its {alpha.shape[3]}×{alpha.shape[2]} px do not fit pictures of {x.shape[3]}×{x.shape[2]} px"
        raise ParameterError(what, where=name)
    if len(alpha) not in (1, len(x)):
        raise ParameterError(f"{len(alpha)} of them do not pair up with {len(x)} pictures", where=name)
    if bool((alpha >= 1 - FAINTEST).all()):
        return None
    known = torch.where(alpha < FAINTEST, 0.0, torch.where(alpha >= 1 - FAINTEST, 1.0, alpha))
    return known.to(x).expand(len(x), -1, -1, -1)


def weights_of(x: Images, alpha: Mask | None) -> Tensor:
    """How much each pixel counts, (B, H, W) in [0, 1]: as much as is seen of it.

    Raises:
        ParameterError: for a picture of which nothing is seen.
    """
    if alpha is None:
        return x.new_ones(len(x), *x.shape[-2:])
    if not bool((alpha > 0).flatten(1).any(1).all()):
        what = "is wholly transparent: nothing of it is seen that could be measured"
        raise ParameterError(what, where="x", remedy="Lay it on a background first")
    return alpha[:, 0]


def unhidden(x: Images, alpha: Mask | None) -> Images:
    """Put the nearest colour that is seen in the place of colours that are not seen at all.

    So whatever looks at neighbourhoods meets no edge where a picture ends in transparency.
    """
    if alpha is None or bool((alpha > 0).all()):
        return x
    from scipy.ndimage import distance_transform_edt

    out = x.clone()
    for picture, hidden in zip(out, (alpha[:, 0] <= 0).cpu().numpy(), strict=True):
        if hidden.any() and not hidden.all():
            rows, columns = distance_transform_edt(hidden, return_distances=False, return_indices=True)
            picture.copy_(picture[:, torch.from_numpy(rows).long(), torch.from_numpy(columns).long()])
    return out


__all__ = ["opacity_of", "unhidden", "weights_of"]
