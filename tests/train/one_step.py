"""One step in float64 and without Adam, on however many processes torchrun starts; writes the weights it leads to.

torchrun --nproc_per_node=2 tests/train/one_step.py FILE.safetensors
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Generator, Tensor, nn

from danqing.core.learned.model import Model, Samples
from danqing.core.learned.proposals import Optimiser
from danqing.training.setup import launch
from danqing.training.step import Stepper

BATCH = 16


class Namer(Model):
    """The smallest net that names pictures, in whatever precision it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 10 * 10, 4))

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        yield "", nn.functional.cross_entropy(self.net(batch.x), batch.y)


def main(file: Path) -> None:
    fabric = launch("cpu", 1)
    torch.manual_seed(0)
    model = Namer().double()
    x, y = torch.rand(BATCH, 1, 12, 12, dtype=torch.float64), torch.randint(4, (BATCH,))
    stepper = Stepper(model, Optimiser(), "fp32", fabric)
    stepper.optimisers = {"": (torch.optim.SGD(model.parameters(), 1.0),)}  # its step is the gradient
    each = BATCH // fabric.world_size
    share = slice(fabric.global_rank * each, (fabric.global_rank + 1) * each)
    stepper.step(Samples(x[share], y[share]), Generator())
    if fabric.global_rank == 0:
        save_file(model.state_dict(), file)


def left_alone() -> None:
    """See that nothing of gloo runs any more when the interpreter ends, which it would abort now and then."""
    if torch.distributed.is_initialized():
        os._exit(1)  # an error in what is done at the end changes no exit code


if __name__ == "__main__":
    atexit.register(left_alone)  # what is registered first is done last
    main(Path(sys.argv[1]))
