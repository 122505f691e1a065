"""The angles of a table of sines, which a side may compute in NumPy's float64."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def angles(settings: Mapping[str, Any]) -> NDArray[np.float64]:
    """The angle of each time and frequency (T, F/2)."""
    half = settings["features"] // 2
    frequencies = settings["base"] ** (-np.arange(half) / half)
    return (settings.get("start", 0) + np.arange(settings["time"]))[:, None] * frequencies
