"""Style: how near to a painting, at the same content, and for how much work

Photographs of scikit-image, 192 px high, and paintings that `python -m danqing.zoo.paintings runs/paintings` collects.
The peer is the method of Gatys et al. on VGG16 with Gram matrices, given danqing's pyramid; the strength of every other
method is searched until its content is as similar to the photograph's as the peer's (within 0.03). Judge of both is
SqueezeNet 1.1, on which nothing was optimised: content is the cosine of its maps, distance the mean over its nine maps
of the norm of the difference of covariances against the painting's, and in texture over the five shallow ones, since
the deep ones see things. `style_model` is given apart on paintings that it learned from and on others. Chroma noise is
the mean absolute difference of neighbours in chroma, against the painting's own. Seconds are of one thread's processor
time.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Generator
from torch.nn import functional

from bench.style_nets import SqueezeNet, vgg16_file
from danqing.core.artefacts.film import Film
from danqing.core.artefacts.saving import Saving
from danqing.core.learned.model import Stylist
from danqing.core.learned.weights import load
from danqing.core.operators.operator import operator_named
from danqing.core.operators.tiles import local
from danqing.core.pictures.contract import Images
from danqing.core.pictures.reading import read
from danqing.core.progress import finish
from danqing.maths.colour import luma
from danqing.maths.moments import moments, spread_distance
from danqing.maths.pyramid import resized
from danqing.nets.neural_style import Model, painted
from danqing.nets.style_features import style_features

PAINTINGS = Path(os.environ.get("DANQING_PAINTINGS", "runs/paintings"))
PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "cat")
LEARNED = (
    "train/katsushika-hokusai-the-great-wave-off-kanagawa-1823-1829",
    "train/vincent-van-gogh-village-street-in-auvers-1890",
    "train/wassily-kandinsky-composition-viii-1923",
)
OTHERS = ("test/gogh4", "test/pierre-auguste-renoir-bal-du-moulin-de-la-galette-1876", "test/paul-gauguin-arearea-1892")
HEIGHT = 192  # px
CONTENT = 0.03  # within which contents are alike
SHALLOW = 5  # of the judge's nine maps: those up to an eighth of the size, which see texture rather than things
TRIES = 4  # to find the strength
STRONGEST = 16.0  # times the usual strength, where the search ends; as many times less where it begins
FRAMES = 24
WEIGHTS = os.environ.get("DANQING_STYLIST", "stylist")

Method = Callable[[Images, Images, float], Images]


def run() -> dict[str, Any]:
    """Paint every photograph like every painting with every method, as similar to it as the peer does."""
    judge = SqueezeNet()
    rows = [with_model(judge, painted_slowly(judge, *pair)) for pair in pairs()]
    return finished(rows)


def pairs() -> list[tuple[str, str]]:
    """Photographs and paintings, so that a part of the list has all of both; DANQING_PAIRS says how many."""
    paintings = LEARNED + OTHERS
    count = len(PHOTOGRAPHS) * len(paintings)  # numbers without a common divisor: every pair comes once
    found = [(PHOTOGRAPHS[at % len(PHOTOGRAPHS)], paintings[at % len(paintings)]) for at in range(count)]
    return found[: int(os.environ.get("DANQING_PAIRS", count))]


def painted_slowly(judge: SqueezeNet, photo: str, name: str) -> dict[str, Any]:
    """What the peer makes of a pair, and the methods that take their time."""
    x = photograph(photo)
    painting = sized(picture(PAINTINGS / f"{name}.png"), x)
    peer, seconds = timed(_gatys, x, painting, 1.0)
    wanted = similarity(judge, peer, x)
    row: dict[str, Any] = {"photograph": photo, "painting": name, "learned": name in LEARNED}
    row["photo itself"] = facts(judge, x, painting, x, 0.0)
    row["Gatys, VGG16"] = facts(judge, x, painting, peer, seconds)
    made, seconds, strength = matched(judge, _neural, x, painting, wanted)
    row["neural_style"] = {**facts(judge, x, painting, made, seconds), "strength": strength}
    patches, seconds = timed(_patches, x, painting, 1.0)
    row["patch_style"] = facts(judge, x, painting, patches, seconds)
    print(row, flush=True)
    return row


def with_model(judge: SqueezeNet, row: dict[str, Any]) -> dict[str, Any]:
    """The same with what the net makes at once."""
    x = photograph(row["photograph"])
    painting = sized(picture(PAINTINGS / f"{row['painting']}.png"), x)
    made, seconds, strength = matched(judge, painted_at_once, x, painting, row["Gatys, VGG16"]["content"])
    return {**row, "style_model": {**facts(judge, x, painting, made, seconds), "strength": strength}}


def finished(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All that is told of the rows, and what is measured apart."""
    seen = load(WEIGHTS).card["training"]["pictures_seen"]
    return {"rows": rows, "megapixel": _megapixel(), "seams": _seams(), "film": _film(), "pictures_seen": seen}


