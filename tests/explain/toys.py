"""Models whose explanation is known because they were made by hand."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor, nn

from danqing.core.learned.model import Painter, Recogniser, Restorer, Samples
from danqing.core.pictures.contract import Images

SIDE = 24
MARK = torch.tensor([[1.0, -1, 1], [-1, 1, -1], [1, -1, 1]])  # a chequered patch


class Seeker(Recogniser):
    """Sees whether the patch is anywhere in a grey picture; class 1 if it is."""

    def __init__(self, size: int = SIDE, channels: int = 1, classes: int = 2) -> None:
        super().__init__()
        self.seek = nn.Conv2d(1, 2, 3, padding=1, bias=False)
        with torch.no_grad():
            self.seek.weight.copy_(torch.stack([torch.full((3, 3), 0.01), MARK])[:, None])

    def features(self, x: Images) -> Tensor:
        found: Tensor = self.seek(x).relu()
        return found.square().sum((2, 3)).sqrt()

    def logits(self, x: Images) -> Tensor:
        return self.features(x)

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        yield "", self.logits(batch.x).sum()


class Stubborn(Seeker):
    """Scores by brightness, whatever its weights are."""

    def logits(self, x: Images) -> Tensor:
        unused = self.seek(x).sum((1, 2, 3)) * 0
        return torch.stack([unused, (x * torch.linspace(0, 1, x.shape[3])).sum((1, 2, 3)) + unused], 1)


class Box(Restorer):
    """The mean of the pixels at most two away."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.mean = nn.AvgPool2d(5, 1, 2, count_include_pad=False)

    @property
    def reach(self) -> int:
        return 2

    def restore(self, x: Images, **conditions: Tensor) -> Images:
        found: Tensor = self.mean(x)
        return found

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        yield "", self.restore(batch.x).sum()


class TwoStrokes(Painter):
    """Channel 0 paints the upper left quarter, channel 1 faintly the lower right, channel 2 nothing."""

    def __init__(self, size: int = SIDE, channels: int = 1, classes: int = 0) -> None:
        super().__init__()
        self.strokes = nn.Identity()
        self.mix = nn.Conv2d(3, 1, 1, bias=False)
        with torch.no_grad():
            self.mix.weight.copy_(torch.tensor([0.8, 0.3, 0.0]).view(1, 3, 1, 1))

    @property
    def latent(self) -> tuple[int, ...]:
        return (2,)

    def paint(self, z: Tensor, label: Tensor | None = None) -> Images:
        half, maps = SIDE // 2, z.new_zeros(len(z), 3, SIDE, SIDE)
        maps[:, 0, :half, :half] = 1
        maps[:, 1:, half:, half:] = 1
        painted: Tensor = self.mix(self.strokes(maps))
        return painted

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        yield "", self.paint(torch.zeros(1, 2)).sum()


def planted(seed: int) -> tuple[Images, int, int]:
    """Faint noise with the patch in it, (1, 1, SIDE, SIDE), and the row and column of its middle."""
    rng = torch.Generator().manual_seed(seed)
    x = 0.4 + 0.2 * torch.rand(1, 1, SIDE, SIDE, generator=rng)
    row, column = (int(each) for each in torch.randint(2, SIDE - 2, (2,), generator=rng))
    x[0, 0, row - 1 : row + 2, column - 1 : column + 2] = MARK / 2 + 0.5
    return x, row, column
