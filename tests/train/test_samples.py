"""What a set holds beside its pictures reaches the model."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from danqing.core.learned.model import Samples
from danqing.core.progress import finish
from danqing.data.store import Store
from danqing.models.vae import VAE
from danqing.training.config import TrainConfig
from danqing.training.setup import Supplies, gather_pictures, held_out_batch, without_labels


def test_hiding_labels_hides_nothing_else() -> None:
    batch = Samples(torch.rand(2, 1, 28, 28), torch.zeros(2, dtype=torch.int64), pair=torch.rand(2, 1, 56, 56))
    hidden = without_labels(batch, VAE(size=28, channels=1, classes=0))
    assert hidden.y is None
    assert hidden.pair is batch.pair
    assert without_labels(batch, VAE(size=28, channels=1, classes=2)) is batch


def test_pairs_of_a_folder_are_learned_from(tmp_path: Path) -> None:
    for at in range(6):
        for part, side in (("input", 8), ("target", 16)):
            file = tmp_path / "set" / part / f"{at}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (side, side), 40 * at).save(file)
    config = TrainConfig.make("vae", str(tmp_path / "set"), size=8, batch=4)
    supplies = finish(gather_pictures(config))
    for batch in (next(supplies.train.batches(4, 0)), held_out_batch(supplies, 0)):
        assert batch.pair is not None
        assert batch.pair.shape[1:] == (1, 16, 16)
        assert torch.equal(batch.pair[:, :, 0, 0], batch.x[:, :, 0, 0])


@pytest.mark.parametrize(("held_out", "scored"), [(2, 512), (12, 504), (300, 300), (511, 511), (512, 512), (700, 512)])
def test_held_out_pictures_count_alike_in_a_score(held_out: int, scored: int) -> None:
    store = Store(np.zeros((held_out, 1, 8, 8), np.uint8), np.arange(held_out))
    batch = held_out_batch(Supplies(store, store, {}), 0)
    assert batch.y is not None
    assert len(batch.y.bincount().unique()) == 1 or held_out > scored
    assert len(batch.y) == scored