def photograph(name: str) -> Images:
    """One of scikit-image's photographs."""
    from skimage import data

    pixels = torch.from_numpy(getattr(data, name)()).permute(2, 0, 1)[None].float() / 255
    return resized(pixels, [HEIGHT, round(HEIGHT * pixels.shape[3] / pixels.shape[2])]).clamp(0, 1)


def picture(file: Path) -> Images:
    """A painting."""
    return read(file).pixels


def sized(painting: Images, x: Images) -> Images:
    """A painting in the area of a photograph."""
    factor = (x.shape[2] * x.shape[3] / (painting.shape[2] * painting.shape[3])) ** 0.5
    return resized(painting, [round(factor * side) for side in painting.shape[2:]]).clamp(0, 1)


def similarity(judge: SqueezeNet, made: Images, x: Images) -> float:
    """How alike two pictures' contents are to the judge: the cosine of the maps of its fifth fire module."""
    mine, other = (judge.maps(each)[4].flatten(1) for each in (made, x))
    return float(torch.cosine_similarity(mine, other))


def distances(judge: SqueezeNet, made: Images, painting: Images) -> list[float]:
    """How far a picture's covariances are from a painting's, to the judge, from its shallow maps to its deep ones."""
    pairs = zip(judge.maps(made), judge.maps(painting), strict=True)
    return [float(spread_distance(moments(mine), moments(other))) for mine, other in pairs]


def chroma_noise(x: Images) -> float:
    """The mean absolute difference of neighbours in chroma, in steps of 255."""
    chroma = x - luma(x)
    return 255 * float((chroma[..., 1:] - chroma[..., :-1]).abs().mean())


def facts(judge: SqueezeNet, x: Images, painting: Images, made: Images, seconds: float) -> dict[str, Any]:
    """All figures of one picture."""
    away = distances(judge, made, painting)
    return {
        "distance": statistics.fmean(away),
        "texture": statistics.fmean(away[:SHALLOW]),
        "layers": away,
        "content": similarity(judge, made, x),
        "chroma": chroma_noise(made) / chroma_noise(painting),
        "seconds": seconds,
    }


def matched(
    judge: SqueezeNet, method: Method, x: Images, painting: Images, wanted: float
) -> tuple[Images, float, float]:
    """A method's picture whose content is as similar as wanted, or the nearest to it; its seconds; the strength."""
    low, high, strength = 0.0, 2.0, 1.0
    best: tuple[float, Images, float, float] | None = None
    for _ in range(TRIES):
        made, seconds = timed(method, x, painting, strength)
        found = similarity(judge, made, x)
        if best is None or abs(found - wanted) < best[0]:
            best = abs(found - wanted), made, seconds, strength
        if best[0] <= CONTENT:
            break
        low, high = (strength, high) if found > wanted else (low, strength)
        strength = (low + high) / 2
    assert best is not None
    return best[1:]


def _neural(x: Images, painting: Images, strength: float) -> Images:
    times = STRONGEST ** (strength - 1)
    work = painted(x, [Model(painting)], style_features(), Generator().manual_seed(0), strength=times)
    return finish(work)


def painted_at_once(x: Images, painting: Images, strength: float) -> Images:
    made: Images = operator_named("style_model")(x, style=painting, strength=(strength,), weights=WEIGHTS)
    return made


def _patches(x: Images, painting: Images, strength: float) -> Images:
    made: Images = operator_named("patch_style")(x, style=painting, strength=strength)
    return made


def _gatys(x: Images, painting: Images, strength: float) -> Images:
    features = style_features(str(vgg16_file()))
    rng = Generator().manual_seed(0)
    return finish(painted(x, [Model(painting)], features, rng, strength=strength, gram=True))


def timed(method: Method, x: Images, painting: Images, strength: float) -> tuple[Images, float]:
    start = time.process_time()
    return method(x, painting, strength), time.process_time() - start


