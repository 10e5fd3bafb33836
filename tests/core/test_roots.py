"""A kind of field, a kind of result, an alarm, a family, an operator: each is one file, in a package of others, too.

The package ``mybrush`` lies in a folder of its own, laid out as danqing is; each test says which of its files it is
about. Everything is asked in a process of its own, which knows of the package by its entry point alone.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from danqing.core.pictures.reading import read
from tests.session import REPOSITORY, Session

METADATA = "Metadata-Version: 2.1\nName: mybrush\nVersion: 0.1\n"
ENTRY_POINTS = "[danqing.operators]\nmybrush = mybrush\n"

WORDS = '''    """{summary}

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        {argument}

    Returns:
        {returns}

    Source: danqing.

    Examples:
        danqing {example}
    """
'''

OPERATOR = (
    """
from typing import Annotated

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images


@operator(reach=0)
def solarise(x: Images, level: Annotated[float, Range(0, 1)] = 0.5) -> Images:
"""
    + WORDS.format(
        summary="Turn what is bright into its negative.",
        argument="level: what is brighter than this is turned.",
        returns="Pictures of the same size.",
        example="solarise photo.png --level 0.4 --out turned.png",
    )
    + """
    return (1 - x).where(x > level, x)
"""
)

FIELD = '''
import random
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from danqing.core.fields.kind import Kind


class AngleKind(Kind):
    """An angle in degrees, spelt with its unit."""

    noun: ClassVar[str] = "an angle such as 30deg"
    metavar: ClassVar[str] = "DEGREES"
    widget: ClassVar[str] = "dial"

    def parse(self, text: str) -> float:
        return float(text.removesuffix("deg"))

    def check(self, value: Any, name: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not -360 <= value <= 360:
            raise self.refuse(value, name)
        return float(value)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": -360, "maximum": 360}

    def spelt(self, value: Any) -> str:
        return f"{value!r}deg"

    def draw(self, rng: random.Random) -> float:
        return rng.uniform(-360, 360)

    def misfits(self) -> Iterator[Any]:
        yield from ("30", 361, True, object())


Angle = Annotated[float, AngleKind()]
'''

USER_OF_FIELD = (
    """
import math

from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from mybrush.core.fields.angle import Angle


@operator(reach=0)
def wheel(x: Images, turn: Angle = 30.0) -> Images:
"""
    + WORDS.format(
        summary="Fade pictures by the cosine of an angle.",
        argument="turn: how far the wheel is turned.",
        returns="Pictures of the same size.",
        example="wheel photo.png --turn 60deg --out faded.png",
    )
    + """
    return x * abs(math.cos(math.radians(turn)))
"""
)

ARTEFACT = '''
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from danqing.core.artefacts.artefact import Artefact
from danqing.core.artefacts.saving import Saving
from danqing.core.disk import replacing
from danqing.core.errors import PictureError
from danqing.core.pictures.contract import Picture
from danqing.core.recipe import Recipe, from_json, to_json


@dataclass(frozen=True)
class Swatch(Artefact):
    """A colour on a card."""

    colour: list[float]

    noun: ClassVar[str] = "a swatch"
    suffixes: ClassVar[tuple[str, ...]] = (".swatch",)
    place: ClassVar[str] = "Write the swatch here."

    def write(self, file: Path, recipe: Recipe, saving: Saving, like: Picture | None = None) -> Artefact:
        with replacing(file, force=saving.force) as temporary:
            temporary.write_text(json.dumps(self.colour) + "\\n" + to_json(recipe) + "\\n")
        return self

    @classmethod
    def read_recipe(cls, file: Path) -> Recipe | None:
        return from_json(_lines(file)[1], file)

    @classmethod
    def same(cls, one: Path, other: Path) -> bool:
        return _lines(one)[0] == _lines(other)[0]

    @classmethod
    def draw(cls, rng: random.Random) -> Artefact:
        return cls([rng.random() for _ in range(3)])

    def told(self) -> Any:
        return {"colour": self.colour}


def _lines(file: Path) -> list[str]:
    lines = file.read_text().splitlines(keepends=True)
    if len(lines) != 2 or not lines[1].endswith("\\n"):
        raise PictureError("is no whole swatch", where=file)
    return lines
'''

USER_OF_ARTEFACT = '''
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from mybrush.core.artefacts.swatch import Swatch


@operator
def dip(seed: Seed = 0) -> Swatch:
    """Dip a brush into a colour.

    Args:
        seed: chooses the colour.

    Returns:
        The colour on a card.

    Source: danqing.

    Examples:
        danqing dip --seed 3 --out red.swatch
    """
    return Swatch([seed % 7 / 6, 0.0, 0.0])
'''

ALARM = """
from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Alarm, Moment


