"""Several pictures on one sheet."""

from __future__ import annotations

from danqing.core.pictures.contract import Images


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
