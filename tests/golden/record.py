"""Record what independent programs say, as the JSON files beside this one; the tests compare danqing with them.

    python tests/golden/record.py [statistics] [classification] [fidelity] [backbones]

Inputs are drawn from numpy's RandomState, whose stream is promised never to change, and from scikit-image's pictures.
`statistics` and `classification` need torchmetrics (`pip install torchmetrics`), which no test does: an installed one
is imported with every training. `backbones` needs torch-fidelity unpacked somewhere on the path (`pip install --no-deps
--target DIR torch-fidelity`).
"""

from __future__ import annotations

import importlib
import json
import platform
import sys
import types
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
Array = NDArray[Any]

# name: (N, M, D, scale of the second set, shift of the second set, seed)
SETS = {
    "close": (300, 300, 16, 1.05, 0.05, 0),
    "apart": (400, 250, 16, 2.0, 1.0, 1),
    "barely of full rank": (70, 70, 64, 1.1, 0.1, 2),
    "narrow": (300, 200, 8, 0.01, 0.0, 3),
}


def features(name: str) -> tuple[Array, Array]:
    """Two sets of correlated, skewed features, float64."""
    n, m, dim, scale, shift, seed = SETS[name]
    rng = np.random.RandomState(seed)
    mix = rng.randn(dim, dim) / dim**0.5
    a, b = rng.randn(n, dim) @ mix, scale * (rng.randn(m, dim) @ mix) + shift
    return np.maximum(a, -0.5), np.maximum(b, -0.5)


def probabilities() -> Array:
    """Class probabilities (500, 10), float64."""
    logits = 3 * np.random.RandomState(4).randn(500, 10) + np.linspace(0, 2, 10)
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def answers(absent: bool) -> tuple[Array, Array]:
    """True classes and those named (300,), of six; where some are absent, classes that are named but never there."""
    rng = np.random.RandomState(8)
    truth, named = (rng.randint(0, 4 if absent else 6, 300) for _ in range(2))
    named = np.where(rng.rand(300) < 0.6, truth, named)
    if absent:
        truth[truth == 2] = 1
    return truth, named


def pairs() -> dict[str, tuple[Array, Array]]:
    """Pictures (H, W, 3) in [0, 1], float32, and what became of them."""
    from scipy.ndimage import gaussian_filter
    from skimage import data

    rng = np.random.RandomState(5)
    coffee = (data.coffee()[100:300, 150:380] / 255).astype(np.float32)
    cat = (data.chelsea()[60:261, 80:280] / 255).astype(np.float32)
    noisy = np.clip(coffee + 25 / 255 * rng.randn(*coffee.shape), 0, 1)
    blurred = gaussian_filter(cat, (2, 2, 0))
    return {
        "coffee with noise": (coffee, noisy.astype(np.float32)),
        "cat blurred": (cat, np.clip(blurred, 0, 1).astype(np.float32)),
        "coffee darker": (coffee, (coffee * np.float32(0.8)).astype(np.float32)),
    }


def inception_weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, Array]:
    """Draw weights under which activations keep their size; running means, variances and biases are not trivial."""
    rng, out = np.random.RandomState(6), {}
    for key in sorted(shapes):
        shape = shapes[key]
        if key.endswith("num_batches_tracked"):
            out[key] = np.zeros((), np.int64)
        elif key.endswith("running_var"):
            out[key] = (0.5 + rng.rand(*shape)).astype(np.float32)
        elif len(shape) == 1:
            out[key] = (0.1 * rng.randn(*shape) + key.endswith("bn.weight")).astype(np.float32)
        else:
            out[key] = (rng.randn(*shape) * (2 / np.prod(shape[1:])) ** 0.5).astype(np.float32)
    return out


def small_pictures() -> Array:
    """Two coloured pictures (2, 3, 48, 61), bytes."""
    return np.random.RandomState(7).randint(0, 256, (2, 3, 48, 61)).astype(np.uint8)


