"""The packed store: every picture of a set decoded once, fitted and laid down in one memory-mapped file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from danqing.core.errors import DataError
from danqing.core.model import Batch
from danqing.data.order import shares
from danqing.data.pack import Plan, pack_into
"""
