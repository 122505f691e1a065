"""What the frameworks say of this machine and of their own settings, for `parity doctor`."""

from collections.abc import Callable, Mapping

from parity.interface.user_code import words


def frameworks() -> dict[str, Mapping[str, str]]:
    """Framework → label → what it says; a framework that cannot be imported says why."""
    return {"JAX": _tried(_jax), "PyTorch": _tried(_torch)}


def _tried(ask: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
    try:
        return ask()
    except Exception as error:  # an installation that is broken is what is looked for
        return {"cannot be imported": words(error)}


def _jax() -> Mapping[str, str]:
    import flax
    import jax
    import optax

    del flax, optax  # what is broken shows in their import
    settings = jax.config.values
    asked = settings["jax_default_matmul_precision"]
    return {
        "devices": ", ".join(f"{device.device_kind} ({device.platform})" for device in jax.devices()),
        "matrix products in float32": asked or "as the device prefers: exact on a CPU, fewer bits on a GPU or TPU",
        "64-bit mode": "on" if settings["jax_enable_x64"] else "off",
        "compiled programs are kept in": settings["jax_compilation_cache_dir"]
        or "nowhere, unless a command of ours runs",
    }


def _torch() -> Mapping[str, str]:
    import torch

    cuda = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return {
        "devices": ", ".join(["cpu", *cuda]),
        "matrix products in float32": torch.get_float32_matmul_precision(),
        "convolutions on a GPU may use TF32": "yes" if torch.backends.cudnn.allow_tf32 else "no",
        "threads": str(torch.get_num_threads()),
    }
