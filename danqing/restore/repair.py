"""The operator repair."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Literal, NamedTuple

import torch

from danqing.core import tiles
from danqing.core.files import load
from danqing.core.images import Images, Mask
from danqing.core.model import Restorer
from danqing.core.params import Range
from danqing.core.progress import Job, Progress
from danqing.core.registry import Finding, Operator, operator
from danqing.maths.colour import brightness
from danqing.maths.damage import filled, noise_level
from danqing.maths.edge_widths import FEWEST, edge_widths
from danqing.maths.jpeg_history import history
from danqing.maths.noise import by_patches
from danqing.maths.scratches import scratches

POOR = 80  # JPEG quality below which blocks and ripples are seen
NOISY = 3.0  # σ on the 0–255 scale below which nobody sees noise
SCRATCHED = 2e-4  # share of pixels
FADED = 0.75  # span of brightness from the darkest to the lightest hundredth, below which a picture looks faded
STAINED = 0.06  # how far apart the whites, or blacks, of the three colours may lie
SOFT = 1.2  # px: width of the sharper edges, above which a picture is blurred
ENDS = (0.005, 0.995)  # what becomes black and white
Step = Callable[[Images], Job[Images]]


class Seen(NamedTuple):
    """What ails one picture, in the order of mending."""

    jpeg: int | None
    noise: float | None
    scratches: float
    faded: bool
    blur: float | None
    holes: Mask


@operator
def repair(
    x: Images,
    strength: Annotated[float, Range(0, 1)] = 1.0,
    scratched: bool = False,
    output: Literal["picture", "steps"] = "picture",
    size: Literal["tiny", "base"] = "base",
) -> Job[Finding]:
    """Look what ails a photograph and mend it: compression, noise, scratches, faded colours, blur.

    Each step is done only if it is needed, on what the steps before have left.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        strength: share of every change that is made.
        scratched: also mend what looks like scratches; off, since wood grain and wires look like them, too.
        output: the mended pictures, or for each one the steps side by side, from the first state to the last.
        size: of the net that takes away noise: base, or the faster tiny.

    Returns:
        A job with what was found in each picture: ``jpeg`` (quality, null if there is no trace), ``noise`` (σ on the
        0–255 scale), ``scratches`` (share of the pixels), ``faded``, ``blur`` (px), and the ``steps`` taken; and the
        pictures, which stay as they are where nothing ails them.

    Source: danqing, from ``jpeg_quality``, ``noise_level``, ``scratches`` and ``sharpness``, and the learned
    ``dejpeg``, ``denoise``, ``inpaint`` and ``deblur``; fading: each colour's darkest and lightest become black and
    white.

    Examples:
        danqing repair old.png --out mended.png
        danqing repair old.png --scratched --output steps --out steps.png
    """
    numbers, shown = [], []
    for at in range(len(x)):
        yield Progress(at, len(x), "looking")
        seen = examine(x[at : at + 1])
        states = [x[at : at + 1]]
        steps: list[str] = []
        for name, mended in _chain(states[0], seen, size, scratched):
            yield Progress(at, len(x), name)
            made = yield from mended(states[-1])
            states.append(torch.lerp(states[-1], made, strength))
            steps.append(name)
        numbers.append({**seen._asdict(), "steps": steps})
        del numbers[-1]["holes"]
        shown.append(torch.cat(states, -1) if output == "steps" else states[-1])
    return Finding(numbers, _side_by_side(shown))


def examine(picture: Images) -> Seen:
    """Look at one picture (1, C, H, W)."""
    told = history(picture)[0][0]
    level = 255 * float(by_patches(picture)[0])
    holes = scratches(picture)
    widths = edge_widths(brightness(picture)[0, 0].double().cpu().numpy())
    wide = float(torch.from_numpy(widths).quantile(0.1)) if widths.size >= FEWEST else None
    return Seen(
        told["quality"], level if level == level else None, float(holes.mean()), _is_faded(picture), wide, holes
    )  # fmt: skip


def _chain(picture: Images, seen: Seen, size: str, scratched: bool) -> Iterator[tuple[str, Step]]:
    """The steps that a picture needs: a name, and what to do with the state before it."""
    if seen.jpeg is not None and seen.jpeg < POOR:
        known = picture.new_tensor([float(seen.jpeg)])
        yield "compression", lambda x: _restored("dejpeg-small", x, level=known)
    elif seen.noise is not None and seen.noise > NOISY:  # what JPEG leaves is not white noise
        yield "noise", lambda x: _restored(f"denoise-{size}", x, level=noise_level(x))
    if scratched and SCRATCHED < seen.scratches < 0.5:
        yield "scratches", lambda x: _restored("inpaint-small", filled(x, seen.holes), seen.holes)
    if seen.faded:
        yield "faded colours", _revived
    if seen.blur is not None and seen.blur > SOFT:
        yield "blur", lambda x: _restored("deblur-small", x)


def _restored(name: str, x: Images, mask: Mask | None = None, **known: torch.Tensor) -> Job[Images]:
    """Restore a picture with bundled weights, tile by tile; holes are filled already."""
    model = load(name, kind="Restorer")
    assert isinstance(model, Restorer)

    def local(x: Images, mask: Mask | None = None) -> Images:
        return model.restore(x, **known, **({} if mask is None else {"mask": mask, "begin": x}))

    return tiles.run(Operator(local, "repair", "restore", model.reach), x, {"mask": mask})


def _ends(picture: Images) -> tuple[torch.Tensor, torch.Tensor]:
    """The darkest and the lightest value of each channel, (C,), but for a few pixels."""
    ranked = picture[0].flatten(1).sort(1).values
    at = [min(ranked.shape[1] - 1, int(share * ranked.shape[1])) for share in ENDS]
    return ranked[:, at[0]], ranked[:, at[1]]


def _is_faded(picture: Images) -> bool:
    dark, light = _ends(picture)
    span = float(light.max() - dark.min())
    stained = max(float(light.max() - light.min()), float(dark.max() - dark.min()))
    return 0.02 < span < FADED or (span < 0.95 and stained > STAINED and float(dark.min()) > STAINED)


def _revived(picture: Images) -> Job[Images]:
    """Stretch every channel so that its darkest is black and its lightest white."""
    yield from ()
    dark, light = (end.view(1, -1, 1, 1) for end in _ends(picture))
    return ((picture - dark) / (light - dark).clamp(min=0.02)).clamp(0, 1)


def _side_by_side(pictures: list[Images]) -> Images:
    """One batch; strips of different lengths are filled up with white."""
    widest = max(picture.shape[-1] for picture in pictures)
    channels = max(picture.shape[1] for picture in pictures)
    rows = [torch.ones(1, channels, picture.shape[-2], widest).to(picture) for picture in pictures]
    for row, picture in zip(rows, pictures, strict=True):
        row[..., : picture.shape[-1]] = picture
    return torch.cat(rows)
