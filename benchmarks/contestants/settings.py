"""The settings that give a precision of products in each framework, made once for a contestant's process."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from benchmarks.contestants.workload import Precision
from parity.errors import UsageError

JAX_PRODUCTS = {"float32": "highest", "float64": "highest", "tf32": "tensorfloat32", "bfloat16": "bfloat16"}


def require(precision: Precision, device: str) -> None:
    """Raise UsageError where the device lacks products of this precision, and would silently compute others."""
    if device == "cpu" and precision in ("tf32", "bfloat16"):
        raise UsageError(f"got precision {precision} on the CPU, whose products are float32; give --precision float32")


def set_jax(precision: Precision) -> None:
    """Set the precision of products, and whether float64 is enabled, for this process."""
    import jax

    jax.config.update("jax_enable_x64", precision == "float64")
    jax.config.update("jax_default_matmul_precision", JAX_PRODUCTS[precision])


def set_torch(precision: Precision) -> None:
    """Set the precision of products and the default dtype for this process."""
    import torch

    backends: Any = torch.backends
    loose = (backends.cuda.matmul, backends.cudnn.conv)  # TF32 is CUDA's; bfloat16 is by autocast
    for place in (*loose, backends.mkldnn.matmul, backends.mkldnn.conv):
        place.fp32_precision = "tf32" if precision == "tf32" and place in loose else "ieee"
    torch.set_default_dtype(torch.float64 if precision == "float64" else torch.float32)


def autocast(precision: Precision, device: str) -> AbstractContextManager[Any]:
    """The context that gives PyTorch bfloat16 products, for the forward pass and the loss; else one without effect."""
    import torch

    return torch.autocast(torch_device(device), torch.bfloat16) if precision == "bfloat16" else nullcontext()


def torch_device(device: str) -> str:
    """PyTorch's name of a device, such as "cuda" for "gpu"."""
    return "cuda" if device == "gpu" else device
