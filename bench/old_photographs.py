"""Old photographs: composed damage, mended whole and by single steps

Twenty-five cases: five of scikit-image's photographs (parts of 256×256 px; no net has learned from them), each aged in
five ways by the operator `age`: faded; scratched and dusty; folded, stained and somewhat faded; all of it; and as a
print in black and white that has faded, was folded, and stained twice. Below lies a grain of σ = 3 of 255. `repair`
decides by itself; without: it takes neither the step shading nor stains; a single step is `repair` with all others
switched off. PSNR (dB, RGB) and mean ΔE2000 against the undamaged photograph. Marks: share of what is hidden that
`scratches` marks (recall) and share of what it marks that is hidden, or within 2 px of that (precision), at its usual
strength; also on thin bright lines (1 px, brighter by 0.1…0.25) on bright ground (0.6…0.8) alone. Stains: the same of
the pixels that a stain dims by more than a density of 0.05, by `stains`, over the prints, and over the photographs in
colours. Shadows of folds: how far a photograph is from itself without its fold (mean
difference in steps of 1/255, but for what the crease hides) with nothing done, and with the shadow that is found
undone. Left alone: the steps that `repair` takes on the undamaged photographs; and, if `runs/photographs` is there, on
the middle 256×256 px of those held out of all learning, with how many of them are taken for faded as a whole, also
when they are made pale as fog, snow and too much light do; how many the step scratches would change, which changes them
how far (PSNR to themselves), and what share of them `inpaint --scratches` would paint over.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import Generator, Tensor
from torch.nn import functional as F

import danqing
from bench.bm3d import photograph, psnr
from bench.camera import HELD_OUT
from danqing.core.pictures.contract import Images, Mask
from danqing.core.pictures.reading import read
from danqing.maths.ageing import Wear, worn
from danqing.maths.colour import luma
from danqing.maths.degradation import gaussian_noise
from danqing.maths.stains import unstained
from danqing.nets.fade_estimate import estimate_fade
from danqing.nets.stain_estimate import hidden_or_inked
from danqing.nets.wear import LENIENT, fold_shading, radius_for

SIDE = 256
PLACES = {"astronaut": (0, 64), "coffee": (8, 120), "chelsea": (0, 30), "rocket": (20, 130), "motorcycle": (60, 200)}
NEW = {"fading": 0.0, "scratches": 0, "folds": 0, "stains": 0}
AGES: dict[str, dict[str, Any]] = {
    "faded": NEW | {"fading": 0.7},
    "scratched": NEW | {"scratches": 10},
    "folded": NEW | {"fading": 0.4, "scratches": 4, "folds": 2, "stains": 2},
    "all": {"fading": 0.8, "scratches": 8, "folds": 1, "stains": 1},
    "print": {"fading": 0.5, "scratches": 4, "folds": 1, "stains": 2},
}
STEPS = ("compression", "shading", "scratches", "stains", "noise", "fading", "blur")
FOLDS = 4  # of a photograph, each alone
NEAR = 5  # px: window in which a mark counts as on what is hidden
LINES = 40
MUCH = 5e-3  # share of a picture that is painted over
PALE: dict[str, Callable[[Images], Images]] = {
    "fog that thins downwards": lambda x: torch.lerp(x, torch.tensor(0.82), 1 - 0.5 ** _distance(x)),
    "even fog": lambda x: 0.5 * x + 0.42,
    "thick fog": lambda x: 0.3 * x + 0.56,
    "snow": lambda x: 1 - 0.45 * (1 - x),
    "too much light": lambda x: x**0.4,
}


def run() -> dict[str, Any]:
    """Age, repair and compare."""
    rows, marks, shadows, clean_steps = [], [], [], {}
    stains: dict[str, list[tuple[float, float]]] = {"prints": [], "colours": []}
    for number, (name, (top, left)) in enumerate(PLACES.items()):
        new = photograph(name)[..., top : top + SIDE, left : left + SIDE].contiguous()
        clean_steps[name] = danqing.repair(new).numbers[0]["steps"]
        shadows += [_shadows(new, 10 * number + at) for at in range(FOLDS)]
        for at, (kind, values) in enumerate(AGES.items()):
            seed = 10 * number + at
            clean = luma(new).clamp(0, 1).expand_as(new).contiguous() if kind == "print" else new
            old = danqing.age(clean, seed=seed, **values)
            whole = danqing.repair(old)
            row: dict[str, Any] = {"picture": name, "age": kind, "steps": whole.numbers[0]["steps"]}
            row["nothing"], row["repair"] = _errors(old, clean), _errors(whole.picture, clean)
            row["without"] = _errors(danqing.repair(old, never="shading,stains").picture, clean)
            for step in STEPS:
                others = ",".join(each for each in STEPS if each != step)
                row[step] = _errors(danqing.repair(old, never=others).picture, clean)
            rows.append(row)
            print(row, flush=True)
            if kind in ("scratched", "all"):
                marks.append(_found(old, danqing.age(clean, seed=seed, output="mask", **values)))
            if values["stains"]:
                there, said = danqing.age(clean, seed=seed, output="stains", **values), danqing.stains(old).picture
                stains["prints" if kind == "print" else "colours"].append((_share(there, said), _share(said, there)))
    ways = ("nothing", "repair", "without", *STEPS)
    means = {
        kind: {
            way: [statistics.fmean(row[way][at] for row in rows if kind in (row["age"], "mean")) for at in (0, 1)]
            for way in ways
        }
        for kind in (*AGES, "mean")
    }
    lines = _thin_lines()
    return {
        "means": means,
        "marks": _means(marks),
        "thin lines": lines,
        "stains": {where: _means(found) for where, found in stains.items()},
        "shadows": _means(shadows),
        "steps on undamaged": clean_steps,
        "held out": _held_out(),
        "rows": rows,
    }


def table(result: dict[str, Any]) -> str:
    """PSNR and ΔE2000 by age and way; then what was found."""
    ways = list(result["means"]["mean"])
    lines = ["| age | " + " | ".join(ways) + " |", "|---" * (len(ways) + 1) + "|"]
    for kind, found in result["means"].items():
        cells = (f"{found[way][0]:.2f} dB, ΔE {found[way][1]:.2f}" for way in ways)
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    alone = sum(not steps for steps in result["steps on undamaged"].values())
    lines += [
        "",
        "| marks | recall | precision |",
        "|---|---|---|",
        "| scratches, dust and folds on photographs | {:.2f} | {:.2f} |".format(*result["marks"]),
        "| thin bright lines on bright ground | {:.2f} | {:.2f} |".format(*result["thin lines"]),
        "| stains on prints in black and white | {:.2f} | {:.2f} |".format(*result["stains"]["prints"]),
        "| stains on photographs in colours | {:.2f} | {:.2f} |".format(*result["stains"]["colours"]),
        "",
        "Shadows of folds: {:.2f} of 255 from the photograph without its fold; {:.2f} when undone.".format(
            *result["shadows"]
        ),
        "",
        f"Of {len(result['steps on undamaged'])} undamaged photographs {alone} are left alone wholly: "
        + "; ".join(f"{name}: {', '.join(steps) or 'nothing'}" for name, steps in result["steps on undamaged"].items())
        + ".",
    ]
    if result["held out"]:
        lines += [
            "",
            "Of {count} held-out photographs {alone} are left alone; steps: {steps}; faded: {faded}.".format(
                **result["held out"]
            ),
            "Made pale, they are taken for faded: {pale}.".format(**result["held out"]),
            "The step scratches alone changes {scratched}, which keep {kept:.1f} dB to themselves;"
            " `inpaint --scratches` would paint over {painted:.2f} % of them in the mean,"
            " and more than 0.5 % of {much}.".format(**result["held out"]),
        ]
    return "\n".join(lines)


def _held_out() -> dict[str, Any]:
    """What is done to photographs that nothing ails, as far as anybody knows."""
    taken: Counter[str] = Counter()
    files = sorted(HELD_OUT.glob("*.png"))
    if not files:
        return {}
    others = ",".join(step for step in STEPS if step != "scratches")
    alone = faded = 0
    pale, kept, painted = Counter(dict.fromkeys(PALE, 0)), [], []
    for file in files:
        x = read(file).pixels
        top, left = ((side - SIDE) // 2 if side > SIDE else 0 for side in x.shape[-2:])
        part = x[..., top : top + SIDE, left : left + SIDE].contiguous()
        steps = danqing.repair(part).numbers[0]["steps"]
        taken.update(steps)
        scratched = danqing.repair(part, never=others)
        kept += [psnr(scratched.picture, part)] * len(scratched.numbers[0]["steps"])
        painted.append(float(hidden_or_inked(part, radius_for(part), LENIENT).mean()))
        pale.update(kind for kind, made in PALE.items() if estimate_fade(made(x)).faded[0])
        alone += not steps
        faded += int(estimate_fade(x).faded[0])
    said = ", ".join(f"{step} {count}" for step, count in taken.most_common()) or "none"
    return {
        "count": len(files),
        "alone": alone,
        "steps": said,
        "faded": faded,
        "pale": ", ".join(f"{kind} {count}" for kind, count in pale.items()),
        "scratched": len(kept),
        "kept": statistics.fmean(kept) if kept else math.inf,
        "painted": 100 * statistics.fmean(painted),
        "much": sum(share > MUCH for share in painted),
    }


def _distance(x: Images) -> Tensor:
    """How far things are: what is higher in a picture is farther."""
    return torch.linspace(1, 0.3, x.shape[-2])[:, None]


def _shadows(clean: Images, seed: int) -> tuple[float, float]:
    """How far a folded photograph is from what it was, where that is seen, as it is and without its shadows."""
    made = worn(clean, [Wear(folds=1)], Generator().manual_seed(seed))
    seen, flat = 1 - made.hidden, unstained(made.x, made.shaded)
    mended = unstained(made.x, fold_shading(made.x))
    return tuple(255 * float(((each - flat).abs() * seen).mean()) for each in (made.x, mended))  # type: ignore[return-value]


def _means(found: list[tuple[float, float]]) -> list[float]:
    return [statistics.fmean(each) for each in zip(*found, strict=True)]


def _errors(made: Images, clean: Images) -> tuple[float, float]:
    one, two = (rgb2lab(x[0].permute(1, 2, 0).numpy()) for x in (made, clean))
    return psnr(made, clean), float(deltaE_ciede2000(one, two).mean())


def _found(x: Images, hidden: Mask) -> tuple[float, float]:
    marked = danqing.scratches(x).picture
    return _share(hidden, marked), _share(marked, _wide(hidden))


def _share(of: Tensor, there: Tensor) -> float:
    return float((of * there).sum() / of.sum().clamp(min=1))


def _wide(mask: Mask) -> Mask:
    return F.max_pool2d(mask, NEAR, 1, NEAR // 2)


def _thin_lines() -> list[float]:
    """Lines of one pixel across bright slopes with a little grain."""
    rng, found = Generator().manual_seed(0), []
    for _ in range(LINES):
        low, step, slope, lean = torch.rand(4, generator=rng).tolist()
        ground = (0.6 + 0.1 * low + 0.1 * slope * torch.linspace(0, 1, 192)).expand(1, 3, 192, 192).clone()
        mask = torch.zeros(1, 1, 192, 192)
        rows = torch.arange(20, 170)
        mask[0, 0, rows, (96 + (lean - 0.5) * (rows - 96)).long()] = 1
        x = gaussian_noise((ground + mask * (0.1 + 0.15 * step)).clamp(0, 1), torch.tensor([3 / 255]), rng)
        found.append(_found(x, mask))
    return _means(found)
