"""Noise of cameras: blind, told, and against OpenCV

Parts of photographs (256×256) that no net has learned from, spoilt as cameras and phones spoil them: scikit-image's,
and some of those held out of `runs/photographs`, if they are there. Four of the six cameras are written for this
benchmark and share no formula with what nets learn from: a lens (a blur of σ 0.7 px, which the photograph they are
measured against has, too), OpenCV's edge-aware demosaicing, a colour matrix as cameras have, a power of 2.2, bilateral
smoothing, halving by areas. The others are the operator `add_camera_noise`. Figures are mean gains in PSNR (dB, RGB)
over the spoilt picture against the photograph: `denoise` blind, choosing its net itself; each net blind, and told the
best σ of a list, picture by picture; OpenCV's `fastNlMeansDenoisingColored` at the best strength of a list, picture by
picture. Nets that are named compute in fp32. Clean
photographs are shown to the blind net, too: how far it leaves them as they are.
"""

from __future__ import annotations

import copy
import itertools
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

import danqing
from bench.bm3d import photograph, psnr
from danqing.core.learned.card import bundled
from danqing.core.learned.weights import load
from danqing.core.pictures.contract import Images
from danqing.core.pictures.reading import read

SIDE = 256
FROM_SKIMAGE = ("astronaut", "coffee", "chelsea", "rocket", "motorcycle")
HELD_OUT = Path("runs/photographs/test")
COUNT = 5  # of the held-out photographs
SIGMAS = (3, 6, 9, 12, 16, 21, 28, 38, 50)
STRENGTHS = (3, 5, 8, 12, 17, 24)
MATRIX = np.array([[1.66, -0.51, -0.15], [-0.22, 1.55, -0.33], [0.05, -0.56, 1.51]])  # rows of sum 1, as cameras have
LENS = 0.7  # px
BALANCE = np.array([1 / 2.05, 1.0, 1 / 1.55])
Picture = NDArray[np.float64]  # (H, W, 3) in 0…1


def run() -> dict[str, Any]:
    """Spoil every photograph with every camera, and mend it in all ways."""
    names = [name for name in ("denoise-base", "denoise-camera") if name in bundled()]
    nets = {name: _plain(name) for name in names}
    rows, photographs = [], _photographs()
    for (name, whole), (camera, spoil) in itertools.product(photographs.items(), CAMERAS.items()):
        clean, noisy = spoil(whole, np.random.default_rng(len(rows)))
        before = psnr(noisy, clean)
        found = {"OpenCV": max(psnr(_opencv(noisy, strength), clean) for strength in STRENGTHS)}
        found["danqing, blind"] = psnr(danqing.denoise(noisy), clean)
        for label, net in nets.items():
            found[f"{label} blind"] = psnr(danqing.denoise(noisy, weights=net), clean)
            told = {sigma: psnr(danqing.denoise(noisy, sigma=float(sigma), weights=net), clean) for sigma in SIGMAS}
            found[f"{label} told"] = max(*told.values(), before)
        rows.append({"picture": name, "camera": camera, "before": before, **{k: v - before for k, v in found.items()}})
        print(rows[-1], flush=True)
    kept = {
        label: {name: psnr(danqing.denoise(_cut(x), weights=net), _cut(x)) for name, x in photographs.items()}
        for label, net in {"danqing": None, **nets}.items()
    }
    return {"rows": rows, "clean": kept}


def table(result: dict[str, Any]) -> str:
    """Mean gains a camera, the mean of all, and what becomes of clean photographs."""
    rows = result["rows"]
    labels = [label for label in rows[0] if label not in ("picture", "camera", "before")]
    lines = ["| camera | before | " + " | ".join(labels) + " |", "|---" * (len(labels) + 2) + "|"]
    for camera in (*CAMERAS, "all"):
        of = [row for row in rows if camera in (row["camera"], "all")]
        means = [f"{statistics.fmean(row[label] for row in of):+.2f}" for label in labels]
        lines.append(f"| {camera} | {statistics.fmean(row['before'] for row in of):.2f} | " + " | ".join(means) + " |")
    for label, kept in result["clean"].items():
        worst = min(kept, key=lambda name: kept[name])
        lines += ["", f"Clean photographs, {label} blind: {kept[worst]:.1f} dB to themselves or more ({worst})."]
    return "\n".join([*lines, "", f"{len({row['picture'] for row in rows})} photographs."])


