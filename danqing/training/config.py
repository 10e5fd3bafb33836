"""What a run is made from: family, pictures, the family's parameters and the loop's options, all JSON values."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from danqing.core.errors import ModelFileError, ParameterError, UserError
from danqing.core.fields.form import Field, checked, schema
from danqing.core.fields.number import Range
from danqing.core.fields.origin import Origin
from danqing.core.fields.part import PartKind
from danqing.core.fields.seed import Seed
from danqing.core.fields.source import Source
from danqing.core.learned.card import locate, read_card
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Painter, Recogniser, Restorer
from danqing.core.learned.proposals import Stage
from danqing.core.menu import families
from danqing.core.words import words_of
from danqing.data.augment import augmentations
from danqing.training.budget import Budget
from danqing.training.stages import check_growth, growing, read_stages, stages_to_json

FROM_DATA = ("size", "channels", "classes", "points")  # parameters of a family that the data decides
NATURAL_SIZE = {"digits": 28}  # side in pixels of what is built in
IMAGENET = "imagenet"  # weights that come in a package, not in a file of danqing's
TAUGHT = (Painter, Restorer, Recogniser)  # kinds that can learn from others of their kind
GOING_ON = ("data_", "new_pictures")  # options of one resumption, not of the run


@dataclass(frozen=True)
class Options:
    """The loop's own options: the same for every family.

    Args:
        out: the run folder; by default runs/FAMILY-N.
        data_: with --resume: where the pictures lie now, if they were moved.
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
        every: how often to paint a grid, score and checkpoint: a budget, or a share of it (10%).
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
    budget: str = "10m"
    every: str = "10%"
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


@dataclass(frozen=True)
class TrainConfig:
    """A run, resolved and checked; :meth:`to_json` and :meth:`from_json` carry it through a file."""

    family: str
    data: Source
    params: dict[str, Any]
    options: Options
    stages: tuple[Stage, ...] = ()  # none: as the family proposes

    @classmethod
    def make(cls, family: str, data: str, **values: Any) -> TrainConfig:
        """Sort ``values`` into the family's parameters and the loop's options, and check each.

        Raises:
            ParameterError: for a value that is unknown, mistyped or out of range.
            ModelFileError: if the weights to begin with cannot be used, or there are none to take as a part.
        """
        for name in GOING_ON:
            if values.get(name):
                where = f"--{name.strip('_').replace('_', '-')}"
                raise ParameterError("is for a run that goes on", where=where, remedy="Give it with --resume")
        form = {field.name for field in family_fields(family)}
        if values.get("from_") == IMAGENET and "net" in form:  # what the family's own net begins with
            values = {**values, "from_": None, "net": IMAGENET}
        begun = {k: v for k, v in _begun_with(family, values.get("from_")).items() if k in form or k == "size"}
        made = cls._checked(family, data, {**begun, **values})
        for each in family_fields(family):
            if isinstance(each.kind, PartKind) and isinstance(made.params[each.name], str):
                each.kind.look(made.params[each.name])
        return made

    @classmethod
    def from_json(cls, file: str | Path, **changes: Any) -> TrainConfig:
        """Read a run from a file, with some values changed.

        Raises:
            UserError: if the file is missing, is not JSON or lacks family or data.
            ParameterError: for a value that does not fit.
        """
        values = {**_read(file), **changes}
        return cls.make(values.pop("family"), values.pop("data"), **values)

    @classmethod
    def of_run(cls, file: str | Path, **changes: Any) -> TrainConfig:
        """Read the config of a run that goes on; the weights that it began with are not asked for.

        Raises:
            UserError: as :meth:`from_json` does.
        """
        known = _read(file)
        values = {**family_named(known["family"]).former, **known, **changes}
        return cls._checked(values.pop("family"), values.pop("data"), values)

    @classmethod
    def _checked(cls, family: str, data: str, values: dict[str, Any]) -> TrainConfig:
        form, options = {f.name: f for f in family_fields(family)}, {f.name: f for f in option_fields()}
        stages = read_stages(values.pop("stages", None) or (), options, form)
        for name in values.keys() - form.keys() - options.keys():
            known = ", ".join([*form, *options, "stages"])
            raise ParameterError("no such option", where=name, remedy=f"{family} knows: {known}")
        params = checked(tuple(form.values()), {k: v for k, v in values.items() if k in form})
        chosen = Options(**checked(tuple(options.values()), {k: v for k, v in values.items() if k in options}))
        Budget.parse(chosen.every, of=Budget.parse(chosen.budget))
        augmentations(chosen.augment)
        made = cls(family, data, params, chosen, stages)
        if chosen.grow is not None:
            check_growth(family_named(family), chosen.grow, made.side, stages)
        return made

    def to_json(self) -> dict[str, Any]:
        """The run as JSON values."""
        options = {k: str(v) if isinstance(v, Path) else v for k, v in dataclasses.asdict(self.options).items()}
        kept = {name: value for name, value in options.items() if name not in GOING_ON}
        staged = {"stages": stages_to_json(self.stages)} if self.stages else {}
        return {"family": self.family, "data": self.data, "params": self.params, **kept, **staged}

    def with_options(self, **changes: Any) -> TrainConfig:
        """The same run with some options changed."""
        return dataclasses.replace(self, options=dataclasses.replace(self.options, **changes))

    def _in_stage(self, stage: Stage) -> TrainConfig:
        options = self.options
        frozen = ",".join(filter(None, (options.freeze, stage.freeze)))
        size = options.size if stage.size is None else stage.size
        batch = options.batch if stage.batch is None else stage.batch
        return dataclasses.replace(
            self,
            params={**self.params, **stage.params},
            options=dataclasses.replace(options, freeze=frozen, size=size, batch=batch),
        )

    def by_stage(self) -> list[TrainConfig]:
        """The run as it is in each of its stages."""
        return [self._in_stage(stage) for stage in self.all_stages()]

    def all_stages(self) -> tuple[Stage, ...]:
        """Its stages: its own, those of a run that grows, or those that the family proposes."""
        if self.options.grow is not None:
            return growing(self.options.grow, self.side)
        return self.stages or family_named(self.family).stages

    @property
    def side(self) -> int:
        """The side of its pictures in pixels; of a run that grows, in the end."""
        given = self.options.size
        return NATURAL_SIZE.get(self.data, family_named(self.family).picture_size) if given is None else given


