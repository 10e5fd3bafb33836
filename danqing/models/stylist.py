"""The stylist family: one net that paints a photograph in the style of any painting, at once."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from danqing.core.errors import DataError
from danqing.core.fields.number import Range
from danqing.core.fields.source import Source
from danqing.core.learned import model
from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images
from danqing.core.pictures.listing import pictures_in
from danqing.core.pictures.name_encoding import as_bytes
from danqing.core.pictures.reading import read
from danqing.core.pictures.state import state_of
from danqing.maths.colour_match import colours_matched
from danqing.maths.fitting import in_channels
from danqing.maths.moments import Moments
from danqing.maths.parts import parts_of
from danqing.maths.variation import planes
from danqing.nets.brush import REACH, Brush, Evenness, Norm
from danqing.nets.style_features import content_distance, style_distance, style_features

WIDTHS = {"tiny": (8, 16, 24), "small": (16, 48, 96)}
CHANNELS = (9, 32, 32, 96, 144, 384, 576)  # of the maps whose means and deviations make a style code
CONTENT = 0.6  # weight of the content against the style, as for neural_style
OWN = 0.1  # share of the pictures that learn to stay as they are: their style is their own
LONGEST = 640  # px: the longer side that paintings are kept at
LARGEST = 1.8  # times the size in which a painting just fills a square: strokes of several sizes
HELD_OUT = 5  # one painting of so many is never learned from
SCORED = 8  # photographs a score is taken on
SHOWN = 4  # of each chunk of pictures to look at
MOVED = 8  # px by which what was painted is moved before it is looked at, so that no grid of the net's is painted
PART = 192  # px: of what tells for a whole picture how its maps are evened
SEED = 1  # of the pairs that scores are taken on


class Gallery(NamedTuple):
    """Paintings (3, H, W), uint8: those to learn from, and those held out."""

    learned: tuple[Tensor, ...]
    held_out: tuple[Tensor, ...]


class Stylist(model.Stylist):
    """Learn to paint photographs in the style of paintings; afterwards any painting will do.

    What a net that knows a thousand things sees of the painting (means and deviations of its maps) drives the layers of
    a small painter. One painting in five, by a hash of its file's name, is held out and scored apart.

    Args:
        size: side of the squares that pictures are cut into, in px.
        paintings: a folder of paintings; not given: the photographs are each other's paintings.
        net: how large the painter is.
        content: weight of what is shown against how it is painted.
        norm: maps are normalised over the picture, or the channels at each place, as stylists from before do, which
            learn more slowly.

    Source: L. Gatys et al. 2016 (losses); V. Dumoulin et al. 2017 and X. Huang, S. Belongie, "Arbitrary style
    transfer in real-time with adaptive instance normalization", 2017 (statistics as the style); covariances: danqing.
    """

    optimiser: ClassVar[Optimiser] = Optimiser(lr=1e-3, betas=(0.9, 0.99), muon=0.005)
    former: ClassVar[dict[str, str]] = {"norm": "places"}
    batch_size: ClassVar[int] = 4
    fit: ClassVar[Literal["crop", "pad", "stretch", "tiles"]] = "crop"
    picture_size: ClassVar[int] = 192

    def __init__(
        self,
        size: Annotated[int, Range(16, 1024, "px")] = 192,
        paintings: Source = "",
        net: Literal["tiny", "small"] = "small",
        content: Annotated[float, Range(0, 100)] = CONTENT,
        norm: Norm = "maps",
    ) -> None:
        super().__init__()
        self.paintings, self.content = paintings, content
        self.brush = Brush(2 * sum(CHANNELS), WIDTHS[net], norm)
        self.state = ""  # of the folder of paintings, when it was first looked into
        self.read: dict[str, float] = {}

    @property
    def reach(self) -> int:
        return REACH

    @torch.no_grad()
    def code(self, painting: Images) -> Tensor:
        """What drives the layers for paintings (B, 3, H, W): means and deviations of the maps, (B, D)."""
        return code_of(style_features().style(_large(painting)))

    @torch.no_grad()
    def evenness(self, x: Images, code: Tensor) -> list[Evenness]:
        """What the maps of a picture (1, 3, H, W) are evened by, told by at most nine parts of it."""
        parts = parts_of(x, PART)
        return self.brush.evenness(parts, code.expand(len(parts), -1))

    @torch.no_grad()
    def paint(self, x: Images, code: Tensor, even: Sequence[Evenness] | None = None) -> Images:
        """Paint pictures (B, 3, H, W) of any size, whose colours are the painting's already."""
        made: Tensor = self.brush(x, code.expand(len(x), -1), even)
        return made.clamp(0, 1)

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield the discrepancy of styles and the distance of contents, as ``neural_style`` minimises them."""
        x = in_channels(batch.x, 3)
        paintings = self._drawn(x, rng)
        own = torch.rand(len(x), generator=rng) < OWN
        paintings = torch.where(planes(own, x), x, paintings)
        style, content, outside = self._judged(x, paintings, rng)
        self.read = {"style": float(style.detach().mean()), "content": float(content.detach().mean())}
        yield "", (style + self.content * content).mean() + outside

    def readings(self) -> dict[str, float]:
        """Both parts of the last loss."""
        return self.read

    @torch.no_grad()
    def score(self, batch: Samples) -> dict[str, float]:
        """Loss, style and content over held-out photographs, with paintings learned from and with those held out."""
        x, rng = in_channels(batch.x[:SCORED], 3), Generator().manual_seed(SEED)
        found: dict[str, float] = {}
        for name, pictures in self._gallery()._asdict().items():
            paintings = self._drawn(x, rng, pictures) if pictures else x.roll(1, 0)
            style, content, _ = self._judged(x, paintings, rng)
            loss = float((style + self.content * content).mean())
            found |= {
                f"loss_{name}": loss,
                f"style_{name}": float(style.mean()),
                f"content_{name}": float(content.mean()),
            }
        return found

    @torch.no_grad()
    def preview(self, batch: Samples, rng: Generator) -> Images:
        """The pictures, painted in turn like a painting learned from and like one held out."""
        x, gallery = in_channels(batch.x[:SHOWN], 3), self._gallery()
        drawn = [self._drawn(x, rng, pictures) for pictures in gallery if pictures] or [x.roll(1, 0)]
        turns = [drawn[at % len(drawn)][at : at + 1] for at in range(len(x))]
        paintings = torch.cat(turns)
        return self.paint(colours_matched(x, paintings), self.code(paintings))

    def _judged(self, x: Images, paintings: Images, rng: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """How far the painted pictures are from the paintings' style and from their own content, and from colours."""
        features, device = style_features(), x.device.type
        corner = torch.randint(MOVED, (2,), generator=rng).tolist()
        with torch.autocast(device, enabled=False), torch.no_grad():
            wanted = features.style(_large(paintings))
            ground = colours_matched(x, paintings)
            content = features.content(_large(_moved(ground, *corner)))
        made = self.brush(ground, code_of(wanted)).float()
        with torch.autocast(device, enabled=False):
            shown = _large(_moved(made, *corner))
            maps, seen = features.look(shown)
            found = features.of_maps(shown, maps)
            outside = 10 * (made - made.clamp(0, 1)).square().mean()
            return style_distance(found, wanted, mutual=True, rooted=True), content_distance(seen, content), outside

    def _drawn(self, x: Images, rng: Generator, pictures: tuple[Tensor, ...] | None = None) -> Images:
        """A piece of a painting for each picture, in a size drawn by chance."""
        pictures = self._gallery().learned if pictures is None else pictures
        if not pictures:
            return x.roll(1, 0)
        side = x.shape[-1]
        drawn = []
        for at in torch.randint(len(pictures), (len(x),), generator=rng).tolist():
            size, down, across, turn = torch.rand(4, generator=rng).tolist()
            painting = pictures[at][None].to(x) / 255
            factor = LARGEST**size * side / min(painting.shape[2:])
            sides = [max(side, round(factor * each)) for each in painting.shape[2:]]
            painting = F.interpolate(painting, sides, mode="bilinear", antialias=True, align_corners=False)
            top, left = (int(share * (long - side + 1)) for share, long in zip((down, across), sides, strict=True))
            piece = painting[..., top : top + side, left : left + side].clamp(0, 1)
            drawn.append(piece.flip(3) if turn < 0.5 else piece)
        return torch.cat(drawn)

    def _gallery(self) -> Gallery:
        if not self.paintings:
            return Gallery((), ())
        self.state = self.state or state_of(Path(self.paintings))
        return _read(self.paintings, self.state)


