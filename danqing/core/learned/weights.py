"""Weights files: one .safetensors with a JSON card in its header, never a pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, overload

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor
from torch.overrides import TorchFunctionMode

from danqing import __version__
from danqing.core.disk import hash_of, replacing
from danqing.core.errors import ModelFileError, OutputError
from danqing.core.json_text import json_text
from danqing.core.learned.adapters import merged
from danqing.core.learned.card import CHECKPOINT, FORMAT, first_line, locate, opened_weights, read_card
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Card, Model
from danqing.core.menu import families

M = TypeVar("M", bound=Model)
MODEL_FACTS = ("family", "config", "classes", "data", "training", "scores", "licence", "format", "danqing")


def save(model: Model, file: str | Path, *, force: bool = True, **facts: Any) -> Path:
    """Write a model with its card; ``facts`` (JSON values) are added to the card the model already carries.

    Raises:
        OutputError: if it cannot be written; an earlier file of that name survives.
    """
    kept = {name: value for name, value in model.card.items() if name not in ("file", "sha256")}
    card = {**kept, **facts, "family": model.family, "config": model.config}
    return save_tensors(merged(model.state_dict()), file, card, force=force)


def save_tensors(tensors: dict[str, Tensor], file: str | Path, card: Card, *, force: bool = True) -> Path:
    """Write tensors with a card, atomically."""
    header = {**card, "format": FORMAT, "danqing": __version__}
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(file, force=force) as temporary:
        try:
            save_file(plain, temporary, metadata={"danqing": json_text(header, sort_keys=True)})
        except SafetensorError as error:
            raise OutputError(f"cannot be written ({error})", where=file) from error
    return Path(file)


@overload
def load(source: str | Path | Model, *, kind: type[M], task: str = "", device: str = "cpu") -> M: ...


@overload
def load(source: str | Path | Model, *, task: str = "", device: str = "cpu") -> Model: ...


def load(source: str | Path | Model, *, kind: type[Model] = Model, task: str = "", device: str = "cpu") -> Model:
    """Load a model in evaluation mode from a weights file or by the name of bundled weights; a Model is passed through.

    Args:
        source: a path, a name from :func:`bundled`, a run folder (see :func:`locate`), or a Model.
        kind: the base class or family it must be, such as ``Painter``.
        task: the task it must have learned, such as denoise; empty: any.
        device: where its tensors go.

    Raises:
        ModelFileError: if the file is missing, damaged, not danqing's, newer than this danqing, or of another kind, or
            holds weights that are not finite or of a type that does not fit.
    """
    if isinstance(source, Model):
        return fitting(source, kind, task)
    file = locate(source)
    card, tensors = load_tensors(file, device)
    if card.get("kind") == CHECKPOINT:
        card, tensors = _averaged(card, merged(tensors))
    elif what := card.get("kind"):
        remedy = f"Give the {card.get('family')} itself that they were found in"
        raise ModelFileError(f"holds {what}, no model", where=file, remedy=remedy)
    family = card.get("family")
    if not isinstance(family, str) or family not in families():
        raise ModelFileError(f"unknown model family {family!r}", where=file, remedy="Update danqing")
    make = family_named(family)
    try:
        with torch.random.fork_rng(devices=[]), _Undrawn():  # what a new model draws would be thrown away
            model = make(**{**make.former, **card["config"]})
        _check_values(tensors, model.state_dict(), file)
        model.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"its weights do not fit family {family!r} ({first_line(error)})", where=file) from error
    model.card = {**card, "file": str(file), "sha256": hash_of(file)}
    return fitting(model.to(device).eval(), kind, task)


class _Undrawn(TorchFunctionMode):
    """Leave tensors as they are where torch.nn.init would fill them; what is loaded next replaces them all."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        known = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else known["tensor"]
        return func(*args, **known)


def load_tensors(file: str | Path, device: str = "cpu") -> tuple[Card, dict[str, Tensor]]:
    """Read card and tensors.

    Raises:
        ModelFileError: if the file is missing, damaged, not danqing's, or newer than this danqing.
    """
    card = read_card(file)
    try:
        with opened_weights(file, device) as reader:
            return card, {name: reader.get_tensor(name) for name in reader.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"is damaged ({first_line(error)})", where=file) from error


def words_for(kind: type[Model]) -> str:
    """What people call models of a base or a family."""
    return str(vars(kind).get("called") or kind.__name__.lower())


def fitting(model: Model, kind: type[M], task: str = "") -> M:
    """Give a model back if it is of a kind and has learned a task (empty: any).

    Raises:
        ModelFileError: if it is not, or has not.
    """
    where = model.card.get("file", "model")
    if not isinstance(model, kind):
        raise ModelFileError(f"is a {model.family}, not a {words_for(kind)}", where=where, remedy=model.used_by)
    if task and model.config.get("task") != task:
        what = f"is a {model.family} for the task {model.config.get('task')}, not {task}"
        raise ModelFileError(what, where=where, remedy=f"Train one with --task {task}")
    return model


def _averaged(card: Card, tensors: dict[str, Tensor]) -> tuple[Card, dict[str, Tensor]]:
    """What a checkpoint holds of the model that its run would have saved: card and averaged weights."""
    kept = {name: card[name] for name in MODEL_FACTS if name in card}
    return kept, {name.removeprefix("ema."): value for name, value in tensors.items() if name.startswith("ema.")}


def _check_values(tensors: dict[str, Tensor], wanted: dict[str, Tensor], file: Path) -> None:
    """Refuse tensors that are broken or of another sort of numbers than the model's (half precision fits).

    Raises:
        ModelFileError: naming the first such tensor.
    """
    for name, tensor in tensors.items():
        mine = wanted.get(name, tensor)
        if _sort_of(tensor) != _sort_of(mine):
            raise ModelFileError(f"its tensor {name} is {_type_of(tensor)}, where {_type_of(mine)} belongs", where=file)
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise ModelFileError(
                f"its weights are broken: {name} holds values that are infinite or not a number",
                where=file,
                remedy="Take another file; a run keeps its last good checkpoints",
            )


def _sort_of(tensor: Tensor) -> str:
    if tensor.dtype is torch.bool:
        return "yes or no"
    return "complex" if tensor.is_complex() else "floating" if tensor.is_floating_point() else "whole"


def _type_of(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def hash_of_tensors(model: Model) -> str:
    """The SHA-256 of what a model has learned, for one that lies in no file."""
    digest = hashlib.sha256(f"{model.family} {json.dumps(model.config, sort_keys=True)}".encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


__all__ = ["fitting", "hash_of_tensors", "load", "load_tensors", "save", "save_tensors", "words_for"]