def _read(file: str | Path) -> dict[str, Any]:
    try:
        values = dict(json.loads(Path(file).read_text("utf-8")))
        return {**values.pop("params", {}), **values, "family": values["family"], "data": values["data"]}
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})", where=file) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError("is not a run's config", where=file, remedy="It needs family and data, as JSON") from error


def _begun_with(family: str, weights: Any) -> dict[str, Any]:
    """The parameters of the weights that a run begins with.

    Raises:
        ModelFileError: if there are no such weights, or they are of another family.
    """
    if weights is None:
        return {}
    file = locate(weights)
    card = read_card(file)
    if card.get("family") != family:
        raise ModelFileError(
            f"is a {card.get('family')}, not a {family}", where=file, remedy=_for_another(family, card)
        )
    kept = {**family_named(family).former, **card["config"]}
    return {name: value for name, value in kept.items() if name not in ("channels", "classes")}


def _for_another(family: str, card: dict[str, Any]) -> str:
    """What weights of another family can be used for."""
    other = card.get("family")
    if other not in families():
        return "Update danqing"
    alike = any(issubclass(family_named(family), k) and issubclass(family_named(other), k) for k in TAUGHT)
    taught = f"; a {family} can learn from it with --teacher" if alike else ""
    return f"It fits danqing train {other}{taught}"


def option_fields() -> tuple[Field, ...]:
    """The loop's options as fields."""
    return schema(Options)


def family_fields(family: str) -> tuple[Field, ...]:
    """The parameters of a family that a person chooses: its training form.

    Raises:
        ParameterError: if there is no such family.
    """
    made = family_named(family)
    return schema(made.__init__, made.__init__ if words_of(made.__init__).arguments else made, FROM_DATA)