@dataclass
class TooLong(Alarm):
    words: ClassVar[str] = "it takes long"
    remedy: ClassVar[str] = "Be patient"
    steps: int = 0

    def watch(self, moment: Moment) -> bool:
        self.steps += 1
        return self.steps >= 5
"""

FAMILY = '''
from collections.abc import Iterator
from typing import Annotated

import torch
from torch import Generator, Tensor, nn

from danqing.core.fields.number import Range
from danqing.core.learned.model import Painter, Samples
from danqing.core.pictures.contract import Images


class Blotter(Painter):
    """Learn one picture that is the mean of all, and blots on it.

    Args:
        size: side of the pictures.
        channels: 1 (grey) or 3 (RGB).
        classes: of the labels; 0: unconditional.
        blots: how many latents there are.

    Source: danqing.
    """

    def __init__(
        self,
        size: Annotated[int, Range(4, 64, "px")] = 16,
        channels: Annotated[int, Range(1, 3)] = 1,
        classes: Annotated[int, Range(0)] = 0,
        blots: Annotated[int, Range(1, 64)] = 3,
    ) -> None:
        super().__init__()
        self.layer = nn.Linear(blots, channels * size * size)

    @property
    def latent(self) -> tuple[int, ...]:
        return (int(self.config["blots"]),)

    def paint(self, z: Tensor, label: Tensor | None = None) -> Images:
        side = self.config["size"]
        return torch.sigmoid(self.layer(z)).unflatten(1, (self.config["channels"], side, side))

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        z = torch.randn(len(batch.x), *self.latent, generator=rng)
        yield "", (self.paint(z) - batch.x).square().mean()
'''

FILES = {
    "mybrush/edit/solarise.py": OPERATOR,
    "mybrush/core/fields/angle.py": FIELD,
    "mybrush/edit/wheel.py": USER_OF_FIELD,
    "mybrush/core/artefacts/swatch.py": ARTEFACT,
    "mybrush/paint/dip.py": USER_OF_ARTEFACT,
    "mybrush/training/alarms/too_long.py": ALARM,
    "mybrush/models/blotter.py": FAMILY,
    "mybrush-0.1.dist-info/METADATA": METADATA,
    "mybrush-0.1.dist-info/entry_points.txt": ENTRY_POINTS,
}
FORMS = """
import json
from danqing.core.menu import families
from danqing.core.operators.operator import operator_named
from danqing.training.config import family_fields
forms = {name: operator_named(name).form for name in ("solarise", "wheel", "dip")}
forms["blotter"] = family_fields("blotter")
print(json.dumps({name: {each.name: each.json_schema() for each in form} for name, form in forms.items()}))
"""
REFERENCE = "import sys; sys.path.insert(0, 'docs'); from make_reference import reference; print(reference())"
CONTRACTS = """
import pytest
names = "solarise or wheel or angle or dip or swatch or too-long or blotter"
quiet = "-p no:cacheprovider -o addopts= --no-header".split()
raise SystemExit(pytest.main(["tests/contract", "-k", names, "-vv", *quiet]))
"""
OUTCOME = re.compile(r"::.* (PASSED|FAILED|ERROR|SKIPPED)")


class Brush:
    """Danqing in a process that knows of the package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with FileLock(f"{folder}.lock"):
            for name, text in FILES.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, "utf-8")

    @functools.cached_property
    def session(self) -> Session:
        return Session(REPOSITORY, self.folder)

    def danqing(self, *words: str | Path) -> str:
        return self.session.danqing(*words)

    @functools.cached_property
    def menu(self) -> str:
        return self.danqing("--help")

    @functools.cached_property
    def forms(self) -> dict[str, dict[str, dict[str, object]]]:
        return json.loads(self.session.python(FORMS))

    @functools.cached_property
    def reference(self) -> str:
        return self.session.python(REFERENCE)

    @functools.cached_property
    def contracts(self) -> list[str]:
        """What the contract tests say of the package; asked by the first of several processes that run these tests."""
        kept = self.folder / "contracts"
        with FileLock(f"{kept}.lock"):
            if not kept.exists():
                kept.write_text(self.session.python(CONTRACTS), "utf-8")
        return [line for line in kept.read_text("utf-8").splitlines() if OUTCOME.search(line)]

    def keeps_its_contract(self, name: str) -> bool:
        """Whether there are contract tests about it, and all pass."""
        found = [line for line in self.contracts if name in line]
        return bool(found) and all("PASSED" in line for line in found)


