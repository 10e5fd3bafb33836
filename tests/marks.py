"""Marks of tests that take long on some machines only."""

from __future__ import annotations

import pytest

from danqing.core.learned.manner import computes_bf16

SLOW_IF_EMULATED = () if computes_bf16("cpu") else (pytest.mark.slow,)
"""Of what computes much in bf16: a processor without units for it takes ten times as long and rounds alike."""
