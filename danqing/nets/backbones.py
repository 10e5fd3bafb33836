"""Networks that say what a picture looks like: the features that distances between sets of pictures are measured in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from danqing.core.disk import hash_of
from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.card import locate, read_card
from danqing.core.learned.model import Recogniser
from danqing.core.learned.weights import load
from danqing.core.pictures.contract import Images, check_images, from_uint8
from danqing.core.progress import Job, Progress
from danqing.maths.sketch import DIM as SKETCH_DIM
from danqing.maths.sketch import SIDE as SKETCH_SIDE
from danqing.maths.sketch import sketch_features
from danqing.nets import efficientnet_lite, inception, mobilenet_v2

MOBILENET_SIDE = 128  # px: of small pictures no more can be seen at ImageNet's 224
Look = Callable[[Images], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class FeatureNet:
    """A network as scores use it, with what a score's recipe must say of it.

    Attributes:
        name: what it is called.
        dim: length D of its feature vector.
        classes: number K of classes that it knows.
        class_names: what these are called, where that is known.
        sha256: of its weights.
        resize: how a picture comes to the network's size, in words.
        colour: how a picture comes to the network's channels, in words.
        chunk: pictures it takes at a time; fixed, so that a picture's features do not depend on its company.
        look: features (B, D) and class probabilities (B, K) of pictures.
    """

    name: str
    dim: int
    classes: int
    class_names: tuple[str, ...]
    sha256: str
    resize: str
    colour: str
    chunk: int
    look: Look

    def __call__(self, x: Images) -> Tensor:
        """Features (B, D), float32."""
        return self._both(x)[0]

    def probabilities(self, x: Images) -> Tensor:
        """Class probabilities (B, K), float32."""
        return self._both(x)[1]

    @property
    def official(self) -> bool:
        """Whether a Fréchet distance on these features is the FID."""
        return self.name == "inception"

    @property
    def recipe(self) -> dict[str, Any]:
        """What must be said beside every number measured with it."""
        return {"features": self.name, "weights": self.sha256, "resize": self.resize, "colour": self.colour}

    def describe(self, pictures: NDArray[np.uint8], words: str = "") -> Job[tuple[Tensor, Tensor]]:
        """Look at a whole set, a chunk at a time; the set (N, C, H, W) may be larger than memory.

        Returns:
            Features (N, D) and class probabilities (N, K).
        """
        found: list[tuple[Tensor, Tensor]] = []
        for at in range(0, len(pictures), self.chunk):
            chunk = np.ascontiguousarray(pictures[at : at + self.chunk])
            found.append(self._full(from_uint8(chunk.transpose(0, 2, 3, 1))))
            yield Progress(at + len(chunk), len(pictures), words)
        features, probabilities = zip(*found, strict=True)
        return torch.cat(features), torch.cat(probabilities)

    def _both(self, x: Images) -> tuple[Tensor, Tensor]:
        parts = [self._full(part) for part in check_images(x).split(self.chunk)]
        features, probabilities = zip(*parts, strict=True)
        return torch.cat(features), torch.cat(probabilities)

    @torch.no_grad()
    def _full(self, x: Images) -> tuple[Tensor, Tensor]:
        """Fill the chunk up with its last picture, look, and drop the filling."""
        filling = x[-1:].expand(self.chunk - len(x), -1, -1, -1)
        features, probabilities = self.look(torch.cat([x, filling]))
        return features[: len(x)].float(), probabilities[: len(x)].float()


def feature_net(name: str, weights: Path | None = None) -> FeatureNet:
    """Find a feature network by its name or file.

    Args:
        name: ``digits`` or any other recogniser (bundled name or file); ``efficientnet-lite0``; ``mobilenet-v2``, as
            far as it is bundled, which no generator learns through; ``sketch``, a formula; ``inception``; or a file of
            inception's weights, which means the same.
        weights: the file of ``inception``'s weights, which only the user can supply.

    Raises:
        ParameterError: if ``inception`` comes without weights, or another network with them.
        ModelFileError: if there is no such recogniser, or a weights file does not fit.
    """
    if name == "inception":
        return _inception(weights)
    if weights is not None:
        raise ParameterError(f"{name} brings its own weights", where="weights", remedy="Leave them out")
    if name == "efficientnet-lite0":
        return _efficientnet()
    if name == "mobilenet-v2":
        return _mobilenet()
    if name == "sketch":
        return _sketch()
    return _inception(Path(name)) if _is_foreign(Path(name)) else _recogniser(name)


def _is_foreign(file: Path) -> bool:
    """Whether a weights file is not danqing's own: a .pth, or a .safetensors without a card."""
    if not file.is_file():
        return False
    try:
        read_card(file)
    except ModelFileError:
        return True
    return False


