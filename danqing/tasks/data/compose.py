"""The task data compose."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from danqing.core.artefacts.figures import Figures
from danqing.core.disk import seen_from
from danqing.core.errors import ParameterError
from danqing.core.fields.folder import Folder
from danqing.core.fields.number import Range
from danqing.core.fields.seed import LARGEST, Seed
from danqing.core.operators.task import task
from danqing.core.progress import Job
from danqing.core.recipe import Step
from danqing.data import backgrounds as grounds
from danqing.data import cutouts as things
from danqing.data.composed import OPERATOR, PICTURES, Labels, check_free, write_set
from danqing.data.cutouts import Kind
from danqing.data.scenes import Manner, Where

Share = Annotated[float, Range(0, 1)]


@task
def compose(
    cutouts: Folder | None = None,
    backgrounds: Folder | None = None,
    text: str = "",
    digits: bool = False,
    font: Path | None = None,
    count: Annotated[int, Range(1, 1_000_000, "pictures")] = 100,
    width: Annotated[int, Range(16, 4096, "px")] = 256,
    height: Annotated[int, Range(16, 4096, "px")] = 256,
    fewest: Annotated[int, Range(0, 100, "things")] = 1,
    most: Annotated[int, Range(1, 100, "things")] = 4,
    smallest: Annotated[float, Range(0.02, 2)] = 0.2,
    largest: Annotated[float, Range(0.02, 2)] = 0.6,
    rotation: Annotated[float, Range(0, 180, "°")] = 10.0,
    flip: bool = True,
    harmony: Share = 0.6,
    shadow: Share = 0.5,
    match: bool = True,
    jpeg: Annotated[int, Range(0, 98)] = 75,
    overlap: Annotated[float, Range(0, 0.9)] = 0.3,
    where: Where = "ground",
    labels: Labels = "coco",
    first: Annotated[int, Range(0, LARGEST)] = 0,
    seed: Seed = 0,
    skip_bad: bool = False,
    out: Path = Path("composed"),
    force: bool = False,
) -> Job[Figures]:
    """Compose pictures with perfect labels: cut-outs, words and digits laid on photographs.

    Light, colours, haze, sharpness and grain of what is laid on follow the picture, and it throws a soft shadow. Labels
    say the class, the box, the mask of what can be seen, and points: those that a JSON file beside a cut-out tells (as
    ``pose`` writes it), the corners of words, else the middle. Each picture follows from the seed and its number alone.

    Args:
        cutouts: a folder of pictures with transparency, in class folders; opaque ones are cut out of an even ground.
        backgrounds: a folder of photographs; by default soft grounds are made up.
        text: words to lay on, with commas between, each a class.
        digits: lay on the built-in handwritten digits, ten classes.
        font: the font file of the words; by default DejaVu Sans Bold.
        count: how many pictures.
        width: of the pictures in pixels.
        height: of the pictures in pixels.
        fewest: things a picture, at least; 0 makes pictures without any, too.
        most: things a picture, at most.
        smallest: longer side of the smallest things, as a share of the picture's shorter side.
        largest: the same of the largest things.
        rotation: degrees that a thing is turned, at most.
        flip: mirror half of the cut-outs (never words or digits).
        harmony: how far light and colours of a thing follow the picture's; 0 leaves them as they are.
        shadow: how dark shadows are; 0: none.
        match: make things as sharp and as grainy as the picture.
        jpeg: the lowest quality of JPEG that pictures go through, the highest is 98; 0: none.
        overlap: share of a thing that others, or the border, may hide.
        where: on the ground in the lower part, the nearer the larger; or anywhere.
        labels: the format of the labels; classes are class folders of the pictures alone, for a classifier.
        first: number of the first picture; a set goes on with the number after its last.
        seed: fixes every random choice.
        skip_bad: go on without the files that cannot be used.
        out: the folder for pictures and labels.
        force: replace the set that is there.

    Returns:
        How many pictures and things of each class were made, and where they are.

    Raises:
        ParameterError: if there is nothing to lay on, or values contradict each other.
        DataError: if a file cannot be used, or a folder holds none.

    Examples:
        danqing data compose --cutouts animals --backgrounds photos --count 500 --out set
        danqing data compose --digits --text "OPEN,SALE" --backgrounds photos --where anywhere --labels yolo --out set
        danqing data compose --cutouts animals --backgrounds photos --most 1 --labels classes --out set
    """
    given = dict(locals())
    manner = Manner(**{name: given[name] for name in Manner.__dataclass_fields__})
    _check(manner)
    check_free(out, force, (cutouts, backgrounds))
    kinds = yield from _kinds(cutouts, text, digits, font, skip_bad)
    ground = grounds.made if backgrounds is None else (yield from grounds.photographs(backgrounds, skip_bad))
    numbers = range(first, first + count)
    step = Step(OPERATOR, _told(given, out / PICTURES))
    made = yield from write_set(out, kinds, ground, manner, numbers, seed, labels, step, force)
    counts = Counter(each.thing.label for each in made.found.kept())
    row = {"pictures": str(made.pictures), "labels": str(made.labels), "count": len(made.found),
           "things": sum(counts.values()), "classes": {kind.label: counts[kind.label] for kind in kinds}}  # fmt: skip
    told = ", ".join(f"{label} × {each:,}" for label, each in counts.most_common(20))
    lines = [f"wrote {len(made.found):,} pictures into {made.pictures}, labels into {made.labels}", f"things: {told}"]
    return Figures([row], lines=lines)


def _check(manner: Manner) -> None:
    for low, high in (("fewest", "most"), ("smallest", "largest")):
        if getattr(manner, low) > getattr(manner, high):
            raise ParameterError(f"{getattr(manner, low)} is more than {high}, {getattr(manner, high)}", where=low)


def _kinds(cutouts: Path | None, text: str, digits: bool, font: Path | None, skip_bad: bool) -> Job[list[Kind]]:
    found = [] if cutouts is None else (yield from things.from_folder(cutouts, skip_bad))
    found += things.words(text, font) if text else []
    found += things.handwritten() if digits else []
    if not found:
        raise ParameterError("there is nothing to lay on", where="cutouts", remedy="Give --cutouts, --text or --digits")
    for label, times in Counter(each.label for each in found).items():
        if times > 1:
            raise ParameterError(f"the class {label!r} comes from {times} sources", where="cutouts")
    return found


def _told(given: dict[str, Any], home: Path) -> dict[str, Any]:
    """The values as a recipe holds them; places as seen from the pictures."""
    values = {name: value for name, value in given.items() if name not in ("out", "force")}
    return {name: seen_from(home, value) if isinstance(value, Path) else value for name, value in values.items()}
