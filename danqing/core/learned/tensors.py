"""The tensors of a model: whether they are sound and fit, and the hash of what they hold."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from torch import Tensor

from danqing.core.errors import ModelFileError
from danqing.core.learned.model import Model


def check_values(tensors: dict[str, Tensor], wanted: dict[str, Tensor], file: Path) -> None:
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


__all__ = ["check_values", "hash_of_tensors"]