def _recogniser(name: str) -> FeatureNet:
    model = load(name, kind=Recogniser)
    size, channels = model.config["size"], model.config["channels"]
    look = _watching(model)
    with torch.no_grad():
        features, _ = look(torch.zeros(1, channels, size, size))
    return FeatureNet(
        name=Path(name).stem,
        dim=features.shape[1],
        classes=model.config["classes"],
        class_names=tuple(map(str, model.card.get("classes", ()))),
        sha256=hash_of(locate(name)),
        resize=f"to {size}×{size} by the recogniser",
        colour="RGB" if channels == 3 else "grey",
        chunk=64,
        look=look,
    )


def _watching(model: Recogniser) -> Look:
    """Name pictures and catch the features on their way, which a family would otherwise compute twice."""
    compute: Callable[[Images], Tensor] = model.features
    caught: list[Tensor] = []

    def features(x: Images) -> Tensor:
        caught[:] = [compute(x)]
        return caught[0]

    def look(x: Images) -> tuple[Tensor, Tensor]:
        caught.clear()
        x = x.contiguous(memory_format=torch.channels_last)
        chances = model.predict(x)
        return caught.pop() if caught else compute(x), chances

    vars(model)["features"] = features
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return look


def _sketch() -> FeatureNet:
    """No net: the features that a training watches itself by; there are no classes."""

    def look(x: Images) -> tuple[Tensor, Tensor]:
        return sketch_features(x), x.new_ones(len(x), 1)

    return FeatureNet("sketch", SKETCH_DIM, 1, (), "", f"by area to {SKETCH_SIDE}×{SKETCH_SIDE}", "RGB", 64, look)


def _efficientnet() -> FeatureNet:
    net = efficientnet_lite.efficientnet_lite0()
    side = efficientnet_lite.SIDE

    def look(x: Images) -> tuple[Tensor, Tensor]:
        resized = functional.interpolate(_rgb(x), (side, side), mode="bilinear", antialias=True).clamp(0, 1)
        features = net.features(resized.contiguous(memory_format=torch.channels_last))
        return features, net.logits(features).softmax(1)

    return FeatureNet(
        name="efficientnet-lite0",
        dim=efficientnet_lite.DIM,
        classes=efficientnet_lite.CLASSES,
        class_names=(),
        sha256=hash_of(efficientnet_lite.bundled_weights()),
        resize=f"bilinear with antialias to {side}×{side}",
        colour="RGB",
        chunk=8,
        look=look,
    )


def _mobilenet() -> FeatureNet:
    """The narrow maps after the last bundled block, their means over the picture; there are no classes."""
    net = mobilenet_v2.mobilenet_v2_maps()

    def look(x: Images) -> tuple[Tensor, Tensor]:
        side = MOBILENET_SIDE
        resized = functional.interpolate(_rgb(x), (side, side), mode="bilinear", antialias=True).clamp(0, 1)
        maps = net.maps(resized.contiguous(memory_format=torch.channels_last), (), (mobilenet_v2.LAST,))
        return maps[f"outer {mobilenet_v2.LAST}"].mean((2, 3)), x.new_ones(len(x), 1)

    return FeatureNet(
        name="mobilenet-v2",
        dim=mobilenet_v2.LAST_WIDTH,
        classes=1,
        class_names=(),
        sha256=hash_of(mobilenet_v2.BUNDLED),
        resize=f"bilinear with antialias to {MOBILENET_SIDE}×{MOBILENET_SIDE}",
        colour="RGB",
        chunk=32,
        look=look,
    )


def _inception(weights: Path | None) -> FeatureNet:
    if weights is None:
        raise ParameterError(
            "inception's weights do not come with danqing",
            where="weights",
            remedy="Name the file instead of inception: the state dict known as pt_inception-2015-12-05-6726825d.pth",
        )
    net = inception.inception_from(weights)

    def look(x: Images) -> tuple[Tensor, Tensor]:
        features = net.features(_rgb(x).contiguous(memory_format=torch.channels_last))
        return features, net.logits(features).softmax(1)

    return FeatureNet(
        name="inception",
        dim=inception.DIM,
        classes=inception.CLASSES,
        class_names=(),
        sha256=hash_of(weights),
        resize=f"8 bit, then bilinear as TensorFlow 1 to {inception.SIDE}×{inception.SIDE}",
        colour="RGB",
        chunk=4,
        look=look,
    )


def _rgb(x: Images) -> Images:
    return x.expand(-1, 3, -1, -1)
