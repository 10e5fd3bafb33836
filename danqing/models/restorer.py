"""The restorer family: one U-shaped net that learns to undo one kind of damage."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import torch
from torch import Generator, Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.learned import model as bases
from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.notes import note
from danqing.core.pictures.contract import Images
from danqing.maths.colour import luma, still_grey, tinted, to_opponent
from danqing.maths.damage import (
    MIXED,
    Damaged,
    Task,
    damage,
    enlarged,
    filled,
    first_estimate,
    gain_for,
    hint_of,
    lit,
)
from danqing.maths.fitting import in_channels
from danqing.maths.variation import check_side, detailed, patches, recoloured, views
from danqing.nets.colouriser import Colouriser
from danqing.nets.noise_estimate import estimate_noise
from danqing.nets.precision import Precision, autocast
from danqing.nets.unet import UNet

NETS = {  # widths from fine to coarse; blocks
    "tiny": ((16, 32, 64), 2),
    "small": ((32, 64, 112), 2),
    "base": ((48, 96, 192), 2),
}
SCORED = 48  # held-out pictures a score is taken on
SEED = 1  # of the damage that scores are taken on
REACH = 64  # px; a few weights look further, but what they add there is below 1/255 (tests/restore/test_learned.py)
FLOOR = 1.0  # step of 255, squared: errors below that count little, so that plain patches do not outweigh all else
LEFT = 2.0  # mean square error that good denoising leaves, for each step of σ (both of 255)
UNKNOWN = 0.1  # share of a picture of unknown colour that is worth telling
CHROMA = 1.5  # weight of errors in colour beside those in brightness, where JPEG is learned
NEEDED = {"upscale": "scale", "inpaint": "mask"}  # conditions that cannot be guessed
WHOLE = ("colourise", "lowlight")  # tasks that look at pictures as wholes
NOTHING = 1e-10  # mean square error that counts as none: 100 dB


class Restorer(bases.Restorer):
    """Learn to repair pictures from clean ones, which are damaged anew every time they are seen.

    The net sees the damaged picture in RGB and a map of what is known of the damage, and paints what is to be added.
    Of noisy pictures it also sees a first estimate, and paints what is to be added to that; it learns them mostly from
    patches that are rich in detail, some of them recoloured.
    Grey pictures are shown as three equal channels. What the damage is like: :func:`danqing.maths.damage.damage`.
    Colours and darkness are a matter of whole pictures: learn them with --fit crop --size 256 --patch 128, say. The net
    for colours is another one (:mod:`danqing.nets.colouriser`), with fewer weights.

    Args:
        size: side of the squares that pictures are cut into, in px.
        task: what to repair: noise; blur; lost resolution; holes; lost colour; traces of JPEG; too little light.
        net: how large: tiny (0.3 million weights), small (0.9) or base (2.3).
        patch: side of the patches learned from, cut out of the squares at random.
        mixed: learn from pictures that are also noisy and compressed, as people's photographs are; of blur and lost
            resolution only. Such weights clean what they repair, which is then not cleaned before.

    Raises:
        ParameterError: if a patch is larger than a square; if other damage is to be mixed.

    Source: net: :mod:`danqing.nets.unet`; level map as input: Zhang et al. 2018 (FFDNet); logarithmic error,
    which weighs weak and strong damage alike: Chen et al. 2021 (HINet), eq. 3, with a floor; under noise: danqing.
    """

    optimiser: ClassVar[Optimiser] = Optimiser(lr=1e-3, betas=(0.9, 0.99), muon=0.005)
    batch_size: ClassVar[int] = 16
    fit: ClassVar[Literal["crop", "pad", "stretch", "tiles"]] = "tiles"
    picture_size: ClassVar[int] = 128
    precision: Precision  # of restore; the picture itself stays in fp32

    def __init__(
        self,
        size: Annotated[int, Range(16, 1024, "px")] = 128,
        task: Task = "denoise",
        net: Literal["tiny", "small", "base"] = "small",
        patch: Annotated[int, Range(16, 1024, "px")] = 96,
        mixed: bool = False,
    ) -> None:
        super().__init__()
        check_side(patch, size)
        if mixed and task not in MIXED:
            what = f"mixed damage is for {' and '.join(MIXED)}, not for {task}"
            raise ParameterError(what, where="mixed", remedy=f"Leave --mixed away, or learn --task {MIXED[0]}")
        self.mixed = mixed
        widths, blocks = NETS[net]
        self.task: Task = task
        self.patch = patch
        self.precision = (
            "fp32" if task == "colourise" else "auto"
        )  # it looks at 160 px, where bf16 saves nearly nothing
        self.net = (
            Colouriser(widths[1]) if task == "colourise" else UNet(7 if task == "denoise" else 4, 3, widths, blocks)
        )
        self.psnr = math.nan

    @property
    def reach(self) -> int:
        """For tiles; ``colourise`` looks at whole pictures and does not ask."""
        return REACH

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield the mean logarithm of the pictures' root mean square errors, on the 0–255 scale; within holes only.

        Of JPEG, errors in colour count 1.5 times. Of colours it is the logarithm of the root mean square error of all.
        Under noise it is the mean root mean square error, measured by what is usually left of noise so strong: patches
        rich in detail count more than plain ones, as they do in the error of a whole picture.
        """
        clean, damaged = damage(self.task, self._learned_from(in_channels(batch.x, 3), rng), rng, self.mixed)
        errors = self._errors(self._mended(damaged, rng), clean, damaged)
        self.psnr = float(-10 * errors.detach().clamp(min=NOTHING).log10().mean())
        yield "", self._misfit(errors, clean, damaged)

    def lesson(self, batch: Samples, rng: Generator, teacher: bases.Restorer) -> Tensor:
        assert isinstance(teacher, Restorer)
        clean, damaged = damage(self.task, self._learned_from(in_channels(batch.x, 3), rng), rng, self.mixed)
        with torch.no_grad():
            aim = teacher._mended(damaged)
        return self._misfit(self._errors(self._mended(damaged, rng), aim, damaged), clean, damaged)

    def _errors(self, made: Tensor, aim: Images, damaged: Damaged) -> Tensor:
        """The mean square errors (B,) that count."""
        error = self._weighed(made - aim).square()
        if self.task == "inpaint":
            return (error * damaged.hint).sum((1, 2, 3)) / (3 * damaged.hint.sum((1, 2, 3))).clamp(min=1)
        return error.mean((1, 2, 3))

    def _misfit(self, errors: Tensor, clean: Images, damaged: Damaged) -> Tensor:
        """What mean square errors (B,) are worth; under noise, by how strong it is."""
        if self.task == "colourise":
            errors = errors.mean()  # else grey would be the best guess: it is nearly right for many pictures
        errors = 255**2 * errors + FLOOR
        if self.task != "denoise":
            return errors.log().mean() / 2
        spoilt = (damaged.x - clean).square().mean((1, 2, 3)).sqrt()  # of cameras, more than by their noise alone
        usual = FLOOR + LEFT * 255 * torch.maximum(damaged.hint[:, 0, 0, 0].to(spoilt), spoilt)
        return (errors / usual).sqrt().mean()

    def _weighed(self, error: Tensor) -> Tensor:
        """Errors (B, 3, H, W); of JPEG, those of colours count more, as they are what is left to be seen."""
        if self.task != "dejpeg":
            return error
        return to_opponent(error) * error.new_tensor([1.0, CHROMA, CHROMA]).view(1, 3, 1, 1)

    def _learned_from(self, x: Images, rng: Generator) -> Images:
        """What of squares (B, 3, H, W) is learned from, cut out at random."""
        if self.task == "denoise":
            return recoloured(detailed(x, self.patch, rng), rng)
        return (views if self.task in WHOLE else patches)(x, self.patch, rng)

    def readings(self) -> dict[str, float]:
        """The peak signal-to-noise ratio of the last batch, in dB."""
        return {} if math.isnan(self.psnr) else {"psnr": self.psnr}

    @torch.no_grad()
    def score(self, batch: Samples) -> dict[str, float]:
        """The PSNR in dB over held-out pictures (negated), and that of the damaged ones, each damaged once for all."""
        clean, damaged = self._example(batch)
        made = self._finished(damaged)
        return {"-psnr": -_psnr(made, clean), "psnr_before": _psnr(damaged.x.clamp(0, 1), clean)}

    def preview(self, batch: Samples, rng: Generator) -> Images:
        """Damage the pictures and repair them; the left half shows the damage."""
        clean, damaged = damage(self.task, in_channels(batch.x, 3), rng, self.mixed)
        made = self._finished(damaged)
        half = clean.shape[-1] // 2
        return torch.cat([damaged.x[..., :half].clamp(0, 1), made[..., half:]], -1)

    def restore(self, x: Images, **conditions: Tensor) -> Images:
        """Repair pictures of any size.

        Args:
            x: pictures (B, C, H, W); grey ones stay grey, those with three equal channels, too, except that
                ``colourise`` makes them colour pictures.
            conditions: what is known of the damage, all optional but the holes. ``level`` (B,): the σ of the noise in
                image units (denoise, where it is otherwise estimated, and deblur), the JPEG quality (dejpeg), or how
                many times the picture is brightened first (lowlight; otherwise to a common mean).
                ``scale`` (): the times of ``upscale``. ``mask`` (B, 1, H, W): the holes (inpaint), or the places whose
                colours in ``x`` are true (colourise). ``begin`` (B, C, H, W): what the holes hold at first (inpaint),
                otherwise filled smoothly.

        Returns:
            Pictures (B, C, H, W) in [0, 1]; of ``upscale``, (B, C, scale H, scale W).

        Raises:
            ParameterError: if the holes, or the times of ``upscale``, are not told.
        """
        damaged = self._seen(in_channels(x, 3), conditions)
        with torch.inference_mode(), autocast(x.device.type, self.precision):
            made = self._coloured_in(damaged) if isinstance(self.net, Colouriser) else self._mended(damaged)
        made = made.clamp(0, 1)
        if self.task != "colourise":
            made = made.mean(1, keepdim=True) if x.shape[1] == 1 else still_grey(made, damaged.x, self.reach)
        if self.task == "inpaint":
            mask = conditions["mask"].to(made)
            return x * (1 - mask) + made * mask
        return made.clone()

    def _seen(self, x: Images, conditions: dict[str, Tensor]) -> Damaged:
        """What the net is shown of pictures that are damaged already."""
        needed = NEEDED.get(self.task)
        if needed is not None and needed not in conditions:
            what = f"a restorer for {self.task} must be told the {needed}"
            raise ParameterError(what, where="weights", remedy=f"Call the operator {self.task}")
        if self.task == "upscale":
            scale = int(conditions["scale"])
            x = enlarged(x, x.shape[-2] * scale, x.shape[-1] * scale)
            return Damaged(x, hint_of(x.new_full((len(x),), scale / 4), x))
        if self.task == "inpaint":
            mask = conditions["mask"].to(x)
            begin = conditions["begin"] if "begin" in conditions else filled(x, mask)
            return Damaged(in_channels(begin, 3), mask.expand(len(x), -1, -1, -1))
        if self.task == "colourise":
            mask = conditions.get("mask", x.new_zeros(len(x), 1, *x.shape[-2:]))
            return Damaged(torch.where(mask > 0, x, luma(x).expand_as(x)), mask.to(x))
        if self.task == "denoise":
            level = conditions["level"].to(x) if "level" in conditions else estimate_noise(x).told
            hint = hint_of(level.expand(len(x)), x)
            return Damaged(x, hint, first_estimate(x, hint))
        if self.task == "lowlight":
            return lit(x, conditions["level"].expand(len(x)) if "level" in conditions else gain_for(x))
        level = conditions.get("level", x.new_zeros(1))
        if self.task == "dejpeg" and "level" in conditions:
            level = 1 - level / 100
        return Damaged(x, hint_of(level.expand(len(x)), x))

    def _finished(self, damaged: Damaged) -> Images:
        """The net's picture in [0, 1]; outside the holes what was known."""
        made = self._mended(damaged).clamp(0, 1)
        return torch.lerp(damaged.x, made, damaged.hint) if self.task == "inpaint" else made

    def _mended(self, damaged: Damaged, rng: Generator | None = None) -> Tensor:
        """The net's picture, not yet clipped; learning hides some of what a net for colours sees."""
        if isinstance(self.net, Colouriser):
            colours: Tensor = self.net(damaged.x, damaged.hint, rng)
            return luma(damaged.x) + colours
        maps = [damaged.x, damaged.hint.to(damaged.x)]
        if damaged.first is not None:
            maps.insert(1, damaged.first)
        seen = torch.cat(maps, 1).contiguous(memory_format=torch.channels_last)
        change: Tensor = self.net(seen).float()
        return (damaged.x if damaged.first is None else damaged.first) + change

    def _coloured_in(self, damaged: Damaged) -> Tensor:
        """The picture with the colours of which the net is sure; on how much of it it is not is worth a note."""
        assert isinstance(self.net, Colouriser)
        guess = self.net.guess(damaged.x, damaged.hint)
        if float(guess.unknown.max()) > UNKNOWN:
            share = round(100 * float(guess.unknown.max()))
            note(f"what colour it has is unknown on {share} % of the picture, which stays greyish: hints tell")
        return tinted(luma(damaged.x).clamp(0, 1), guess.colours)

    def _example(self, batch: Samples) -> tuple[Images, Damaged]:
        rng = Generator().manual_seed(SEED)
        return damage(self.task, in_channels(batch.x[:SCORED], 3), rng, self.mixed)


def _psnr(made: Images, clean: Images) -> float:
    """The mean over pictures of their peak signal-to-noise ratios in dB."""
    errors = (made - clean).square().mean((1, 2, 3)).clamp(min=NOTHING)
    return float((-10 * errors.log10()).mean())


__all__ = ["NETS", "Restorer"]
