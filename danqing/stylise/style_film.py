"""The operator style_film."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import torch
from torch import Generator

from danqing.core.artefacts.film import Film, Reel
from danqing.core.errors import PictureError
from danqing.core.fields.number import Range
from danqing.core.fields.painting import Painting
from danqing.core.fields.strengths import Strengths
from danqing.core.learned.model import Stylist
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.operators.use import use
from danqing.core.pictures.contract import Images
from danqing.core.pictures.films import Frame, frame_count, frames
from danqing.core.progress import finish
from danqing.maths.optical_flow import Motion, flicker, motion, warped
from danqing.maths.style_choice import laid_over, styles_for
from danqing.nets.neural_style import USUAL, Before, Model, painted
from danqing.nets.style_features import style_features

STEPS = 60  # of a frame that is painted stroke by stroke, at the smallest size
SEED = 0

Paint = Callable[[Images, Before | None], Images]


@operator(version=3)
def style_film(
    film: Path,
    style: Painting,
    style2: Painting | None = None,
    method: Literal["model", "neural"] = "model",
    strength: Strengths = (1.0,),
    colours: Literal["painting", "photograph"] = "painting",
    steady: Annotated[float, Range(0, 1)] = 0.7,
    weights: Stylist = "stylist",  # type: ignore[assignment]
) -> Film:
    """Paint a film in the style of paintings, so that strokes move along with what they show.

    Each frame begins with the painted one before, moved to where things are now, and how much the result flickers is
    told: the mean difference of a frame from the one before along its motion, in steps of 255.

    Args:
        film: a GIF, WebP, APNG or MP4, one at a time; sound is left out.
        style: the painting, of any size.
        style2: a second painting to mix in.
        method: model paints each frame at once, as ``style_model`` does; neural stroke by stroke, as ``neural_style``,
            which takes minutes a second of film.
        strength: how far the film goes to the painting; of two paintings one number each, such as 0.7,0.3.
        colours: those of the painting, or those the film has: what is grey stays grey.
        steady: how much of the frame before is kept where nothing but motion happens; 0 paints each frame for itself.
        weights: the bundled stylist, or one of one's own; for the method model.

    Returns:
        The film, with the rate of the one it was made from.

    Raises:
        PictureError: if the film cannot be read, or its frames differ in size.
        ParameterError: as ``neural_style`` says.

    Source: M. Ruder et al., "Artistic style transfer for videos", 2016, section 4 (short-term consistency).

    Examples:
        danqing style_film holiday.mp4 --style painting.jpg --out painted.mp4
    """
    if film.is_dir():
        remedy = f'In a shell: for film in {film}/*; do danqing style_film "$film" --style PAINTING; done'
        raise PictureError("is a folder, and films are painted one at a time", where=film, remedy=remedy)
    count, asked = frame_count(film), [style[:1], None if style2 is None else style2[:1]]
    first = next(iter(frames(film)), None)
    if first is None:
        raise PictureError("holds no frames", where=film)
    if count == 1:
        note(f"{film} has a single frame")
    paint = _model(asked, strength, colours, weights) if method == "model" else _neural(asked, strength, colours)
    figures: dict[str, float] = {}
    reel = Reel(lambda: _steadied(film, paint, steady, figures))
    return Film(reel, 1 / _seconds(film, first), count, figures)


def _model(styles: list[Images | None], strength: tuple[float, ...], colours: str, weights: Stylist) -> Paint:
    """Paint a frame at once."""
    once = use("style_model")

    def paint(x: Images, before: Before | None) -> Images:
        first, second = styles
        made: Images = once(x, style=first, style2=second, strength=strength, colours=colours, weights=weights)
        return made if before is None or not any(strength) else torch.lerp(made, before.picture, before.trust)

    return paint


def _neural(styles: list[Images | None], strength: tuple[float, ...], colours: str) -> Paint:
    """Paint a frame stroke by stroke, from the one before."""
    features = style_features()

    def paint(x: Images, before: Before | None) -> Images:
        asked = styles_for(x, 0, styles, [None] * len(styles), strength, 1.0, colours == "photograph")
        models = [Model(each.picture, each.share) for each in asked.wanted]
        if asked.strength == 0:
            return x
        rng = Generator().manual_seed(SEED)
        made = finish(painted(x, models, features, rng, STEPS, USUAL * asked.strength, before=before))
        return laid_over(x, made, asked)

    return paint


def _steadied(film: Path, paint: Paint, steady: float, figures: dict[str, float]) -> Iterator[Images]:
    """The frames, each painted with the one before in mind; what they flicker is summed up on the way."""
    last: Images | None = None
    old: Images | None = None
    sums = {"flicker": 0.0, "flicker_of_the_film": 0.0}
    for at, frame in enumerate(_whole(film)):
        moved = None if old is None else motion(old, frame)
        made = paint(frame, _before(last, moved, steady))
        if last is not None and old is not None and moved is not None:
            sums["flicker"] += flicker(last, made, moved)
            sums["flicker_of_the_film"] += flicker(old, frame, moved)
            figures.update({name: round(each / at, 3) for name, each in sums.items()})
        last, old = made, frame
        yield made


def _before(last: Images | None, moved: Motion | None, steady: float) -> Before | None:
    if last is None or moved is None or steady == 0:
        return None
    return Before(warped(last, moved.back), steady * moved.trust)


def _whole(film: Path) -> Iterator[Images]:
    """The frames in colour, all of one size.

    Raises:
        PictureError: if they are not.
    """
    shape: torch.Size | None = None
    for at, frame in enumerate(frames(film)):
        pixels = frame.pixels.expand(-1, 3, -1, -1)
        if frame.alpha is not None:
            note(f"{film}: its transparency is left out")
        if shape is not None and pixels.shape != shape:
            raise PictureError(f"frame {at} has another size than those before", where=film)
        shape = pixels.shape
        yield pixels


def _seconds(film: Path, first: Frame) -> float:
    """How long a frame is shown on the mean."""
    shown = [frame.seconds for frame in frames(film)]
    if max(shown) > 1.5 * min(shown):
        note(f"{film}: its frames are shown for different times; the new ones all for the mean of them")
    return sum(shown) / len(shown) if shown else first.seconds
