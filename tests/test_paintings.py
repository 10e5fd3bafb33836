"""The paintings' script: a puzzle put together by its own places, one with holes, and the manifest."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from skimage import data

from danqing.zoo import paintings

HOME = "gcompris/src/activities/paintings/resource"


def encoded(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def board(pieces: dict[str, tuple[float, float]], ground: str) -> str:
    rows = [
        f'{{"pixmapfile" : "image/{name}",\n "x" : "{x:.3f}",\n "y" : "{y:.3f}"}}' for name, (x, y) in pieces.items()
    ]
    return (
        'instruction: qsTr("A. Painter, A Cat - 1888")\nlevels: [{"pixmapfile" : ' + ground + "},\n" + ",\n".join(rows)
    )


def test_pieces_are_put_together_and_the_board_is_cut_away() -> None:
    cat = data.chelsea()[:200, :300]
    parts = {f"{row}{column}.png": (row, column) for row in range(2) for column in range(3)}
    files = {f"{HOME}/image/{name}": encoded(cat[100 * r : 100 * r + 100, 100 * c : 100 * c + 100])
             for name, (r, c) in parts.items()}  # fmt: skip
    places = {name: ((50 + 100 * c + 50) / 400, (20 + 100 * r + 50) / 240) for name, (r, c) in parts.items()}
    text = board(places, '"image/bg.svg", "type" : "SHAPE_BACKGROUND_IMAGE", "width": 400,\n "height": 240')
    made = paintings._put_together("cat", text, HOME, files)
    assert np.array_equal(np.asarray(made.picture), cat)
    assert len(made.files) == 6


def test_holes_in_a_painting_are_filled_with_their_pieces() -> None:
    cat = data.chelsea()[:200, :300]
    with_hole = cat.copy()
    with_hole[60:100, 80:120] = 255
    files = {f"{HOME}/image/ground.png": encoded(with_hole), f"{HOME}/image/1.png": encoded(cat[60:100, 80:120])}
    text = board({"1.png": (100 / 300, 80 / 200)}, '"image/ground.png", "type" : "SHAPE_BACKGROUND_IMAGE"')
    assert np.array_equal(np.asarray(paintings._put_together("cat", text, HOME, files).picture), cat)


def test_gaps_between_pieces_are_painted_over() -> None:
    canvas = np.full((40, 60, 4), 255, np.uint8)
    canvas[..., :3] = (200, 100, 50)
    canvas[:, 30] = 0
    whole = np.asarray(paintings._whole(canvas)).astype(int)
    assert whole.shape == (40, 60, 3)
    assert np.abs(whole - (200, 100, 50)).max() <= 2