def _megapixel() -> dict[str, Any]:
    """Seconds of ``style_model`` on a megapixel: wall time with the threads there are, and processor time."""
    x = functional.interpolate(photograph("astronaut"), (1000, 1000), mode="bilinear")
    painting, work = picture(PAINTINGS / f"{OTHERS[0]}.png"), operator_named("style_model")
    walls, works = [], []
    for _ in range(5):
        wall, cpu = time.perf_counter(), time.process_time()
        work(x, style=painting, weights=WEIGHTS)
        walls, works = [*walls, time.perf_counter() - wall], [*works, time.process_time() - cpu]
    return {"wall": statistics.median(walls), "cpu": statistics.median(works), "threads": torch.get_num_threads()}


def _seams() -> float:
    """The largest difference, in steps of 255, between a picture of 12 megapixels painted in tiles and in one."""
    weights = load(WEIGHTS, kind=Stylist)
    x = functional.interpolate(photograph("astronaut"), (3000, 4000), mode="bilinear")
    code = weights.code(picture(PAINTINGS / f"{OTHERS[0]}.png"))

    even = weights.evenness(x, code)

    def paint(part: Images) -> Images:
        return weights.paint(part, code, even)

    tiles = finish(local(paint, x, weights.reach))
    return 255 * float((tiles - weights.paint(x, code, even)).abs().max())


def _film() -> dict[str, float]:
    """Flicker of a film painted frame by frame, and steadied along its motion."""
    whole = functional.interpolate(photograph("coffee"), (320, 480), mode="bilinear")
    moving = [whole[..., at : at + 200, 2 * at : 2 * at + 300] for at in range(FRAMES)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "film.mp4"
        Film(moving, 24.0, FRAMES).write(file, [], Saving())
        found: dict[str, float] = {}
        for label, steady in (("frame by frame", 0.0), ("steadied", 0.7)):
            painting = picture(PAINTINGS / f"{OTHERS[0]}.png")
            film = operator_named("style_film")(film=file, style=painting, steady=steady, weights=WEIGHTS)
            for _ in film.frames:
                pass
            found |= {label: film.figures["flicker"], "the film itself": film.figures["flicker_of_the_film"]}
    return found


def table(result: dict[str, Any]) -> str:
    """Means over the pairs, and what was measured apart."""
    rows = result["rows"]
    head = "| | distance | of the peer's | in texture | of the peer's | content | chroma noise | seconds |"
    lines = [head, "|---" * 8 + "|"]
    for label in ("photo itself", "Gatys, VGG16", "neural_style", "patch_style"):
        lines.append(_line(label, label, rows))
    for words, learned in (("paintings it learned from", True), ("other paintings", False)):
        mine = [row for row in rows if row["learned"] == learned]
        lines += [_line(f"style_model, {words}", "style_model", mine)] if mine else []
    film, mega, seen = result["film"], result["megapixel"], result["pictures_seen"]
    missed = sum(abs(row["neural_style"]["content"] - row["Gatys, VGG16"]["content"]) > CONTENT for row in rows)
    lines += [
        "",
        f"{len(rows)} pair{'s' * (len(rows) != 1)}; `neural_style` missed the peer's content by more than {CONTENT} in",
        f"{missed} of them.",
        f"The net had seen {seen:,} pictures. `style_model` on a megapixel: {mega['wall']:.2f} s with",
        f"{mega['threads']} threads ({mega['cpu']:.2f} s of processor time); 12 megapixels in tiles differ from the",
        f"whole by at most {result['seams']:.3f}/255. Flicker of a film in steps of 255:",
        f"{film['frame by frame']:.2f} frame by frame, {film['steadied']:.2f} steadied,",
        f"{film['the film itself']:.2f} in the film itself.",
    ]
    return "\n".join(lines)


def _line(words: str, label: str, rows: list[dict[str, Any]]) -> str:
    def mean(value: str) -> float:
        return statistics.fmean(row[label][value] for row in rows)

    def ratio(value: str) -> float:
        return statistics.fmean(row[label][value] / row["Gatys, VGG16"][value] for row in rows)

    return (
        f"| {words} | {mean('distance'):.3f} | {ratio('distance'):.2f} | {mean('texture'):.3f} | "
        f"{ratio('texture'):.2f} | {mean('content'):.2f} | {mean('chroma'):.1f} | {mean('seconds'):.1f} |"
    )
