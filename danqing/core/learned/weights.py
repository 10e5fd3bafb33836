"""Weights files: one .safetensors with a JSON card in its header, never a pickle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, overload

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.overrides import TorchFunctionMode

from danqing import __version__
from danqing.core.disk import hash_of, replacing
from danqing.core.errors import ModelFileError, OutputError
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Card, Model
from danqing.core.learned.tensors import check_values
from danqing.core.menu import PACKAGE, families

M = TypeVar("M", bound=Model)
FORMAT = 1  # of the weights file; a reader refuses a newer one
WEIGHTS = PACKAGE / "zoo" / "weights"  # the bundled weights
CHECKPOINT = "checkpoint"  # the kind of file that holds all of a run; it can stand for a model
MODEL_FACTS = ("family", "config", "classes", "data", "training", "scores", "licence", "format", "danqing")


def save(model: Model, file: str | Path, *, force: bool = True, **facts: Any) -> Path:
    """Write a model with its card; ``facts`` (JSON values) are added to the card the model already carries.

    Raises:
        OutputError: if it cannot be written; an earlier file of that name survives.
    """
    kept = {name: value for name, value in model.card.items() if name not in ("file", "sha256")}
    card = {**kept, **facts, "family": model.family, "config": model.config}
    return save_tensors(model.state_dict(), file, card, force=force)


def save_tensors(tensors: dict[str, Tensor], file: str | Path, card: Card, *, force: bool = True) -> Path:
    """Write tensors with a card, atomically."""
    header = {**card, "format": FORMAT, "danqing": __version__}
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(file, force=force) as temporary:
        try:
            save_file(plain, temporary, metadata={"danqing": json.dumps(header, ensure_ascii=False, sort_keys=True)})
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
        card, tensors = _averaged(card, tensors)
    family = card.get("family")
    if not isinstance(family, str) or family not in families():
        raise ModelFileError(f"unknown model family {family!r}", where=file, remedy="Update danqing")
    make = family_named(family)
    try:
        with torch.random.fork_rng(devices=[]), _Undrawn():  # what a new model draws would be thrown away
            model = make(**card["config"])
        check_values(tensors, model.state_dict(), file)
        model.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"its weights do not fit family {family!r} ({_first_line(error)})", where=file) from error
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
        with safe_open(file, framework="pt", device=device) as reader:
            return card, {name: reader.get_tensor(name) for name in reader.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"is damaged ({_first_line(error)})", where=file) from error


def read_card(file: str | Path) -> Card:
    """Read the card alone.

    Raises:
        ModelFileError: if the file is missing, damaged, not danqing's, or newer than this danqing.
    """
    try:
        with safe_open(file, framework="pt") as reader:
            text = (reader.metadata() or {}).get("danqing")
    except FileNotFoundError as error:
        raise ModelFileError("no such weights file", where=file) from error
    except (SafetensorError, OSError) as error:
        raise ModelFileError(_why_unreadable(Path(file), error), where=file) from error
    if text is None:
        raise ModelFileError("is a safetensors file without danqing's card", where=file)
    card = _parsed(text, file)
    if card["format"] > FORMAT:
        raise ModelFileError(
            f"was written by danqing {card.get('danqing')}, in format {card['format']}; this one reads up to {FORMAT}",
            where=file,
            remedy="Update danqing",
        )
    return card


def bundled() -> dict[str, Path]:
    """The weights that come with danqing, by name."""
    return {path.stem: path for path in sorted(WEIGHTS.glob("*.safetensors"))}


def locate(source: str | Path) -> Path:
    """Find the weights file that a path, a run folder or a bundled name means.

    In a run folder: the finished model, else the best so far, else the newest whole checkpoint (its averaged weights).

    Raises:
        ModelFileError: if there is none.
    """
    path = Path(source)
    if path.is_file():
        return path
    if path.is_dir() and (found := _of_run(path)) is not None:
        return found
    if str(source) in bundled():
        return bundled()[str(source)]
    names = ", ".join(bundled()) or "none"
    raise ModelFileError("no such weights file", where=source, remedy=f"Bundled weights: {names}")


def _of_run(folder: Path) -> Path | None:
    """The file of a run folder that stands for its model."""
    for file in (folder / "model.safetensors", folder / "best.safetensors"):
        if file.is_file():
            return file
    for file in sorted((folder / "checkpoints").glob("[0-9]*.safetensors"), reverse=True):
        try:
            read_card(file)
        except ModelFileError:  # a disk that was full, a machine that went down: the one before counts
            continue
        return file
    return None


def _parsed(text: str, file: str | Path) -> Card:
    try:
        card = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"has a damaged card ({_first_line(error)})", where=file) from error
    if not isinstance(card, dict) or not isinstance(card.get("format"), int):
        raise ModelFileError("has a card that is not danqing's", where=file)
    return card


def fitting(model: Model, kind: type[M], task: str = "") -> M:
    """Give a model back if it is of a kind and has learned a task (empty: any).

    Raises:
        ModelFileError: if it is not, or has not.
    """
    where = model.card.get("file", "model")
    if not isinstance(model, kind):
        raise ModelFileError(f"is a {model.family}, not a {kind.__name__.lower()}", where=where)
    if task and model.config.get("task") != task:
        what = f"is a {model.family} for the task {model.config.get('task')}, not {task}"
        raise ModelFileError(what, where=where, remedy=f"Train one with --task {task}")
    return model


def _averaged(card: Card, tensors: dict[str, Tensor]) -> tuple[Card, dict[str, Tensor]]:
    """What a checkpoint holds of the model that its run would have saved: card and averaged weights."""
    kept = {name: card[name] for name in MODEL_FACTS if name in card}
    return kept, {name.removeprefix("ema."): value for name, value in tensors.items() if name.startswith("ema.")}


def bundled_name(model: Model) -> str | None:
    """Under which name a model comes with danqing; None for one of a person's own."""
    return next((name for name, file in bundled().items() if str(file) == model.card.get("file")), None)


def _why_unreadable(file: Path, error: Exception) -> str:
    try:
        with open(file, "rb") as stream:
            head = stream.read(4)
    except OSError as reason:
        return f"cannot be read ({reason.strerror or reason})"
    if (head[:1] == b"\x80" and head[1:2] <= b"\x05") or head == b"PK\x03\x04":  # protocols 2 to 5; what torch zips
        return "is a pickle (or zip) under another name; danqing never unpickles"
    return f"is damaged or not a safetensors file ({_first_line(error)})"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]


__all__ = [
    "CHECKPOINT",
    "bundled",
    "bundled_name",
    "fitting",
    "load",
    "load_tensors",
    "locate",
    "read_card",
    "save",
    "save_tensors",
]