def code_of(style: list[Moments]) -> Tensor:
    """The means and deviations of maps as one vector (B, D)."""
    deviations = [each.spread.diagonal(dim1=1, dim2=2).clamp(min=0).sqrt() for each in style]
    return torch.cat([*(each.mean for each in style), *deviations], 1)


def gallery(folder: str) -> Gallery:
    """The paintings in a folder, read once a process for as long as they stay the same.

    Raises:
        DataError: if there are none to learn from.
        PictureError: if one cannot be read.
    """
    return _read(folder, state_of(Path(folder)))


@functools.lru_cache(maxsize=4)
def _read(folder: str, state: str) -> Gallery:
    learned: list[Tensor] = []
    held_out: list[Tensor] = []
    for found in pictures_in(folder).found:
        digest = int(hashlib.sha256(as_bytes(Path(found.name).stem)).hexdigest(), 16)
        (held_out if digest % HELD_OUT == 0 else learned).append(_kept(found.file))
    if not learned:
        raise DataError("holds no paintings to learn from", where=folder, remedy="Name a folder of pictures")
    return Gallery(tuple(learned), tuple(held_out))


def _kept(file: Path) -> Tensor:
    """A painting as it is seen: what is transparent shows white."""
    picture = read(file)
    x = in_channels(laid_on(picture.pixels, picture.alpha), 3)
    factor = LONGEST / max(x.shape[2:])
    if factor < 1:
        sides = [max(1, round(factor * side)) for side in x.shape[2:]]
        x = F.interpolate(x, sides, mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)
    return (x[0] * 255).round().to(torch.uint8)


def _moved(x: Images, top: int, left: int) -> Images:
    """Cut a picture from this corner on, always to the same size; one that has nothing to spare stays whole."""
    height, width = (side - MOVED for side in x.shape[2:])
    return x if min(height, width) < 2 * MOVED else x[..., top : top + height, left : left + width]


def _large(x: Images) -> Images:
    """Repeat the edge of a picture that is smaller than what the features can look at."""
    down, across = (max(0, 32 - side) for side in x.shape[2:])
    return F.pad(x, (0, across, 0, down), mode="replicate") if down or across else x


__all__ = ["Stylist", "code_of", "gallery"]
