"""Finding and reading lines of text: the PP-OCRv4 graphs that come with ``rapidocr-onnxruntime``, run by ONNX Runtime.

Only the files of that package are used, not its code, so that whichever OpenCV is installed does.
"""

from __future__ import annotations

import functools
import importlib.util
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from danqing.core.disk import hash_of
from danqing.core.pictures.contract import to_uint8
from danqing.core.uses import used

Plane = np.ndarray[Any, np.dtype[Any]]
NEEDED: tuple[str, ...] = ("onnxruntime", "rapidocr_onnxruntime")
STRIDE = 32  # px; the finder's pictures are multiples of it
SURE, SURE_BOX = 0.3, 0.5  # of a pixel, and of a whole line, that it is text
GROWN = 1.6  # a line is as much larger than what the finder marks as its area times this by its circumference
SMALLEST = 3  # px of the shorter side of a line
TALL = 48  # px of a line's height when it is read
LONG = 320, 3200  # px of a line's width when it is read
UPRIGHT = 1.5  # a line so much taller than wide is read from below to above
TURNED = 0.9  # how sure the net must be that a line stands on its head


class Line(NamedTuple):
    """A line of text.

    Attributes:
        text: what it says.
        score: how sure the reader is, the mean over its letters.
        corners: (4, 2), x and y in px: where the text begins above, and on clockwise.
    """

    text: str
    score: float
    corners: Plane


def lines_in(picture: torch.Tensor, side: int) -> list[Line]:
    """The lines of text in a picture (1, 3, H, W), from above to below, as they are read.

    Args:
        picture: values in [0, 1].
        side: longer side in px to which it is shrunk to find lines in; they are read at full size.

    Source: M. Liao et al., "Real-time scene text detection with differentiable binarization", 2020; Y. Du et al.,
    "SVTR: scene text recognition with a single visual model", 2022; thresholds as PaddleOCR's.
    """
    seen = np.ascontiguousarray(to_uint8(picture)[0][..., ::-1])  # the nets learned from blue, green, red
    found = []
    for corners in _found(seen, side):
        text, score, is_turned = _read(_straightened(seen, corners))
        if text.strip():
            found.append(Line(text.strip(), score, np.roll(corners, 2, 0) if is_turned else corners))
    return sorted(found, key=lambda line: (float(line.corners[:, 1].min()), float(line.corners[:, 0].min())))


def _found(seen: Plane, side: int) -> list[Plane]:
    import cv2

    height, width = seen.shape[:2]
    factor = min(1.0, side / max(height, width))
    size = [max(STRIDE, round(each * factor / STRIDE) * STRIDE) for each in (width, height)]
    marked = _run("ch_PP-OCRv4_det_infer", _normal(cv2.resize(seen, size)))[0, 0]
    there = cv2.dilate((marked > SURE).astype(np.uint8), np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(there, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    scale = np.array([width / size[0], height / size[1]], np.float32)
    found = []
    for outline in outlines:
        middle, (across, down), angle = cv2.minAreaRect(outline)
        if min(across, down) < SMALLEST or _sureness(marked, outline) < SURE_BOX:
            continue
        more = 2 * GROWN * across * down / (2 * (across + down))  # the outline moves outward by half of it
        corners = cv2.boxPoints((middle, (across + more, down + more), angle)) * scale
        found.append(_in_order(corners).clip(0, (width, height)).astype(np.float32))
    return [each for each in found if min(_sides(each)) > SMALLEST]


def _sureness(marked: Plane, outline: Plane) -> float:
    """The mean of the finder's marks within an outline."""
    import cv2

    left, top, across, down = cv2.boundingRect(outline)
    part = marked[top : top + down, left : left + across]
    mask = cv2.drawContours(np.zeros(part.shape, np.uint8), [outline - (left, top)], -1, 1, -1)
    return float(part[mask > 0].mean())


def _in_order(corners: Plane) -> Plane:
    """Corners clockwise from the one above on the left."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = (each[np.argsort(each[:, 1], kind="stable")] for each in (by_x[:2], by_x[2:]))
    return np.stack([left[0], right[0], right[1], left[1]])


def _sides(corners: Plane) -> tuple[float, float]:
    """Width and height of a line."""
    across = max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[3] - corners[2]))
    down = max(np.linalg.norm(corners[0] - corners[3]), np.linalg.norm(corners[1] - corners[2]))
    return float(across), float(down)


def _straightened(seen: Plane, corners: Plane) -> Plane:
    import cv2

    width, height = (max(1, round(side)) for side in _sides(corners))
    ends = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    way = cv2.getPerspectiveTransform(corners, ends)
    line = cv2.warpPerspective(seen, way, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(np.rot90(line)) if height >= UPRIGHT * width else np.asarray(line)


def _read(line: Plane) -> tuple[str, float, bool]:
    """What a line says, how sure that is, and whether it stands on its head."""
    chances = _run("ch_ppocr_mobile_v2.0_cls_infer", _normal(_of_height(line, 192, 192)))[0]
    is_turned = bool(chances[1] > TURNED)
    line = np.ascontiguousarray(line[::-1, ::-1]) if is_turned else line
    letters = _run("ch_PP-OCRv4_rec_infer", _normal(_of_height(line, *LONG)))[0]
    best, sure = letters.argmax(1), letters.max(1)
    kept = (best != 0) & (best != np.concatenate([[0], best[:-1]]))  # 0 is the gap between letters
    if not kept.any():
        return "", 0.0, is_turned
    alphabet = _alphabet()
    return "".join(alphabet[at] for at in best[kept]), float(sure[kept].mean()), is_turned


def _of_height(line: Plane, least: int, most: int) -> Plane:
    """A line of the height that is read, with grey behind its end."""
    import cv2

    width = min(max(1, math.ceil(TALL * line.shape[1] / line.shape[0])), most)
    made = np.full((TALL, max(width, least), 3), 127.5, np.float32)
    made[:, :width] = cv2.resize(line, (width, TALL))
    return made


def _normal(seen: Plane) -> Plane:
    return np.ascontiguousarray((seen.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None])


def _run(name: str, x: Plane) -> Plane:
    session = _session(name)
    used(name, sha256=hash_of(_file(name)))
    return np.asarray(session.run(None, {session.get_inputs()[0].name: x})[0])


def _file(name: str) -> Path:
    spec = importlib.util.find_spec("rapidocr_onnxruntime")
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    return Path(*places[:1]) / "models" / f"{name}.onnx"


@functools.cache
def _session(name: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(_file(name)), options, providers=["CPUExecutionProvider"])


@functools.cache
def _alphabet() -> tuple[str, ...]:
    """The letters by number, as the reader's own file tells them; the gap comes first, the space last."""
    told = _session("ch_PP-OCRv4_rec_infer").get_modelmeta().custom_metadata_map["character"]
    return ("", *told.splitlines(), " ")


__all__ = ["NEEDED", "Line", "lines_in"]