def _photographs() -> dict[str, Images]:
    """Parts of 512×512 px, or all there is of smaller ones."""
    found = {name: photograph(name) for name in FROM_SKIMAGE}
    held_out = {file.stem: read(file).pixels for file in sorted(HELD_OUT.glob("*.png"))}
    large = [name for name, x in held_out.items() if min(x.shape[-2:]) >= SIDE]
    found |= {name: held_out[name] for name in large[:: max(1, len(large) // COUNT)][:COUNT]}
    return {name: _middle(x, 2 * SIDE) for name, x in found.items()}


def _middle(x: Images, side: int) -> Images:
    top, left = (max(0, length - side) // 2 for length in x.shape[-2:])
    return x[..., top : top + side, left : left + side].contiguous()


def _cut(x: Images) -> Images:
    return _middle(x, SIDE)


def _seen(x: Picture, photons: float, read_out: float, rng: np.random.Generator) -> Picture:
    """Light as a sensor behind a mosaic sees it, and OpenCV's guess of its colours."""
    light = np.clip(x**2.2 @ np.linalg.inv(MATRIX).T, 0, None) * BALANCE
    electrons = rng.poisson(light * photons) + rng.normal(0, read_out, light.shape)
    raw = np.empty(light.shape[:2])
    for (down, right), colour in zip(itertools.product((0, 1), (0, 1)), (2, 1, 1, 0), strict=True):  # blue first
        raw[down::2, right::2] = electrons[down::2, right::2, colour]
    black = 2048
    counts = np.clip(raw / photons * 40000 + black, 0, 65535).astype(np.uint16)
    planes = cv2.cvtColor(counts, cv2.COLOR_BayerRG2RGB_EA).astype(np.float64)  # OpenCV names it by the second row
    return np.clip((planes - black) / 40000, 0, None) / BALANCE


def _shown(light: Picture) -> Picture:
    encoded: Picture = np.clip(light @ MATRIX.T, 0, 1) ** (1 / 2.2)
    return encoded


def _filed(x: Picture, quality: int) -> Picture:
    written = cv2.imencode(".jpg", (x[..., ::-1] * 255).round().astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: Picture = cv2.imdecode(written[1], cv2.IMREAD_COLOR)[..., ::-1] / 255
    return decoded


def _smoothed(x: Picture) -> Picture:
    """As a phone does: colours and detail by a bilateral filter, then sharper edges."""
    calm = cv2.bilateralFilter(x.astype(np.float32), 7, 0.08, 2.0)
    sharp: Picture = np.clip(calm + 0.6 * (calm - cv2.GaussianBlur(calm, (0, 0), 1.2)), 0, 1).astype(np.float64)
    return sharp


def _raw(clean: Picture, rng: np.random.Generator) -> Picture:
    return _shown(_seen(clean, 400, 4, rng))


def _camera(clean: Picture, rng: np.random.Generator) -> Picture:
    return _filed(_shown(_seen(clean, 250, 4, rng)), 88)


def _phone(clean: Picture, rng: np.random.Generator) -> Picture:
    return _filed(_smoothed(_shown(_seen(clean, 200, 3, rng))), 85)


def _by_hand(spoil: Callable[[Picture, np.random.Generator], Picture]) -> Any:
    def taken(x: Images, rng: np.random.Generator) -> tuple[Images, Images]:
        soft = cv2.GaussianBlur(_array(_cut(x)), (0, 0), LENS)
        return _tensor(soft), _tensor(spoil(soft, rng))

    return taken


def _messenger(x: Images, rng: np.random.Generator) -> tuple[Images, Images]:
    """A larger photograph, filed, halved and filed again."""
    whole = _array(x)
    half = (whole.shape[1] // 2, whole.shape[0] // 2)
    noisy = cv2.resize(_filed(_shown(_seen(whole, 80, 3, rng)), 92), half, interpolation=cv2.INTER_AREA)
    clean = cv2.resize(whole, half, interpolation=cv2.INTER_AREA)
    return _tensor(clean), _tensor(_filed(np.clip(noisy, 0, 1), 75))


def _operator(**values: Any) -> Any:
    def taken(x: Images, rng: np.random.Generator) -> tuple[Images, Images]:
        return _cut(x), danqing.add_camera_noise(_cut(x), seed=int(rng.integers(2**31)), **values)

    return taken


CAMERAS: dict[str, Callable[[Images, np.random.Generator], tuple[Images, Images]]] = {
    "raw, edge-aware": _by_hand(_raw),
    "camera, JPEG 88": _by_hand(_camera),
    "phone, JPEG 85": _by_hand(_phone),
    "messenger, halved, JPEG 92 and 75": _messenger,
    "operator, ISO 12,800": _operator(),
    "operator, phone, ISO 25,600": _operator(iso=25600, finish="phone", demosaic="directed", quality=85),
}


def _plain(name: str) -> Any:
    model: Any = copy.copy(load(name))
    model.precision = "fp32"
    return model


def _opencv(x: Images, strength: float) -> Images:
    pixels = np.ascontiguousarray((_array(x) * 255).round().astype(np.uint8)[..., ::-1])
    return _tensor(cv2.fastNlMeansDenoisingColored(pixels, None, strength, strength)[..., ::-1] / 255)


def _array(x: Images) -> Picture:
    return x[0].permute(1, 2, 0).double().numpy()


def _tensor(x: Picture) -> Images:
    return torch.from_numpy(np.ascontiguousarray(x.astype(np.float32))).permute(2, 0, 1)[None].clamp(0, 1).contiguous()