def record_statistics() -> dict[str, Any]:
    sets = {name: _distances(*features(name)) for name in SETS}
    return {
        "by": _versions("scipy", "torchmetrics"),
        "sets": sets,
        "inception_score": _inception_score(probabilities()),
    }


def record_classification() -> dict[str, Any]:
    import torch
    from torchmetrics.functional import classification

    out: dict[str, Any] = {}
    for absent in (False, True):
        truth, named = (torch.from_numpy(numbers) for numbers in answers(absent))
        out["some absent" if absent else "all there"] = found = {
            "matrix": classification.multiclass_confusion_matrix(named, truth, 6).tolist()
        }
        for score in ("precision", "recall", "f1_score"):
            measure = getattr(classification, f"multiclass_{score}")
            found[score] = measure(named, truth, 6, average="none").tolist()
            found[f"macro {score}"] = float(measure(named, truth, 6, average="macro"))
    return {"by": _versions("torchmetrics"), "sets": out}


def record_fidelity() -> dict[str, Any]:
    from skimage.color import rgb2ycbcr
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    out: dict[str, Any] = {}
    for name, (x, y) in pairs().items():
        x, y = x.astype(np.float64), y.astype(np.float64)
        luma_x, luma_y = rgb2ycbcr(x)[..., 0] / 255, rgb2ycbcr(y)[..., 0] / 255
        window = {"data_range": 1.0, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        out[name] = {
            "psnr rgb": peak_signal_noise_ratio(x, y, data_range=1.0),
            "psnr y": peak_signal_noise_ratio(luma_x, luma_y, data_range=1.0),
            "ssim rgb": structural_similarity(x, y, channel_axis=2, **window),
            "ssim y": structural_similarity(luma_x, luma_y, **window),
            "ms-ssim y": _ms_ssim(luma_x, luma_y),
        }
    return {"by": _versions("scikit-image", "scipy"), "pairs": out}


def record_backbones() -> dict[str, Any]:
    import torch

    net_file, resize_file = (
        _torch_fidelity(f) for f in ("feature_extractor_inceptionv3", "interpolate_compat_tensorflow")
    )
    net_class = net_file.FeatureExtractorInceptionV3
    torch.hub.load_state_dict_from_url = net_file.load_state_dict_from_url = lambda *_, **__: None
    layers, load = ["2048", "logits_unbiased"], torch.nn.Module.load_state_dict
    torch.nn.Module.load_state_dict = lambda *_, **__: None
    net = net_class("net", layers)
    torch.nn.Module.load_state_dict = load
    shapes = {key: tuple(value.shape) for key, value in net.state_dict().items()}
    net.load_state_dict({key: torch.from_numpy(value) for key, value in inception_weights(shapes).items()})
    pictures = torch.from_numpy(small_pictures())
    with torch.inference_mode():
        seen, logits = net.eval()(pictures)
        resized = resize_file.interpolate_bilinear_2d_like_tensorflow1x(
            pictures.float(), (299, 299), align_corners=False
        )
    return {
        "by": _versions("torch-fidelity", "torch"),
        "keys": len(shapes),
        "shapes": {key: "x".join(map(str, shape)) for key, shape in shapes.items() if len(shape) > 1},
        "features": seen[:, ::128].tolist(),
        "logits": logits[:, ::128].tolist(),
        "resized": resized[0, :, ::37, ::41].tolist(),
    }


def _distances(a: Array, b: Array) -> dict[str, Any]:
    import torch
    from scipy.linalg import sqrtm
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    shift = a.mean(0) - b.mean(0)
    frechet = shift @ shift + np.trace(cov_a + cov_b - 2 * sqrtm(cov_a @ cov_b).real)
    fid = FrechetInceptionDistance(feature=_Plain(a.shape[1]), input_img_size=(1, 1, a.shape[1])).set_dtype(
        torch.float64
    )
    out = {"frechet, sqrtm": float(frechet), "frechet, torchmetrics": _measured(fid, a, b)}
    size = min(len(a), len(b))
    kid = KernelInceptionDistance(feature=_Plain(a.shape[1]), subsets=1, subset_size=size).set_dtype(torch.float64)
    return {**out, "kernel, first M of each": _measured(kid, a[:size], b[:size]), "k": 5, **_prdc(a, b, 5)}


def _measured(metric: Any, a: Array, b: Array) -> float:
    import torch

    metric.update(torch.from_numpy(a), real=True)
    metric.update(torch.from_numpy(b), real=False)
    value = metric.compute()
    return float(value[0] if isinstance(value, tuple) else value)


def _Plain(dim: int) -> Any:
    """A feature network for torchmetrics that hands its input on."""
    import torch

    class Plain(torch.nn.Module):
        num_features = dim

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.reshape(len(x), -1)[:, :dim].double()

    return Plain()


def _prdc(real: Array, fake: Array, k: int) -> dict[str, float]:
    """By the papers' definitions, one distance at a time."""

    def apart(p: Array, q: Array) -> float:
        return float(np.sqrt(((p - q) ** 2).sum()))

    def reach(points: Array) -> list[float]:
        return [sorted(apart(p, q) for at, q in enumerate(points) if at != own)[k - 1] for own, p in enumerate(points)]

    across = np.array([[apart(r, f) for f in fake] for r in real])
    inside = across <= np.array(reach(real))[:, None]
    return {
        "precision": float(inside.any(0).mean()),
        "recall": float((across <= np.array(reach(fake))[None]).any(1).mean()),
        "density": float(inside.sum() / (k * len(fake))),
        "coverage": float(inside.any(1).mean()),
    }


def _inception_score(p: Array) -> float:
    import torch
    from torchmetrics.image.inception import InceptionScore

    score = InceptionScore(feature=_Plain(p.shape[1]), splits=1).set_dtype(torch.float64)
    score.update(torch.from_numpy(np.log(p)))
    return float(score.compute()[0])


def _ms_ssim(x: Array, y: Array) -> float:
    """Wang, Simoncelli & Bovik 2003 in NumPy, for grey pictures."""
    from scipy.ndimage import correlate1d

    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    taps /= taps.sum()

    def mean(picture: Array) -> Array:
        return correlate1d(correlate1d(picture, taps, axis=0), taps, axis=1)[5:-5, 5:-5]

    product, weights = 1.0, (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    for scale, weight in enumerate(weights):
        m, n = mean(x), mean(y)
        contrast = (2 * (mean(x * y) - m * n) + 0.03**2) / (mean(x * x) - m * m + mean(y * y) - n * n + 0.03**2)
        light = (2 * m * n + 0.01**2) / (m * m + n * n + 0.01**2)
        last = scale == len(weights) - 1
        product *= float((contrast * light if last else contrast).mean()) ** weight
        x, y = (p[: len(p) // 2 * 2, : p.shape[1] // 2 * 2] for p in (x, y))
        x, y = (p.reshape(len(p) // 2, 2, p.shape[1] // 2, 2).mean((1, 3)) for p in (x, y))
    return product


def _torch_fidelity(name: str) -> Any:
    """Import one file of torch-fidelity without its package's __init__, which needs torchvision."""
    home = next(Path(place) / "torch_fidelity" for place in sys.path if (Path(place) / "torch_fidelity").is_dir())
    package = types.ModuleType("torch_fidelity")
    package.__path__ = [str(home)]
    sys.modules["torch_fidelity"] = package
    return importlib.import_module(f"torch_fidelity.{name}")


def _versions(*packages: str) -> dict[str, str]:
    return {"python": platform.python_version(), "numpy": version("numpy"), **{p: version(p) for p in packages}}


if __name__ == "__main__":
    for what in sys.argv[1:] or ["statistics", "classification", "fidelity", "backbones"]:
        (HERE / f"{what}.json").write_text(json.dumps(globals()[f"record_{what}"](), indent=1) + "\n")
