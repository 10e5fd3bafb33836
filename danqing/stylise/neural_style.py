"""The operator neural_style."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Generator
from torch.nn import functional

from danqing.core.fields.net import Net
from danqing.core.fields.number import Range
from danqing.core.fields.painting import Painting
from danqing.core.fields.seed import Seed
from danqing.core.fields.strengths import Strengths
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, shared
from danqing.maths.style_choice import laid_over, reduced, styles_for
from danqing.nets.neural_style import USUAL, Model, painted
from danqing.nets.style_features import style_features

MOST = 2**21  # pixels that are painted; more would take an hour, and strokes have no finer detail


@operator(version=3)
def neural_style(
    x: Images,
    style: Painting,
    style2: Painting | None = None,
    style3: Painting | None = None,
    mask: Mask | None = None,
    mask2: Mask | None = None,
    mask3: Mask | None = None,
    strength: Strengths = (1.0,),
    colours: Literal["painting", "photograph"] = "painting",
    scale: Annotated[float, Range(0.25, 4)] = 1.0,
    steps: Annotated[int, Range(1, 1000)] = 100,
    seed: Seed = 0,
    backbone: Net = "mobilenet-v2",
) -> Job[Images]:
    """Paint pictures anew in the style of paintings, stroke by stroke, which takes a while.

    The picture is changed, coarse to fine, until a net sees the painting's texture in it and still the same things.
    Half a megapixel takes about a minute; ``style_model`` is there at once, with looser strokes. Films are for
    ``style_film``.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        style: the painting, of any size: one for all pictures, or one for each.
        style2: a second painting to mix in, or for another place.
        style3: a third one.
        mask: where the first painting goes, 1 (white) means "here", of the size of the pictures; elsewhere they stay as
            they are, unless another painting goes there.
        mask2: where the second painting goes.
        mask3: where the third one goes.
        strength: how much style counts against content, 0 leaves pictures as they are; of several paintings one number
            each, such as 0.7,0.3, whose sum is the strength of the whole.
        colours: those of the painting, or those the photograph has: what is grey stays grey.
        scale: the size of strokes; 1 is that of a painting as large as the picture.
        steps: changes at the smallest size; the larger ones take fewer. Fewer are faster and rougher.
        seed: fixes the small random moves of the picture that keep the net's own grid from being painted into it.
        backbone: the net that looks: mobilenet-v2, efficientnet-lite0, or a file of VGG16's weights as torchvision has
            them, which does not come with danqing.

    Returns:
        A job with colour pictures of the same size; above 2 megapixels they are painted smaller and enlarged.

    Raises:
        ParameterError: if a painting is smaller than 8 px, a mask marks nothing or has another size, or numbers do not
            pair up.
        ModelFileError: if the backbone is unknown, or its file holds no VGG16.

    Source: L. Gatys et al., "Image style transfer using convolutional neural networks", 2016; with a Laplacian pyramid
    whose finest level is brightness alone, centred covariances and small nets: danqing.

    Examples:
        danqing neural_style photo.png --style painting.jpg --steps 1 --out painted.png
        danqing neural_style photo.png --style a.jpg --style2 b.jpg --strength 0.7,0.3 --steps 1 --out both.png
    """
    features, pieces = style_features(backbone), []
    for at in range(len(x)):
        whole = x[at : at + 1].expand(-1, 3, -1, -1)
        asked = styles_for(
            x, at, [style, style2, style3], [mask, mask2, mask3], strength, scale, colours == "photograph"
        )
        if asked.strength == 0:
            pieces.append(whole)
            continue
        picture = reduced(whole, MOST)
        share = (picture.shape[2] / x.shape[2]) ** 2
        models = [
            Model(reduced(each.picture, _pixels(each.picture, share)), each.share, each.mask) for each in asked.wanted
        ]
        work = painted(picture, models, features, Generator().manual_seed(seed), steps, USUAL * asked.strength)
        made = yield from shared(work, at, 1, total=len(x))
        if picture is not whole:
            note(f"it was painted at {picture.shape[3]} x {picture.shape[2]} px, and enlarged")
            made = functional.interpolate(made, x.shape[2:], mode="bicubic", align_corners=False).clamp(0, 1)
        pieces.append(laid_over(whole, made, asked))
    return torch.cat(pieces)


def _pixels(painting: Images, share: float) -> int:
    return max(64, round(share * painting.shape[2] * painting.shape[3]))
