"""Weights files: one .safetensors with a JSON card in its header, never a pickle; how any file is written safely."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.overrides import TorchFunctionMode

from danqing import __version__
from danqing.core import model as bases
from danqing.core.errors import ModelFileError, OutputError
from danqing.core.model import Card, Model
from danqing.core.registry import PACKAGE, families, family_named

FORMAT = 1  # of the weights file; a reader refuses a newer one
WEIGHTS = PACKAGE / "zoo" / "weights"  # the bundled weights


@contextmanager
def replacing(file: str | Path, *, force: bool = True) -> Iterator[Path]:
    """Give a temporary name beside ``file`` and move what was written there onto it: whole, or not at all.

    Raises:
        OutputError: if the folder cannot be written, the disk is full, or the file exists and ``force`` is False.
    """
    temporary: Path | None = None
    try:
        target = Path(os.path.realpath(file))  # a link stays a link
        if target.exists() and not force:
            raise OutputError("exists already", where=file, remedy="Choose another name or give --force")
        if target.exists() and not target.is_file():
            raise OutputError("is a folder or a device, not a file", where=file)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.stem[:40]}-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # last: some writers put a file of their own in its place
        _flush(temporary)
        temporary.replace(target)
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror or error})", where=file) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


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


def load(source: str | Path | Model, *, kind: str = "Model", device: str = "cpu") -> Model:
    """Load a model in evaluation mode from a weights file or by the name of bundled weights; a Model is passed through.

    Args:
        source: a path, a name from :func:`bundled`, a run folder (its best or last model), or a Model.
        kind: the base class or family it must be, and its task, such as ``restorer/denoise``.
        device: where its tensors go.

    Raises:
        ModelFileError: if the file is missing, damaged, not danqing's, newer than this danqing, or of another kind.
    """
    if isinstance(source, Model):
        return _of_kind(source, kind, "model")
    file = locate(source)
    card, tensors = load_tensors(file, device)
    family = card.get("family")
    if not isinstance(family, str) or family not in families():
        raise ModelFileError(f"unknown model family {family!r}", where=file, remedy="Update danqing")
    make = family_named(family)
    try:
        with torch.random.fork_rng(devices=[]), _Undrawn():  # what a new model draws would be thrown away
            model = make(**card["config"])
        model.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"its weights do not fit family {family!r} ({_first_line(error)})", where=file) from error
    model.card = {**card, "file": str(file), "sha256": hash_of(file)}
    return _of_kind(model.to(device).eval(), kind, str(file))


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

    Raises:
        ModelFileError: if there is none.
    """
    path = Path(source)
    if path.is_dir():
        path = path / "model.safetensors"
    if path.is_file():
        return path
    if str(source) in bundled():
        return bundled()[str(source)]
    names = ", ".join(bundled()) or "none"
    raise ModelFileError("no such weights file", where=source, remedy=f"Bundled weights: {names}")


@functools.lru_cache(maxsize=256)
def _hash(file: str, size: int, modified: int) -> str:
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def hash_of(file: str | Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    facts = os.stat(file)
    return _hash(os.fspath(file), facts.st_size, facts.st_mtime_ns)


def _parsed(text: str, file: str | Path) -> Card:
    try:
        card = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"has a damaged card ({_first_line(error)})", where=file) from error
    if not isinstance(card, dict) or not isinstance(card.get("format"), int):
        raise ModelFileError("has a card that is not danqing's", where=file)
    return card


def _of_kind(model: Model, kind: str, where: str) -> Model:
    kind, _, task = kind.partition("/")
    base = getattr(bases, kind, None)
    if not ((isinstance(base, type) and isinstance(model, base)) or model.family == kind):
        raise ModelFileError(f"is a {model.family}, not a {kind.lower()}", where=where)
    if task and model.config.get("task") != task:
        what = f"is a {model.family} for the task {model.config.get('task')}, not {task}"
        raise ModelFileError(what, where=where, remedy=f"Train one with --task {task}")
    return model


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


def _flush(file: Path) -> None:
    with open(file, "rb+") as stream:
        os.fsync(stream.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


__all__ = ["bundled", "hash_of", "load", "load_tensors", "locate", "read_card", "replacing", "save", "save_tensors"]
