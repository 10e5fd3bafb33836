"""Fine-tuning: what two minutes on pages of text buy

Pages of danqing's own documents, set in the fonts that come with matplotlib; three in four are learned from. Three nets
of the same size take noise of σ = 25 off the held-out pages, and off two photographs of printed text that come with
scikit-image: the bundled denoise-base as it is, a net trained on the pages from nothing, and the bundled one trained
on them for the same time (`--from denoise-base`).
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

import danqing
from bench.bm3d import psnr
from bench.denoise import noisy_copy
from danqing.core.learned.weights import load
from danqing.core.pictures.contract import Images

BUDGET = "2m"
SIGMA = 25
PAGES, WIDTH, HEIGHT = 48, 512, 640
FONTS = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "DejaVuSerif-Italic.ttf", "DejaVuSans-Bold.ttf")
BASE = "denoise-base"


def run() -> dict[str, Any]:
    """Set the pages, train both nets, and take the noise off."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        held_out = _set_pages(place / "pages")
        options = {
            "task": "denoise",
            "net": "base",
            "patch": 64,
            "budget": BUDGET,
            "ema": 2000.0,
            "schedule": "cosine",
        }
        begun = {"from_": BASE, **options, "lr": 5e-4}
        nets = {
            "as it is": load(BASE),
            "from nothing": load(danqing.train("restorer", place / "pages", **options, out=place / "new").model),
            "--from denoise-base": load(danqing.train("restorer", place / "pages", **begun, out=place / "tuned").model),
        }
        sets = {"held-out pages": held_out, "photographs of text": _photographs()}
        scores = {
            words: {name: statistics.fmean(_scored(net, x) for x in pictures) for name, net in nets.items()}
            for words, pictures in sets.items()
        }
        noisy = {
            words: statistics.fmean(psnr(noisy_copy(x, SIGMA), x) for x in pictures) for words, pictures in sets.items()
        }
    return {"budget": BUDGET, "sigma": SIGMA, "scores": scores, "noisy": noisy}


def table(result: dict[str, Any]) -> str:
    """A line a set of pictures."""
    names = list(next(iter(result["scores"].values())))
    lines = [f"PSNR in dB after {result['budget']}:", "", "| | noisy | " + " | ".join(names) + " |"]
    lines.append("|---" * (len(names) + 2) + "|")
    for words, found in result["scores"].items():
        lines.append(
            f"| {words} | {result['noisy'][words]:.2f} | " + " | ".join(f"{found[n]:.2f}" for n in names) + " |"
        )
    return "\n".join(lines)


def _scored(net: Any, clean: Images) -> float:
    return psnr(net.restore(noisy_copy(clean, SIGMA)), clean)


def _set_pages(folder: Path) -> list[Images]:
    """Write pages in ``train`` and ``test``; gives those of the test."""
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    root = Path(__file__).parent.parent
    words = "\n".join(file.read_text("utf-8") for file in sorted(root.glob("docs/**/*.md"))).split()
    fonts, rng, at, held_out = Path(matplotlib.get_data_path()) / "fonts" / "ttf", np.random.default_rng(0), 0, []
    for page in range(PAGES):
        size = int(rng.integers(11, 26))
        font = ImageFont.truetype(str(fonts / FONTS[page % len(FONTS)]), size)
        paper, ink = int(rng.integers(215, 256)), int(rng.integers(0, 70))
        sheet = Image.new("L", (2 * WIDTH, 2 * HEIGHT), paper)
        draw = ImageDraw.Draw(sheet)
        font = font.font_variant(size=2 * size)
        for line in range(40, 2 * HEIGHT - 60, round(2.6 * size)):
            text = ""
            while draw.textlength(text, font) < 2 * WIDTH - 260:
                text, at = f"{text} {words[at % len(words)]}".strip(), at + 1
            draw.text((50, line), text, ink, font)
        made = sheet.rotate(float(rng.uniform(-2, 2)), Image.Resampling.BICUBIC, fillcolor=paper)
        pixels = np.asarray(made.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), np.float32) / 255
        picture = torch.from_numpy(pixels)[None, None]
        test = page % 4 == 3
        danqing.write(picture, folder / ("test" if test else "train") / f"{page:02}.png")
        held_out += [picture] if test else []
    return held_out


def _photographs() -> list[Images]:
    from skimage import data

    return [torch.from_numpy(pixels.astype(np.float32) / 255)[None, None] for pixels in (data.page(), data.text())]
