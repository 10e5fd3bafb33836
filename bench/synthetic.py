"""Synthetic pictures beside real ones

Birds, mammals and fish: photographs in Debian's `gcompris-qt-data`, of which 1, 2 or 5 a class are learned from and all
others told apart. Composed pictures are cut-outs of animals (`tuxpaint-stamps-default`) that
`data compose` laid, one a picture, on photographs of buildings with all that makes them fit in; the plain ones on made
grounds, anywhere, without harmony, shadow, match and JPEG. Generated ones come from a dcgan that trained on the learned
photographs alone. What is trained is the head of `classifier --net imagenet` on its
frozen trunk; real pictures weigh as much as synthetic ones where both are there. Balanced accuracy, mean over splits,
with 95 % intervals of that mean (of differences: of the same splits).
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import danqing
from danqing.core.learned.weights import load
from danqing.core.operators.task import task_named
from danqing.core.pictures.reading import read
from danqing.models.classifier import Classifier
from danqing.zoo.packages import unpacked
from danqing.zoo.photographs import resources

CLASSES = ("bird", "fish", "mammal")
PHOTOGRAPHED = {
    "bird": "northern_harrier penguin swans kingfisher heron toucan gosling spoonbills chicken duck owl scarlet_macaw",
    "mammal": "gorilla pika giraffe calf nubian_ibex camels macaque long_nosed_monkey flying_fox gibbon rhinoceros "
    "goat horse alpaca cheetah meerkats kitten red_panda squirrel dog cow cat sheep pig koala bison jaguar hedgehog "
    "kangaroo moose panda lemur polar_bear narwhal",
}
ANIMALS = re.compile(r"activities/(?:erase|explore_farm_animals|explore_world_animals)/.*/([a-z_]+)\.webp$")
FISH = re.compile(r"categorization/resource/images/fishes/fish\d+\.webp$")
ARCHIVES = ("erase", "explore_farm_animals", "explore_world_animals", "categorization", "explore_monuments")
BUILDINGS = re.compile(r"explore_monuments/resource/[a-z]+/[A-Za-z]+\.webp$")
STAMPS = {"bird": "birds", "fish": "fish", "mammal": "mammals"}
DRAWN = ("cartoon", "toys", "lobster", "shrimp", "aquatic")  # stamps that are no photographs, or of another class
SIZE, SIDE, COMPOSED, PAINTED = 128, 64, 80, 80
REAL, SPLITS, PAINTERS, BUDGET = (1, 2, 5), 20, 3, "20s"
PLAIN = {"harmony": 0.0, "shadow": 0.0, "match": False, "jpeg": 0, "where": "anywhere"}
NAMES = {
    "real": "real",
    "generated": "generated",
    "real + generated": "real + generated",
    "composed": "real + composed",
    "plain": "real + composed, plain",
    "all": "real + composed, plain + generated",
}
DECAY = 1e-3


def run() -> dict[str, Any]:
    """Train on all kinds of pictures, then label digits."""
    torch.set_num_threads(1)
    trunk = Classifier(SIZE, 3, 3, net="imagenet").eval()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        real = _photographs(home)
        own = {label: [_features(trunk, file) for file in files] for label, files in real.items()}
        made = {"composed": _composed(home, trunk, home / "buildings"), "plain": _composed(home, trunk, None, **PLAIN)}
        rows = [_measured(own, real, made, count, home, trunk) for count in REAL]
        alone = {name: _accuracy(_head([(each, 1.0)]), own, {}) for name, each in made.items()}
    return {"real": {label: len(files) for label, files in real.items()}, "splits": SPLITS, "painters": PAINTERS,
            "budget": BUDGET, "alone": alone, "rows": rows}  # fmt: skip


def table(result: dict[str, Any]) -> str:
    """A line a number of real pictures; and what labels cost."""
    heads = ("real a class", *NAMES.values(), "gain of composed, plain")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in result["rows"]:
        told = (_told(row[name]) for name in NAMES)
        lines.append(f"| {row['count']} | {' | '.join(told)} | {_told(row['gain'], sign='+')} |")
    counts = ", ".join(f"{count} of {label}" for label, count in result["real"].items())
    lines += [
        "",
        f"Photographs: {counts}. Composed pictures alone, without a real one: {result['alone']['composed']:.2f}, plain "
        f"{result['alone']['plain']:.2f}. Means over {result['splits']} splits; with generated pictures, over "
        f"{result['painters']}, whose dcgan trained for {result['budget']} each.",
    ]
    return "\n".join(lines)


def _told(found: list[float], sign: str = "") -> str:
    return f"{found[0]:{sign}.2f} ± {found[1]:.2f}"


def _photographs(home: Path) -> dict[str, list[Path]]:
    """Write down the photographs by class, and those of buildings."""
    found: dict[str, list[Path]] = {label: [] for label in CLASSES}
    kinds = {name: label for label, names in PHOTOGRAPHED.items() for name in names.split()}
    with unpacked("gcompris-qt-data", None) as package:
        for archive in sorted(package.folder.rglob("*.rcc")):
            if archive.stem not in ARCHIVES:
                continue
            for path, raw in resources(archive.read_bytes()):
                match = ANIMALS.search(path)
                label = "fish" if FISH.search(path) else kinds.get(match[1], "") if match else ""
                if label or BUILDINGS.search(path):
                    image = Image.open(io.BytesIO(raw)).convert("RGB")
                    if min(image.size) < SIZE:
                        continue
                    file = home / (label or "buildings") / f"{archive.stem}-{Path(path).stem}.png"
                    file.parent.mkdir(exist_ok=True)
                    image.save(file)
                    if label:
                        found[label].append(file)
    return found


def _composed(home: Path, trunk: Classifier, backgrounds: Path | None, **manner: Any) -> dict[str, list[Tensor]]:
    """Cut-outs on buildings, or on made grounds, as features by class."""
    with unpacked("tuxpaint-stamps-default", None) as package:
        for label, name in STAMPS.items():
            for file in sorted(package.folder.glob(f"usr/share/tuxpaint/stamps/animals/{name}/**/*.png")):
                if not any(word in file.as_posix().partition("animals/")[2] for word in DRAWN):
                    place = home / "cutouts" / label / file.name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(file.read_bytes())
    task_named("data compose")(
        cutouts=home / "cutouts", backgrounds=backgrounds, width=SIZE, height=SIZE, count=len(CLASSES) * COMPOSED,
        most=1, smallest=0.5, largest=1.0, labels="classes", out=home / "composed", force=True, **manner,
    )  # fmt: skip
    files = {label: sorted((home / "composed" / "pictures" / label).glob("*.png")) for label in CLASSES}
    return {label: [_features(trunk, file) for file in each] for label, each in files.items()}


def _measured(
    own: dict[str, list[Tensor]], files: dict[str, list[Path]], made: dict[str, dict[str, list[Tensor]]], count: int,
    home: Path, trunk: Classifier,
) -> dict[str, Any]:  # fmt: skip
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    for split in range(SPLITS):
        rng = np.random.default_rng((count, split))
        chosen = {label: rng.permutation(len(each))[:count].tolist() for label, each in own.items()}
        real = {label: [own[label][at] for at in chosen[label]] for label in CLASSES}
        sets = {"real": [(real, 1.0)], **{name: [(real, 1.0), (each, 1.0)] for name, each in made.items()}}
        if split < PAINTERS:
            learned = {label: [files[label][at] for at in chosen[label]] for label in CLASSES}
            painted = _generated(learned, home, trunk, split)
            sets |= {"generated": [(painted, 1.0)], "real + generated": [(real, 1.0), (painted, 1.0)]}
            sets |= {"all": [(real, 1.0), (made["plain"], 0.5), (painted, 0.5)]}
        for name, parts in sets.items():
            found[name].append(_accuracy(_head(parts), own, chosen))
    gain = [both - one for both, one in zip(found["plain"], found["real"], strict=True)]
    return {"count": count, "gain": interval(gain), **{name: interval(each) for name, each in found.items()}}


def _generated(files: dict[str, list[Path]], home: Path, trunk: Classifier, split: int) -> dict[str, list[Tensor]]:
    """What a painter makes that saw these photographs alone, as features by class."""
    with tempfile.TemporaryDirectory(dir=home) as folder:
        for label, each in files.items():
            place = Path(folder, "real", label)
            place.mkdir(parents=True)
            for file in each:
                with Image.open(file) as image:
                    side = min(image.size)
                    left, top = (image.width - side) // 2, (image.height - side) // 2
                    part = image.crop((left, top, left + side, top + side)).resize(
                        (SIDE, SIDE), Image.Resampling.LANCZOS
                    )
                part.save(place / f"{file.stem}.png")
                part.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(place / f"{file.stem}-flipped.png")
        out = Path(folder, "run")
        model = load(danqing.train("dcgan", Path(folder, "real"), size=SIDE, budget=BUDGET, seed=split, out=out).model)
        painted = {label: danqing.generate(model, count=PAINTED, seed=split, label=label) for label in CLASSES}
    return {label: [_seen(trunk, each) for each in x.split(1)] for label, x in painted.items()}


@torch.no_grad()
def _seen(trunk: Classifier, x: Tensor) -> Tensor:
    """Features (2, 1280) of a picture and its mirror image."""
    return torch.cat([trunk.features(x), trunk.features(x.flip(3))])


def _features(trunk: Classifier, file: Path) -> Tensor:
    return _seen(trunk, read(file).pixels)


def _head(parts: list[tuple[dict[str, list[Tensor]], float]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A linear head on features; each part has its weight, shared by its pictures."""
    x, y, w = [], [], []
    for features, weight in parts:
        for at, label in enumerate(CLASSES):
            each = torch.cat(features[label])
            x.append(each)
            y += [at] * len(each)
            w += [weight / (len(CLASSES) * len(each))] * len(each)
    return fitted(torch.cat(x), torch.tensor(y), torch.tensor(w), len(CLASSES))


def fitted(x: Tensor, y: Tensor, w: Tensor, classes: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    mean, spread = x.mean(0), x.std(0) + 0.05
    unit = (x - mean) / spread
    weight, bias = torch.zeros(classes, x.shape[1], requires_grad=True), torch.zeros(classes, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        losses = torch.nn.functional.cross_entropy(unit @ weight.T + bias, y, reduction="none")
        loss = (losses * w).sum() / w.sum() + DECAY * weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return weight.detach(), bias.detach(), mean, spread


def logits(head: tuple[Tensor, Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
    weight, bias, mean, spread = head
    return ((x - mean) / spread) @ weight.T + bias


def _accuracy(head: Any, own: dict[str, list[Tensor]], learned: dict[str, list[int]]) -> float:
    """Balanced accuracy on what was not learned."""
    shares = []
    for number, label in enumerate(CLASSES):
        rest = [each[:1] for at, each in enumerate(own[label]) if at not in learned.get(label, [])]
        shares.append(float((logits(head, torch.cat(rest)).argmax(1) == number).float().mean()))
    return float(np.mean(shares))


def interval(values: list[float]) -> list[float]:
    """Mean, and half a 95 % interval of it."""
    from scipy import stats

    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return [float(np.mean(values)), float(half)]
