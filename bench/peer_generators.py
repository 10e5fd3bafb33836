"""Other programs that learn to paint, each in an environment of its own: the peers of bench/peers.py.

No import of danqing. ``python peer_generators.py NAME PICTURES.npy SAMPLES.npy SECONDS COUNT`` reads uint8 pictures
(N, 3, 64, 64), learns for so many processor seconds (steps alone are clocked, no import), writes COUNT samples
likewise, and prints one line of JSON. COUNT 0 only clocks. ``python peer_generators.py import MODULE`` prints what a
package says when it is imported.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
import torch

BF16 = torch.ops.mkldnn._is_mkldnn_bf16_supported()
STRIDES = 10  # of denoising-diffusion-pytorch's sampling (DDIM)
SMALL, USUAL = {"dim": 32, "dim_mults": (1, 2, 4)}, {"dim": 64, "dim_mults": (1, 2, 4, 8)}
ABSENT = ("torchvision", "torchvision.transforms", "torchvision.utils", "torchvision.models")
Pictures = np.ndarray
Painting = Callable[[int], torch.Tensor]


class Enough(Exception):
    """The time is over."""


class Absent(ModuleType):
    """Stands for a package that is imported for what is not needed here: whatever is asked of it is an empty class."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        known = sys.modules.get(f"{self.__name__}.{name}")
        if known is not None:
            return known
        return type(name, (), {}) if name[0].isupper() else Absent(f"{self.__name__}.{name}")


def without_torchvision() -> str:
    """Let imports of torchvision succeed where it does not fit the PyTorch that is there; gives what was said of it."""
    try:
        importlib.import_module("torchvision")
    except Exception as error:
        for name in [each for each in sys.modules if each.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        sys.modules.update({name: Absent(name) for name in ABSENT})
        return f"{type(error).__name__}: {error}"
    return ""


class Clock:
    """Counts what is seen until so many processor seconds, from the first step on, are over."""

    def __init__(self, seconds: float, batch: int) -> None:
        self.seconds, self.batch, self.steps, self.began = seconds, batch, 0, time.process_time()

    def tick(self) -> None:
        """A step is done."""
        self.steps += 1
        if self.steps == 1:
            self.began = time.process_time()  # kernels are made at the first step, which is not counted
        if self.used > self.seconds and self.steps > 1:
            raise Enough

    @property
    def used(self) -> float:
        return time.process_time() - self.began

    def figures(self) -> dict[str, float]:
        """Once the time is over."""
        used = self.used
        return {"seen": self.steps * self.batch, "seconds": used, "rate": (self.steps - 1) * self.batch / used}


def pythae(pictures: Pictures, seconds: float, count: int, bf16: bool) -> tuple[dict[str, object], Painting]:
    """A regularised autoencoder with the package's net for 64×64 pictures; README's rate, the config's batch."""
    from pythae.models import RAE_L2, RAE_L2_Config
    from pythae.models.nn.benchmarks.celeba import Decoder_Conv_AE_CELEBA, Encoder_Conv_AE_CELEBA
    from pythae.pipelines import TrainingPipeline
    from pythae.samplers import GaussianMixtureSampler, GaussianMixtureSamplerConfig
    from pythae.trainers import CoupledOptimizerTrainerConfig
    from pythae.trainers.training_callbacks import TrainingCallback

    settings = RAE_L2_Config(input_dim=(3, 64, 64), latent_dim=64)
    model = RAE_L2(settings, encoder=Encoder_Conv_AE_CELEBA(settings), decoder=Decoder_Conv_AE_CELEBA(settings))
    if bf16:
        model.forward = torch.autocast("cpu", torch.bfloat16)(model.forward)
    clock = Clock(seconds, 64)

    class Stop(TrainingCallback):
        def on_train_step_end(self, *args: object, **kwargs: object) -> None:
            clock.tick()

    x = pictures.astype(np.float32) / 255
    with tempfile.TemporaryDirectory() as folder:
        rates = {"encoder_learning_rate": 1e-3, "decoder_learning_rate": 1e-3}
        how = CoupledOptimizerTrainerConfig(output_dir=folder, num_epochs=10_000, no_cuda=True, **rates)
        try:
            TrainingPipeline(model=model, training_config=how)(train_data=x, callbacks=[Stop()])
        except Enough:
            figures = clock.figures()

    def paint(count: int) -> torch.Tensor:
        model.eval()
        sampler = GaussianMixtureSampler(model=model, sampler_config=GaussianMixtureSamplerConfig(n_components=10))
        sampler.fit(train_data=torch.from_numpy(x[:count]))
        return sampler.sample(num_samples=count, batch_size=64, return_gen=True)

    return figures, paint


def diffusion(pictures: Pictures, seconds: float, net: dict[str, object]) -> tuple[dict[str, object], Painting]:
    """README's first example in a loop: its trainer's batch and clipping, a higher rate, plain weights, bf16."""
    stubbed = without_torchvision()
    from denoising_diffusion_pytorch import GaussianDiffusion, Unet

    model = GaussianDiffusion(Unet(**net), image_size=64, timesteps=1000, sampling_timesteps=STRIDES)
    model.to(memory_format=torch.channels_last)
    x = torch.from_numpy(pictures)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.99))
    clock = Clock(seconds, 16)
    try:
        for rows in batches(len(x), 16):
            with torch.autocast("cpu", torch.bfloat16, enabled=BF16):
                loss = model(x[rows].float() / 255)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            adam.zero_grad()
            clock.tick()
    except Enough:
        figures = {**clock.figures(), "stubbed": stubbed}

    def paint(count: int) -> torch.Tensor:
        model.eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=BF16):
            return torch.cat([model.sample(batch_size=min(64, count - at)).float() for at in range(0, count, 64)])

    return figures, paint


def batches(count: int, size: int) -> Iterator[torch.Tensor]:
    """Rows of pictures, every picture once before any comes again."""
    while True:
        yield from torch.randperm(count)[: count // size * size].split(size)


def said_at_import(module: str) -> dict[str, object]:
    """The package's own words."""
    stubbed = without_torchvision()
    try:
        importlib.import_module(module)
        words = ""
    except Exception as error:
        words = f"{type(error).__name__}: {error}"
    return {"says": words, "stubbed": stubbed, "version": importlib.metadata.version(module.replace("_", "-"))}


def main(name: str, source: str, target: str, seconds: float, count: int) -> dict[str, object]:
    torch.manual_seed(0)
    np.random.seed(0)
    pictures = np.load(source)
    package = name.partition(",")[0]
    if package == "pythae":
        figures, paint = pythae(pictures, seconds, count, "bf16" in name)
    else:
        figures, paint = diffusion(pictures, seconds, SMALL if "small" in name else USUAL)
    if count:
        began = time.process_time()
        samples = paint(count).clamp(0, 1).mul(255).round().to(torch.uint8)
        np.save(target, samples.numpy())
        figures = {**figures, "sampling": (time.process_time() - began) / count}
    return {**figures, "version": importlib.metadata.version(package), "torch": torch.__version__}


if __name__ == "__main__":
    if sys.argv[1] == "import":
        print(json.dumps(said_at_import(sys.argv[2])))
    else:
        print(json.dumps(main(*sys.argv[1:4], float(sys.argv[4]), int(sys.argv[5]))))
