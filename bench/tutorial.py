"""The DCGAN for 28x28 digits of the field's tutorials, in danqing's words; keras_dcgan.py is the same in Keras."""

from typing import Any

TUTORIAL: dict[str, Any] = {
    "size": 28, "conditional": False, "latents": 100, "width": 64, "critic_width": 64, "norm": "batch",
    "doubling": "free", "critic_norm": "none", "dropout": 0.3, "loss": "non-saturating", "penalty": "none",
    "batch": 128, "lr": 1e-4, "beta1": 0.9, "beta2": 0.999, "ema": 0.0, "schedule": "constant",
}  # fmt: skip