@pytest.fixture(scope="session")
def brush(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brush]:
    base = tmp_path_factory.getbasetemp()
    made = Brush((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "packages")
    yield made
    made.session.close()


@pytest.fixture
def photo(astronaut: object, tmp_path: Path) -> Path:
    from danqing.core.pictures.writing import write

    return write(astronaut[..., :64, :80], tmp_path / "photo.png")  # type: ignore[index]


def test_an_operator_is_one_file(brush: Brush, photo: Path, tmp_path: Path) -> None:
    assert "Turn what is bright into its negative." in brush.menu
    assert "0…1" in brush.danqing("solarise", "--help")
    brush.danqing("solarise", photo, "--level", "0.25", "--out", tmp_path / "turned.png")
    before, after = read(photo).pixels, read(tmp_path / "turned.png").pixels
    expected = (1 - before).where(before > 0.25, before)
    assert float((after - expected).abs().max()) < 1 / 255
    assert '"solarise"' in brush.danqing("show", tmp_path / "turned.png", "--json")
    assert '"identical": true' in brush.danqing("replay", tmp_path / "turned.png", "--json")
    assert (brush.forms["solarise"]["level"]["minimum"], brush.forms["solarise"]["level"]["default"]) == (0, 0.5)
    assert "### solarise" in brush.reference
    assert brush.keeps_its_contract("solarise")


def test_a_kind_of_field_is_one_file(brush: Brush, photo: Path, tmp_path: Path) -> None:
    assert "DEGREES" in brush.danqing("wheel", "--help")
    brush.danqing("wheel", photo, "--turn", "60deg", "--out", tmp_path / "faded.png")
    before, after = read(photo).pixels, read(tmp_path / "faded.png").pixels
    assert float((after - before / 2).abs().max()) <= 1 / 255
    turn = brush.forms["wheel"]["turn"]
    assert (turn["x-kind"], turn["x-widget"], turn["type"], turn["maximum"]) == ("angle", "dial", "number", 360)
    assert "| `turn` | an angle such as 30deg | 30.0deg |" in brush.reference
    assert brush.keeps_its_contract("angle (kind)")
    assert brush.keeps_its_contract("wheel-")


def test_a_kind_of_result_is_one_file(brush: Brush, tmp_path: Path) -> None:
    assert "Dip a brush into a colour." in brush.menu
    assert "Write the swatch here." in brush.danqing("dip", "--help")
    file = tmp_path / "red.swatch"
    brush.danqing("dip", "--seed", "3", "--out", file)
    assert json.loads(file.read_text().splitlines()[0]) == [0.5, 0, 0]
    assert json.loads(brush.danqing("show", file, "--json"))[0]["params"] == {"seed": 3}
    assert '"identical": true' in brush.danqing("replay", file, "--json")
    assert list(brush.forms["dip"]) == ["seed"]
    assert "### dip" in brush.reference
    assert brush.keeps_its_contract("swatch")


TRAIN = ("--batch", "8", "--precision", "fp32", "--threads", "1")


def test_an_alarm_is_one_file(brush: Brush, tmp_path: Path) -> None:
    run = tmp_path / "run"
    brush.danqing("train", "mlpgan", "digits", *TRAIN, "--budget", "24pictures", "--out", run)
    brush.danqing("train", "--resume", run, "--budget", "64pictures")  # its history goes on: 3 steps before, 2 more
    entries = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    found = [(each["event"], each["at_step"], each["remedy"]) for each in entries if "event" in each]
    assert found == [("too-long", 5, "Be patient")]
    assert brush.keeps_its_contract("too-long")


def test_a_family_is_one_file(brush: Brush, tmp_path: Path) -> None:
    assert "Learn one picture that is the mean of all, and blots on it." in brush.danqing("train", "--help")
    assert "--blots" in brush.danqing("train", "blotter", "--help")
    run = tmp_path / "run"
    brush.danqing("train", "blotter", "digits", *TRAIN, "--blots", "2", "--budget", "16pictures", "--out", run)
    lines = (run / "log.jsonl").read_text("utf-8").splitlines()
    assert json.loads(lines[-1])["step"] == 2
    brush.danqing("generate", run, "--count", "2", "--grid", "--out", tmp_path / "blots.png")
    assert '"identical": true' in brush.danqing("replay", tmp_path / "blots.png", "--json")
    assert brush.forms["blotter"]["blots"]["maximum"] == 64
    assert "### blotter" in brush.reference
    assert brush.keeps_its_contract("blotter (family)")


@pytest.mark.parametrize("ask", [lambda brush: brush.menu, lambda brush: brush.reference], ids=["menu", "reference"])
def test_danqing_itself_is_there_beside_the_package(brush: Brush, ask: Callable[[Brush], str]) -> None:
    assert "median" in ask(brush)
