"""What PyTorch may round away inside matrix products and convolutions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def strict_float32() -> Iterator[None]:
    """No TF32 or bfloat16 in matrix products and convolutions meanwhile."""
    backends: Any = torch.backends
    places = (backends.cuda.matmul, backends.cudnn.conv, backends.mkldnn.matmul, backends.mkldnn.conv)
    loose = [(place, place.fp32_precision) for place in places if place.fp32_precision not in ("ieee", "none")]
    try:
        for place, _ in loose:
            place.fp32_precision = "ieee"
        yield
    finally:
        for place, precision in loose:
            place.fp32_precision = precision
