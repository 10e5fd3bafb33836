"""The operator repair."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import torch

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.learned.model import Restorer
from danqing.core.operators import tiles
from danqing.core.operators.operator import operator
from danqing.core.operators.use import use
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.colour import brightness
from danqing.maths.damage import filled
from danqing.maths.edge_widths import FEWEST, edge_widths
from danqing.maths.jpeg_history import history
from danqing.maths.scratches import LENIENT, scratches
from danqing.nets.noise_estimate import estimate_noise

POOR = 80  # JPEG quality below which blocks and ripples are seen
NOISY = 3.0  # σ on the 0–255 scale below which nobody sees noise
SCRATCHED = 2e-4  # share of pixels
FADED = 0.75  # span of brightness from the darkest to the lightest hundredth, below which a picture looks faded
STAINED = 0.06  # how far apart the whites, or blacks, of the three colours may lie
SOFT = 1.2  # px: width of the sharper edges, above which a picture is blurred
ENDS = (0.005, 0.995)  # what becomes black and white
BLACK = 0.03  # what the darkest places of a fresh print let through
DENSER = (0.5, 4.0)  # times that a dye is made denser, at least and at most
DENSEST = 1.5  # times that the densest dye is made denser at most: some photographs are pale by nature


class Ill(NamedTuple):
    """One thing that may ail a picture.

    Attributes:
        step: the name of what is done against it.
        key: under what name its figure is told.
        look: finds it in a picture (1, C, H, W): its figure, whether something is to be done, and what that needs.
        mend: given the picture and what it needs, a job with the mended one.
    """

    step: str
    key: str
    look: Callable[[Images], tuple[Any, bool, Any]]
    mend: Callable[[Images, Any], Job[Images]]


@operator(version=2)
def repair(
    x: Images,
    strength: Annotated[float, Range(0, 1)] = 1.0,
    scratched: bool = False,
    output: Literal["picture", "steps"] = "picture",
    size: Literal["tiny", "base"] = "base",
) -> Job[Figures]:
    """Look what ails a photograph and mend it: compression, noise, scratches, faded colours, blur.

    Each is looked for in what the steps before have left, and done only if it is needed.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        strength: share of every change that is made.
        scratched: also mend what looks like scratches; off, since wood grain and wires look like them, too.
        output: the mended pictures, or for each one the steps side by side, from the first state to the last.
        size: of the net that takes away noise: base, or the faster tiny.

    Returns:
        A job with what was found in each picture, when it was looked for: ``jpeg`` (quality, null if there is no
        trace), ``noise`` (σ on the 0–255 scale), ``scratches`` (share of the pixels), ``faded``, ``blur`` (px), and the
        ``steps`` taken; and the pictures, which stay as they are where nothing ails them.

    Source: danqing, from ``jpeg_quality``, ``noise_level``, ``scratches`` and ``sharpness``, and the learned
    ``dejpeg``, ``denoise``, ``inpaint`` and ``deblur``; fading: every dye is made as dense as the darkest places
    need it, by the law of Beer and Lambert.

    Examples:
        danqing repair old.png --out mended.png
        danqing repair old.png --scratched --output steps --out steps.png
    """
    numbers, shown = [], []
    for at in range(len(x)):
        states, steps = [x[at : at + 1]], []
        figures: dict[str, Any] = {}
        ills = _ills(size)
        for number, ill in enumerate(ills):
            yield Progress(at + number / len(ills), len(x), ill.step)
            figures[ill.key], wanted, needs = ill.look(states[-1])
            if not wanted or (ill.step == "scratches" and not scratched):
                continue
            if ill.step == "noise" and "compression" in steps:
                continue  # what JPEG leaves is not white noise
            made = yield from ill.mend(states[-1], needs)
            states.append(torch.lerp(states[-1], made, strength))
            steps.append(ill.step)
        numbers.append({**figures, "steps": steps})
        shown.append(torch.cat(states, -1) if output == "steps" else states[-1])
    return Figures(numbers, _side_by_side(shown))


def _ills(size: str) -> tuple[Ill, ...]:
    """What is looked for, in the order of mending."""
    return (
        Ill("compression", "jpeg", _compression, lambda x, told: _restored("dejpeg-small", x, level=told)),
        Ill("noise", "noise", _noise, lambda x, told: _restored(f"denoise-{size}", x, level=told)),
        Ill("scratches", "scratches", _scratches, _painted_over),
        Ill("faded colours", "faded", _fading, lambda x, _: _at_once(_revived(x))),
        Ill("blur", "blur", _blur, lambda x, _: _restored("deblur-small", x)),
    )


def _compression(x: Images) -> tuple[int | None, bool, Images]:
    quality = history(x)[0][0]["quality"]
    return quality, quality is not None and quality < POOR, x.new_tensor([float(quality or 0)])


def _noise(x: Images) -> tuple[float | None, bool, torch.Tensor]:
    estimate = estimate_noise(x)
    known = 255 * float(estimate.level[0])
    return (None if math.isnan(known) else known), known > NOISY, estimate.told  # nothing is more than NaN


def _scratches(x: Images) -> tuple[float, bool, Images]:
    """Scratches on faded paper stand out once its colours are revived."""
    revived = _revived(x)
    share = float(scratches(revived).mean())
    return share, SCRATCHED < share < 0.5, revived


def _painted_over(x: Images, revived: Images) -> Job[Images]:
    """Paint over scratches; where there are some, what might be one is one."""
    holes = scratches(revived, strength=LENIENT)
    return _restored("inpaint-small", filled(x, holes), holes)


def _fading(x: Images) -> tuple[bool, bool, None]:
    faded = _is_faded(x)
    return faded, faded, None


def _blur(x: Images) -> tuple[float | None, bool, None]:
    widths = edge_widths(brightness(x)[0, 0].double().cpu().numpy())
    wide = float(torch.from_numpy(widths).quantile(0.1)) if widths.size >= FEWEST else None
    return wide, wide is not None and wide > SOFT, None


def _restored(name: str, x: Images, mask: Mask | None = None, **known: torch.Tensor) -> Job[Images]:
    """Restore a picture with bundled weights, tile by tile; holes are filled already."""
    model = use(name, Restorer)

    def net(x: Images, mask: Mask | None = None) -> Images:
        return model.restore(x, **known, **({} if mask is None else {"mask": mask, "begin": x}))

    return tiles.local(net, x, model.reach, mask=mask)


def _ends(picture: Images) -> tuple[torch.Tensor, torch.Tensor]:
    """The darkest and the lightest value of each channel, (C,), but for a few pixels."""
    planes = picture[0].flatten(1)
    dark, light = (
        planes.kthvalue(1 + min(planes.shape[1] - 1, int(share * planes.shape[1])), 1).values for share in ENDS
    )
    return dark, light


def _is_faded(picture: Images) -> bool:
    dark, light = _ends(picture)
    span = float(light.max() - dark.min())
    stained = max(float(light.max() - light.min()), float(dark.max() - dark.min()))
    return 0.02 < span < FADED or (span < 0.95 and stained > STAINED and float(dark.min()) > STAINED)


def _revived(picture: Images) -> Images:
    """Make every dye as dense again as the darkest places need it, and the lightest places white.

    Dyes that bleach lose a share of their density, which is the logarithm of what they let through: see
    :func:`danqing.maths.degradation.faded`.
    """
    dark, light = (end.view(1, -1, 1, 1).clamp(min=1e-3) for end in _ends(picture))
    density = -(dark / light).clamp(1e-3, 0.98).log()
    wanted = min(-math.log(BLACK), DENSEST * float(density.max()))
    return (picture / light).clamp(0, 1) ** (wanted / density).clamp(*DENSER)


def _at_once(picture: Images) -> Job[Images]:
    """A job that is done already."""
    yield from ()
    return picture


def _side_by_side(pictures: list[Images]) -> Images:
    """One batch; strips of different lengths are filled up with white."""
    widest = max(picture.shape[-1] for picture in pictures)
    channels = max(picture.shape[1] for picture in pictures)
    rows = [torch.ones(1, channels, picture.shape[-2], widest).to(picture) for picture in pictures]
    for row, picture in zip(rows, pictures, strict=True):
        row[..., : picture.shape[-1]] = picture
    return torch.cat(rows)
