"""What a value is: how it is read, checked, described, drawn for tests and recorded; each kind is one file here.

An annotation says of which kind a parameter is, by a mark (``Annotated[str, BoxKind()]``, mostly under a short name
such as ``Box``) or by its plain type (``int``, ``Literal[...]``, a base of models). Every face asks the kind, and no
list.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from danqing.core.errors import ParameterError

if TYPE_CHECKING:
    from danqing.core.pictures.contract import Images

LONGEST_SHOWN = 200  # characters of a value that does not fit


class View(NamedTuple):
    """A part of a picture, perhaps made small, that is looked at in its place.

    Attributes:
        left: of the part in the picture, in its pixels.
        top: of the part in the picture, in its pixels.
        scale: how many pixels of the view there are for one of the picture.
        size: width and height of the view.
    """

    left: int = 0
    top: int = 0
    scale: float = 1.0
    size: tuple[int, int] = (0, 0)

    @property
    def is_all(self) -> bool:
        """Whether it is the picture as it is."""
        return self.scale == 1 and not (self.left or self.top)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a place in the picture lies in the view."""
        return (x - self.left) * self.scale, (y - self.top) * self.scale


class Kind(ABC):
    """Base of all kinds of fields.

    Attributes:
        noun: what a fitting value looks like, in words.
        metavar: how a command line spells a value.
        widget: which control a page shows.
        leads: whether a command line takes it by its place, without an option's name, where it is required.
        is_switch: whether a command line spells it as a flag, on or off.
        is_picture: whether it is pictures or a mask: a file given for it is read, and tiles are cut from it.
        reads: whether a check reads files, so that it waits until the work begins.
        opens: whether a value may name something on the disk, so that a server takes a hash in its place.
        says: words that may stand in place of such a name.
        partner: suffix of the files in a folder that is given for many pictures; empty: they are pictures, too.
    """

    noun: ClassVar[str] = "a value"
    metavar: ClassVar[str] = "VALUE"
    widget: ClassVar[str] = "text"
    leads: ClassVar[bool] = False
    is_switch: ClassVar[bool] = False
    is_picture: ClassVar[bool] = False
    reads: ClassVar[bool] = False
    opens: ClassVar[bool] = False
    says: ClassVar[tuple[str, ...]] = ()
    partner: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """The name of the kind: that of its file."""
        return type(self).__module__.rpartition(".")[2]

    @classmethod
    def of(cls, hint: Any, marks: tuple[Any, ...]) -> Kind | None:
        """The kind that a plain annotation (and the marks beside it) means; None where it is another."""
        return None

    def expected(self) -> str:
        """What a valid value looks like, in words."""
        return self.noun

    def choices(self) -> tuple[Any, ...]:
        """All valid values, where they can be listed."""
        return ()

    def parse(self, text: str) -> Any:
        """Read what a person typed, as far as it can be read without looking at files.

        Raises:
            ValueError: if it cannot be read.
        """
        return text

    @abstractmethod
    def check(self, value: Any, name: str) -> Any:
        """Return the value as a function receives it.

        Raises:
            ParameterError: naming the parameter, if it does not fit.
        """

    def json_schema(self) -> dict[str, Any]:
        """What fits, as JSON Schema."""
        return {"type": "string"}

    def spelt(self, value: Any) -> str:
        """A value as a person types it."""
        return str(value)

    def plain(self, value: Any) -> Any:
        """A checked value as a JSON value, for a recipe."""
        return value

    def names_file(self, value: Any) -> bool:
        """Whether a value names a file that the work depends on, so that its hash belongs into the recipe."""
        return False

    def state(self, value: Any, without: Sequence[Path] = ()) -> str | None:
        """What tells whether files that a value names, without a hash in the recipe, are still the same.

        Empty: it names none, or what comes with danqing. None: that cannot be told.

        Args:
            value: checked.
            without: files that do not count, such as the result itself.
        """
        return ""

    def may_open(self, value: Any) -> bool:
        """Whether a value may name something on the disk, and is no other way to say what is meant."""
        return self.opens and value not in self.says

    def moved(self, value: Any, view: View) -> Any:
        """A checked value, of places or lengths in a picture, as it is in the view of it that is worked on."""
        return value

    def load(self, file: Path, most: int | None) -> Any:
        """Read the file that a value names: what the function receives, pictures of at most so many pixels."""
        return file

    @abstractmethod
    def draw(self, rng: random.Random) -> Any:
        """A fitting value, for tests; None where chance cannot make one."""

    def made_for(self, x: Images, said: Sequence[tuple[Kind, Any]]) -> Any:
        """A value that goes with pictures (B, C, H, W), where FILE is drawn, for tests.

        Args:
            x: the pictures.
            said: the other fields' kinds with their values.
        """
        raise NotImplementedError(f"{self.name} draws no file")

    @abstractmethod
    def misfits(self) -> Iterator[Any]:
        """Values that must be refused, for tests."""

    def refuse(self, value: Any, name: str, remedy: str = "") -> ParameterError:
        """What to raise for a value that does not fit."""
        is_long = (
            isinstance(value, int) and value.bit_length() > 4 * LONGEST_SHOWN
        )  # Python spells them in sixteens alone
        plain = value if isinstance(value, str | int | float | bool | None) else type(value).__name__
        shown = hex(value) if is_long else repr(plain)
        brief = shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"
        return ParameterError(f"{brief} is not {self.expected()}", where=name, remedy=remedy)


__all__ = ["Kind", "View"]
