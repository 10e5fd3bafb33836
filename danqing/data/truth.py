"""What labelled pictures show, in the numbers of a recogniser that is tested on them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from danqing.core.errors import DataError
from danqing.core.learned.classes import class_number
from danqing.core.learned.model import Recogniser
from danqing.data.store import Store


def truth(store: Store, model: Recogniser, where: str) -> Tensor:
    """The labels (N,), int64, of pictures as the model numbers them: classes are matched by name.

    Args:
        store: the pictures.
        model: the recogniser.
        where: the pictures as a person named them.

    Raises:
        DataError: for pictures without labels, or none at all.
        ParameterError: for a label that is no class of the model.
    """
    if store.labels is None or not len(store):
        what = "these pictures have no labels" if len(store) else "holds no such pictures"
        raise DataError(what, where=where, remedy="Sort them into one folder a class, or take another split")
    numbers = torch.tensor([class_number(model, str(name)) for name in store.classes])
    return numbers[torch.from_numpy(np.array(store.labels))]


__all__ = ["truth"]
