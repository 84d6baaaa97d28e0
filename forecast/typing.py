"""Types of arrays that many modules name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Bools = NDArray[np.bool_]
type Arrays = Mapping[str, NDArray[Any]]
"""Arrays by name, as in `draws.npz`."""
