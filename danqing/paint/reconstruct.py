"""What an autoencoder makes of a picture."""

from __future__ import annotations

import torch

from danqing.core.learned.painting import Autoencoder
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images


@operator
def reconstruct(x: Images, weights: Autoencoder) -> Images:
    """Write pictures as a few numbers and paint them again from these.

    What comes back shows what the model has understood; what is lost it has not. The middle square of a picture is
    resized to the model's size first. A conditional model first names each picture's likeliest class.

    Args:
        x: pictures of any size.
        weights: a trained vae or codec: a run folder or a .safetensors file.

    Returns:
        pictures of the model's size and channels.

    Source: Kingma & Welling 2014, arXiv:1312.6114, with the mean of the posterior in place of a draw from it.

    Examples:
        danqing reconstruct photo.png --weights runs/vae-1 --out again.png
    """
    with torch.no_grad():
        return torch.cat([weights.reconstruct(picture).float() for picture in x.split(1)])
