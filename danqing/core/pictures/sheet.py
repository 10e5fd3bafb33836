"""Several pictures on one sheet."""

from __future__ import annotations

import math

from danqing.core.pictures.contract import Images

ONE_ROW = 3  # pictures: so few stand side by side
LONGEST = 2.0  # sides of a sheet of more, to one another
WIDER = math.log(1.1)  # screens are wider than high


def near_square(count: int, height: int, width: int) -> int:
    """How many pictures of a size a row make a sheet nearly square, with few places left empty.

    Args:
        count: pictures on the sheet.
        height: of each.
        width: of each.
    """
    if count <= ONE_ROW and width <= height * LONGEST:
        return max(1, count)

    def faults(columns: int) -> tuple[bool, int, float]:
        rows = -(-count // columns)
        shape = math.log(columns * width / (rows * height))
        return abs(shape) > math.log(LONGEST) + 1e-9, columns * rows - count, abs(shape - WIDER)

    return min(range(1, count + 1), key=faults)


def contact_sheet(x: Images, columns: int, gap: int = 2) -> Images:
    """Lay pictures (B, C, H, W) out on one sheet (1, C, H', W'), row by row, on a white ground.

    Args:
        x: the pictures.
        columns: pictures a row, at least 1.
        gap: white pixels between pictures.
    """
    count, channels, height, width = x.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    sheet = x.new_ones(1, channels, rows * (height + gap) - gap, columns * (width + gap) - gap)
    for at, picture in enumerate(x):
        top, left = at // columns * (height + gap), at % columns * (width + gap)
        sheet[0, :, top : top + height, left : left + width] = picture
    return sheet
