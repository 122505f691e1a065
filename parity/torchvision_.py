"""The one place that imports torchvision, which downloads data sets and is a peer in benchmarks and tests."""

from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from parity.errors import UsageError

# what torchvision describes to torch.compile when it is imported, and what its C++ library declares
SCHEMAS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


@cache
def load_torchvision() -> ModuleType:
    """Import torchvision beside any build of torch.

    torchvision's wheel for CUDA does not find its C++ library's dependencies beside a CPU-only torch, and its import
    then fails with "operator torchvision::nms does not exist". Data sets and transforms do not need these operators,
    so they are declared here, without an implementation, where the library did not bring them.

    Raises:
        UsageError: torchvision is not installed, or cannot be imported beside this torch.
    """
    spec = find_spec("torchvision")
    if spec is None:
        raise UsageError("torchvision is not installed; pip install netparity[download]")
    import torch

    for library in (file for root in spec.submodule_search_locations or () for file in Path(root).glob("_C*.so")):
        with suppress(OSError):
            torch.ops.load_library(str(library))
    for name, schema in SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            torch.library.define(f"torchvision::{name}", schema)
    try:
        import torchvision
    except (ImportError, RuntimeError) as error:
        raise UsageError(
            f"torchvision does not fit torch {torch.__version__}: {error}; pip install -U netparity[download]"
        ) from error
    return torchvision
