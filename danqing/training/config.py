"""What a run is made from: family, pictures, the family's parameters and the loop's options, all JSON values."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danqing.core.errors import ModelFileError, ParameterError, UserError
from danqing.core.fields.form import Field, checked, schema
from danqing.core.fields.kind import Kind
from danqing.core.fields.part import NEW, PartKind
from danqing.core.fields.source import Source, SourceKind
from danqing.core.learned.card import locate, read_card
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Painter, Recogniser, Restorer
from danqing.core.learned.proposals import Stage
from danqing.core.menu import families
from danqing.core.words import words_of
from danqing.data.augment import augmentations
from danqing.training.options import GOING_ON, Options, option_fields
from danqing.training.stages import check_growth, growing, read_stages, stages_to_json

FROM_DATA = ("size", "channels", "classes", "points")  # parameters of a family that the data decides
NATURAL_SIZE = {"digits": 28}  # side in pixels of what is built in
SHARE = 0.25  # of the budget that goes into a part that is to be new
IMAGENET = "imagenet"  # weights that come in a package, not in a file of danqing's
TAUGHT = (Painter, Restorer, Recogniser)  # kinds that can learn from others of their kind


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
        for stage in made.by_stage():
            if stage.options.size is not None:  # else there may be more to say of the pictures than their size
                _side_of(family).check(stage.side, "size")
        for name, kind in parts_in(family).items():
            if isinstance(made.params[name], str):
                kind.look(made.params[name])
        return made

    @classmethod
    def from_json(cls, file: str | Path, **changes: Any) -> TrainConfig:
        """Read a run from a file, with some values changed.

        Raises:
            UserError: if the file is missing, is not JSON or lacks family or data.
            ParameterError: for a value that does not fit, or another family.
        """
        known = _read(file)
        if (asked := changes.get("family", known["family"])) != known["family"]:
            remedy = f"Say danqing train {known['family']}, or danqing train alone"
            raise ParameterError(f"is a run of family {known['family']}, not {asked}", where=file, remedy=remedy)
        values = {**known, **changes}
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
            known = ", ".join(each.strip("_") for each in [*form, *options, "stages"])
            raise ParameterError("no such option", where=name, remedy=f"{family} knows: {known}")
        params = checked(tuple(form.values()), {k: v for k, v in values.items() if k in form})
        chosen = Options(**checked(tuple(options.values()), {k: v for k, v in values.items() if k in options}))
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


def family_fields(family: str) -> tuple[Field, ...]:
    """The parameters of a family that a person chooses: its training form.

    Raises:
        ParameterError: if there is no such family.
    """
    made = family_named(family)
    return schema(made.__init__, made.__init__ if words_of(made.__init__).arguments else made, FROM_DATA)


def parts_in(family: str) -> dict[str, PartKind]:
    """The parameters of a family that take weights as a part of the model."""
    return {each.name: each.kind for each in family_fields(family) if isinstance(each.kind, PartKind)}


def new_part(config: TrainConfig) -> tuple[str, str] | None:
    """The parameter of a part that is to be learned before the model that holds it, and the part's family."""
    parts = parts_in(config.family).items()
    return next(((name, kind.family) for name, kind in parts if config.params[name] == NEW), None)


def _side_of(family: str) -> Kind:
    """What sides of pictures a family takes."""
    made = family_named(family)
    others = [name for name in FROM_DATA if name != "size"]
    return next(field.kind for field in schema(made.__init__, made, others) if field.name == "size")


def own_sets_of(family: str) -> list[str]:
    """Parameters that name sets which a family itself learns from beside the pictures, such as paintings."""
    return [each.name for each in family_fields(family) if isinstance(each.kind, SourceKind)]
