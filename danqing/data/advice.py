"""What a picture set means for a training, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from danqing.core.learned.model import Model, Painter, Recogniser
from danqing.core.pictures.listing import frames_note, passed_over_note
from danqing.core.pictures.names import several
from danqing.data.report import Report, sides

FEWEST, SOME = 100, 1000  # pictures for a painter: below, it learns little but copies; it needs augmentation
FEW_OF_A_CLASS = 20
UNEVEN = 10  # times as many pictures in the largest class as in the smallest
LOST = 0.25  # share of the picture that a centre crop cuts away


def advice(report: Report, kind: type[Model] | None) -> Iterator[str]:
    """Say what to think about before training.

    Args:
        report: what was counted.
        kind: the model family that is to learn, or None.
    """
    if report.unusable:
        yield f"{several(len(report.unusable), 'file')} cannot be used; training goes on without only with --skip-bad"
    if report.passed_over:
        yield passed_over_note(report.passed_over)
    if report.animations:
        yield frames_note(report.animations)
    yield from _about_count(report.usable, kind is None or issubclass(kind, Painter))
    yield from _about_classes(report.classes, kind is not None and issubclass(kind, Recogniser))
    yield from _about_shapes(report.sizes)
    kinds = {mode.partition(" ")[0].rstrip(",") for mode in report.modes}
    if len(kinds) > 1:
        yield "Some pictures are grey, some in colour: all are taken as colour unless you give --channels grey"
    if any("alpha" in mode for mode in report.modes):
        yield "Some pictures are transparent: white is put behind them"
    copies = sum(len(group) - 1 for group in report.duplicates)
    if copies:
        yield f"Exact copies: {several(copies, 'picture')} that count double, and may lie on both sides of a test"
    near = sum(len(group) - 1 for group in report.near_duplicates)
    if near > 0.05 * report.usable:
        yield f"Near copies: {several(near, 'picture')}; the set is less varied than its size says"


def _about_count(count: int, paints: bool) -> Iterator[str]:
    if count == 0:
        yield "There is nothing to learn from"
    elif count == 1:
        more = "; danqing variations and danqing grow_texture need no more than one" if paints else ""
        yield f"There is only 1 picture: a model can learn nothing but to copy it{more}"
    elif paints and count < FEWEST:
        yield too_few(count)
    elif paints and count < SOME:
        yield (
            f"{count:,} pictures are few to learn to paint from: a painter with a critic augments what that sees by "
            "itself (--critic-augment); others need --augment, such as flip,crop=0.1,jitter=0.2"
        )


def too_few(count: float, begun: bool = False) -> str:
    """Say that so many pictures are less than the fewest; ``begun``: of a run that begins with other weights."""
    return (
        f"{several(int(count), 'picture')} {'is' if count == 1 else 'are'} too few to learn to paint from: expect "
        f"copies. Bring more ({FEWEST} are the least)" + ("" if begun else ", or begin with other weights (--from)")
    )


def _about_classes(counts: dict[str, int], recognises: bool) -> Iterator[str]:
    if recognises and len(counts) < 2:
        yield "There are no classes to tell apart: put the pictures into a folder for each class, or give --labels"
    few = [name for name, count in counts.items() if count < FEW_OF_A_CLASS]
    if few and counts:
        listed = ", ".join(f"{name} ({counts[name]})" for name in few[:5]) + (" …" if len(few) > 5 else "")
        yield f"Classes with fewer than {FEW_OF_A_CLASS} pictures: {listed}"
    if counts and max(counts.values()) >= UNEVEN * max(1, min(counts.values())):
        most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
        yield f"Classes are uneven: {most} has {several(counts[most], 'picture')}, {least} has {counts[least]:,}"


def _about_shapes(counts: dict[str, int]) -> Iterator[str]:
    sizes = {sides(name): count for name, count in counts.items()}
    lost = {size: 1 - min(size) / max(size) for size in sizes}
    cut = sum(count for size, count in sizes.items() if lost[size] > LOST)
    if cut:
        share = sum(lost[size] * count for size, count in sizes.items()) / sum(sizes.values())
        yield f"Far from square: {several(cut, 'picture')}; --fit crop cuts away {share:.0%} on average, --fit pad none"
    if sizes and max(map(min, sizes)) > 2 * min(map(min, sizes)):
        small, large = min(map(min, sizes)), max(map(min, sizes))
        yield f"Pictures differ much in size, {small} to {large} px on the shorter side: the small ones will look soft"
