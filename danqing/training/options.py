"""What a person chooses about how a run goes, whatever the family."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from danqing.core.fields.budget import BudgetKind
from danqing.core.fields.form import Field, schema
from danqing.core.fields.number import Range
from danqing.core.fields.origin import Origin
from danqing.core.fields.seed import Seed
from danqing.core.fields.source import Source

GOING_ON = ("data_", "paintings_", "new_pictures")  # options of one resumption, not of the run


@dataclass(frozen=True)
class Options:
    """The loop's own options: the same for every family.

    Args:
        out: the run folder; by default runs/FAMILY-N.
        data_: with --resume: where the pictures lie now, if they were moved.
        paintings_: with --resume: where the paintings lie now, if a stylist learns from some and they were moved.
        new_pictures: with --resume: go on although the set has other pictures than before; classes must stay.
        labels: a CSV or JSON file of labels, when the folders do not say them; of things in the pictures, a COCO file
            or a folder of YOLO's, Pascal VOC's or LabelMe's files or of mask PNGs, where it does not lie beside them.
        from_: weights to begin with (bundled, a file or a run folder), and with them the family's parameters not given;
            for a classifier also imagenet.
        adapters: with --from, for painters and few pictures: kernels stay as they were taken over, and small changes of
            them are learned, added (low-rank) or multiplied (scale); the model that is saved holds them.
        rank: of what adapters change, by default 4; more can change more.
        size: side of the pictures in pixels; by default 28 for the built-in digits, else what the family proposes.
        grow: side of the pictures that a run begins with; in stages it doubles until it is their size (stylegan).
        channels: grey or colour; auto takes what the pictures are.
        conditional: learn the classes when the pictures have labels.
        fit: how pictures become square: crop the middle, pad, stretch or cut into tiles; by default as the family asks.
        budget: when to stop: time (90s, 10m, 2h), pictures seen (500kimg, 20000pictures) or epochs (20epochs).
        every: how often to paint a grid, score and checkpoint: a budget, or a share of it (10%); shares of a time are
            put further apart where these looks would take more than a fifth of it.
        batch: pictures a step, over all processes; by default what the family proposes.
        lr: learning rate; by default what the family proposes.
        beta1: Adam's first moment; by default what the family proposes.
        beta2: Adam's second moment; by default what the family proposes.
        decay: weight decay; by default what the family proposes.
        schedule: how the learning rate moves over the budget: not at all, or down to nothing.
        ema: half-life of the averaged weights, in pictures seen; 0 turns averaging off.
        clip: largest gradient norm of a part; 0 does not clip.
        freeze: what does not learn: NAME or NAME:LEVEL, its first layers, such as critic:4; commas part several.
        rates: what the learning rate of parts is multiplied by, such as critic=0.5,painter.layers:2=0.1; by default
            what the family proposes, which for most is nothing.
        teacher: weights to learn from as well, such as those of a larger model (bundled, a file or a run folder).
        teaching: how much that counts beside what is learned from the pictures.
        augment: augmentations, such as flip,rotate=10 (see the documentation of data); by default what the family
            proposes, which for most is none.
        critic_augment: augmentations before the critic, of real and painted pictures alike, so that the samples have
            none of them: all of them always (diff), or as much as is needed (adaptive); auto: adaptive below 5,000
            pictures.
        lecam: how strongly the critic's logits are kept near each other, for few pictures (such as 0.01); 0: not.
        doctor: whether the doctor treats what it finds (goes back and changes rate, gamma or augmentation) or only
            tells.
        precision: auto measures which is faster on this machine.
        seed: fixes every random choice.
        threads: processor threads; by default all that this process may use.
        device: where to compute.
        devices: processes on this machine (started by torchrun or SLURM when more than one machine takes part).
        stream: read WebDataset shards as they come instead of packing them first.
        skip_bad: go on without the pictures that cannot be read, listing them in the run folder.
        licence: under which licence the weights may be used, for their card.
        tensorboard: also write TensorBoard event files (needs the package tensorboard).
    """

    out: Path | None = None
    data_: Source | None = None
    paintings_: Source | None = None
    new_pictures: bool = False
    labels: Path | None = None
    from_: Origin | None = None
    adapters: Literal["none", "low-rank", "scale"] = "none"
    rank: Annotated[int, Range(1, 256)] | None = None
    size: Annotated[int, Range(8, 1024, "px")] | None = None
    grow: Annotated[int, Range(8, 512, "px")] | None = None
    channels: Literal["auto", "grey", "colour"] = "auto"
    conditional: bool = True
    fit: Literal["crop", "pad", "stretch", "tiles"] | None = None
    budget: Annotated[str, BudgetKind()] = "10m"
    every: Annotated[str, BudgetKind(is_share=True)] = "10%"
    batch: Annotated[int, Range(1, 65536, "pictures")] | None = None
    lr: Annotated[float, Range(0, 1e9)] | None = None
    beta1: Annotated[float, Range(0, 0.9999)] | None = None
    beta2: Annotated[float, Range(0, 0.999999)] | None = None
    decay: Annotated[float, Range(0, 10)] | None = None
    schedule: Literal["constant", "linear", "cosine"] = "linear"
    ema: Annotated[float, Range(0, 1e9, "pictures")] = 15000.0
    clip: Annotated[float, Range(0, 1e9)] = 0.0
    freeze: str = ""
    rates: str = ""
    teacher: Origin | None = None
    teaching: Annotated[float, Range(0, 1e6)] = 1.0
    augment: str = ""
    critic_augment: Literal["auto", "none", "diff", "adaptive"] = "auto"
    lecam: Annotated[float, Range(0, 100)] = 0.0
    doctor: Literal["act", "watch"] = "act"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    seed: Seed = 0
    threads: Annotated[int, Range(1, 1024)] | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    devices: Annotated[int, Range(1, 64)] = 1
    stream: bool = False
    skip_bad: bool = False
    licence: str = ""
    tensorboard: bool = False


def option_fields() -> tuple[Field, ...]:
    """The loop's options as fields."""
    return schema(Options)
