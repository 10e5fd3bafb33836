"""The operator compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.fidelity import MS_SSIM_SIDE, SSIM_SIDE, luma, ms_ssim, mse, psnr, ssim
from danqing.maths.opacity import opacity_of

GROUNDS = (0.0, 1.0)  # black and white: what differs in opacity alone differs on one of them at least


@operator
def compare(
    x: Images,
    y: Images,
    channel: Literal["rgb", "y"] = "rgb",
    border: Annotated[int, Range(0, 64, "px")] = 0,
    alpha: Mask | None = None,
    y_alpha: Mask | None = None,
) -> Job[Figures]:
    """Measure how far pictures are from what they should be.

    The PSNR of the same two pictures differs by some 2 dB between RGB and Y: compare numbers of one recipe only. Every
    result names its own. Transparent pictures are laid over black and over white, and each figure is the worse of both:
    so what differs in opacity alone is seen, and what lies hidden is not.

    Args:
        x: the pictures to be judged (B, C, H, W) in [0, 1].
        y: the originals, of the same height and width: one for each picture, or one for all; grey is seen as colour.
        channel: rgb measures all channels; y the luma of BT.601, on which super-resolution is usually reported.
        border: how much of the rim is left out, as is usual for super-resolution.
        alpha: opacity (B, 1, H, W) of the pictures, by default their own.
        y_alpha: opacity of the originals, by default their own.

    Returns:
        For each pair ``mse``, ``psnr`` in dB (null for equal pictures, where it is infinite), ``ssim``, ``ms_ssim``
        (both null, with the reason in ``refused``, for pictures that are too small for their windows),
        ``max_difference`` and the ``recipe``; and a map of the difference (B, 3, H, W) from black over red and yellow
        to white, its largest value white.

    Raises:
        ParameterError: if the pictures differ in size, do not pair up, or nothing is left within the border.

    Source: Wang et al. 2004, Image quality assessment, eq. 13 (SSIM); Wang, Simoncelli & Bovik 2003, Multi-scale
    structural similarity, eq. 7 (MS-SSIM); PSNR for a peak of 1.

    Examples:
        danqing compare restored.png original.png
        danqing compare enlarged.png original.png --channel y --border 4 --json
    """
    opacities = opacity_of(x, alpha), opacity_of(y, y_alpha, "y_alpha")
    grounds = GROUNDS if any(each is not None for each in opacities) else GROUNDS[:1]
    pairs = [
        _paired(*(laid_on(*each, (ground,)) for each in zip((x, y), opacities, strict=True))) for ground in grounds
    ]
    within = [tuple(_cut(luma(z) if channel == "y" else z, border) for z in pair) for pair in pairs]
    told = {"recipe": _recipe(channel, border, len(grounds) > 1), "refused": _refusals(within[0][0])}
    tables: list[dict[str, list[Any]]] = []
    for pair in within:
        yield Progress(len(tables), len(within), "measuring differences")
        tables.append(_measured(*pair))
    table = _worst(tables)
    numbers = [{**dict(zip(table, row, strict=True)), **told} for row in zip(*table.values(), strict=True)]
    return Figures(numbers, _map(torch.stack([(x - y).abs().mean(1, keepdim=True) for x, y in pairs]).amax(0)))


def _measured(x: Images, y: Images) -> dict[str, list[Any]]:
    return {
        "mse": mse(x, y).tolist(),
        "psnr": [_finite(db) for db in psnr(x, y).tolist()],
        "ssim": _if_large_enough(ssim, SSIM_SIDE, x, y),
        "ms_ssim": _if_large_enough(ms_ssim, MS_SSIM_SIDE, x, y),
        "max_difference": (x - y).abs().amax((1, 2, 3)).tolist(),
    }


def _worst(tables: list[dict[str, list[Any]]]) -> dict[str, list[Any]]:
    """Of each figure the one that tells of the larger difference; None is that of a PSNR without end, or of nothing."""
    out: dict[str, list[Any]] = {}
    for name in tables[0]:
        pick = max if name in ("mse", "max_difference") else min
        rows = zip(*(table[name] for table in tables), strict=True)
        out[name] = [pick((each for each in row if each is not None), default=None) for row in rows]
    return out


def _paired(x: Images, y: Images) -> tuple[Images, Images]:
    if x.shape[-2:] != y.shape[-2:]:
        raise ParameterError(
            f"pictures of {x.shape[-1]}×{x.shape[-2]} and {y.shape[-1]}×{y.shape[-2]} px cannot be compared",
            where="y",
            remedy="Resize or crop one of them first",
        )
    if len(y) not in (1, len(x)):
        raise ParameterError(f"{len(y)} originals do not pair up with {len(x)} pictures", where="y")
    channels = max(x.shape[1], y.shape[1])
    return x.expand(-1, channels, -1, -1), y.expand(len(x), channels, -1, -1)


def _cut(x: Images, border: int) -> Images:
    height, width = x.shape[-2:]
    if min(height, width) <= 2 * border:
        raise ParameterError(f"{border} px leave nothing of {width}×{height}", where="border")
    return x[..., border : height - border, border : width - border]


def _if_large_enough(measure: Callable[[Images, Images], Tensor], side: int, x: Images, y: Images) -> list[Any]:
    return measure(x, y).tolist() if min(x.shape[-2:]) >= side else [None] * len(x)


def _refusals(x: Images) -> str:
    height, width = x.shape[-2:]
    missed = [
        f"{name} needs {side}×{side} px"
        for name, side in (("SSIM", SSIM_SIDE), ("MS-SSIM", MS_SSIM_SIDE))
        if min(height, width) < side
    ]
    return f"{' and '.join(missed)}; these are {width}×{height}" if missed else ""


def _recipe(channel: str, border: int, transparent: bool) -> str:
    colour = "RGB, all channels alike" if channel == "rgb" else "Y of BT.601, 16…235 of 255"
    recipe = f"{colour}; data range 1; border {border} px; SSIM window Gaussian 11×11, sigma 1.5, inside the picture"
    return f"{recipe}; over black and over white, the worse counts" if transparent else recipe


def _finite(value: float) -> float | None:
    return value if value < float("inf") else None


def _map(difference: Images) -> Images:
    """Show differences (B, 1, H, W) in the colours of a glowing body, white where they are largest."""
    glow = 3 * (difference / difference.amax((1, 2, 3), keepdim=True).clamp_min(1 / 255)).sqrt()  # small ones show too
    return torch.cat([glow, glow - 1, glow - 2], 1).clamp(0, 1)
