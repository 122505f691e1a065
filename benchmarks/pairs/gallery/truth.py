"""How the truth of a pair is established without the tool: its own converter, both networks run, NumPy compares.

PyTorch's network gets random numbers in every array. The project's converter carries them over to Flax, and carries
PyTorch's gradients over in the same way, as they have the weights' names and shapes. Both are run in float64 and in
float32 in evaluation, and in float64, with every dropout at 0, in training.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.pairs.gallery.calls import applied, as_torch, called, flat, leaves, split
from benchmarks.pairs.gallery.entry import MadePair

KEPT = ("params", "batch_stats")
"""The collections that the converter must fill; tables of a network's own are left as they are."""
ZERO = 1e-3
"""The share of the largest gradient below which another is read against this share, as a key's bias has none."""


def established(pair: MadePair, seed: int = 0) -> dict[str, Any]:
    """The gaps of the two networks: mode → what was compared → dtype → the largest gap, relative to PyTorch's norm.

    Args:
        pair: The pair.
        seed: The seed of the numbers and of the cotangents.
    """
    import jax

    fill(pair.torch, seed)
    largest: dict[str, Any] = {}
    for mode, precision in (("evaluation", "float64"), ("training", "float64"), ("evaluation", "float32")):
        jax.config.update("jax_enable_x64", precision == "float64")
        for what, gaps in _gaps(pair, precision, mode == "training", seed).items():
            worst = max(gaps, key=lambda name: np.nan_to_num(gaps[name], nan=np.inf), default=None)
            if worst is not None:
                place = largest.setdefault(mode, {}).setdefault(what, {"compared": len(gaps)})
                place |= {precision: float(gaps[worst]), f"worst in {precision}": worst}
    jax.config.update("jax_enable_x64", False)
    return largest


def fill(network: Any, seed: int) -> None:
    """Put random numbers into what is trained and into floating buffers; frozen parameters are tables, as they are."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    with torch.no_grad():
        for name, array in network.state_dict().items():
            if array.is_floating_point() and name not in frozen:
                noise = torch.randn(array.shape, generator=generator, dtype=torch.float64)
                positive = name.endswith(("running_var", "weight_g", "original0"))
                array.copy_((0.5 + noise.abs()) if positive else array.double() + 0.1 * noise)


def _gaps(pair: MadePair, precision: str, training: bool, seed: int) -> dict[str, dict[str, float]]:
    """What was compared → name → relative gap."""
    outputs, gradients, buffers = _torch(pair, precision, training, seed)
    names = {name: value for name, value in gradients.items() if value is not None}
    flax_outputs, flax_gradients, flax_state = _flax(pair, precision, training, [np.asarray(o) for o in outputs], seed)
    expected = flat((pair.convert_gradients or pair.convert)(names))
    floor = ZERO * max((float(np.linalg.norm(g)) for g in expected.values()), default=0.0)
    state = {name: array for name, array in flat(pair.convert(buffers)).items() if name.startswith("batch_stats")}
    return {
        "running means": {n: _gap(flax_state[n], state[n]) for n in flax_state if training and n.endswith("mean")},
        "running variances": {n: _gap(flax_state[n], state[n]) for n in flax_state if training and n.endswith("var")},
        "outputs": {str(i): _gap(a, b) for i, (a, b) in enumerate(zip(flax_outputs, outputs, strict=False))},
        "gradients": {n: _gap(flax_gradients[n], g, floor) for n, g in expected.items() if n in flax_gradients},
    }


def _gap(flax: Any, torch: Any, floor: float = 0.0) -> float:
    """The norm of the difference over PyTorch's, or over the floor, below which an array is zero but for rounding."""
    flax, torch = np.asarray(flax, np.float64), laid_out(np.asarray(torch, np.float64), np.shape(flax))
    if flax.shape != torch.shape:
        raise ValueError(f"shapes {flax.shape} and {torch.shape}")
    return float(np.linalg.norm(flax - torch)) / max(float(np.linalg.norm(torch)), floor, 1e-300)


def laid_out(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """PyTorch's array with the channels last, if that is how Flax has it."""
    return np.moveaxis(array, 1, -1) if array.ndim > 2 and array.shape != shape else array


def _torch(
    pair: MadePair, precision: str, training: bool, seed: int
) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    import copy

    import torch

    network = copy.deepcopy(pair.torch).to(getattr(torch, precision)).train(training)
    inputs = as_torch(called(pair.to_torch, pair.inputs), precision)
    torch.set_default_dtype(getattr(torch, precision))  # some masks are made in it
    try:
        outputs = leaves(applied(network, inputs))[: pair.results]
    finally:
        torch.set_default_dtype(torch.float32)
    cotangents = _cotangents([np.asarray(o.detach()) for o in outputs], seed)
    total = sum((o * torch.as_tensor(c, dtype=o.dtype)).sum() for o, c in zip(outputs, cotangents, strict=True))
    total.backward()
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    return [o.detach().numpy() for o in outputs], gradients, dict(network.state_dict())


def _cotangents(outputs: list[np.ndarray], seed: int) -> list[np.ndarray]:
    generator = np.random.default_rng(seed + 1)
    return [generator.standard_normal(output.shape) for output in outputs]


def _flax(
    pair: MadePair, precision: str, training: bool, like: list[np.ndarray], seed: int
) -> tuple[list[np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    import jax
    import jax.numpy as jnp

    module, variables = pair.flax
    module = in_dtype(module, jnp.dtype(precision))
    converted = pair.convert(dict(pair.torch.state_dict()))
    weights = jax.tree.map(lambda array: _as_flax(array, precision), merged(variables, converted))
    arguments, keywords = split(called(pair.to_flax, pair.inputs))
    mode = pair.training_call[0 if training else 1]
    cotangents = _cotangents(like, seed)

    def total(parameters: Any) -> Any:
        outputs, state = module.apply(
            {**weights, "params": parameters}, *arguments, **keywords, **mode,
            mutable=["batch_stats"] if training else [],
            rngs={"dropout": jax.random.key(0), "drop_path": jax.random.key(1)},
        )  # fmt: skip
        outputs = leaves(outputs)
        return sum(jnp.sum(o * laid_out(c, o.shape)) for o, c in zip(outputs, cotangents, strict=False)), (
            outputs,
            state,
        )

    (_, (outputs, state)), gradients = jax.jit(jax.value_and_grad(total, has_aux=True))(weights["params"])
    return [np.asarray(o) for o in outputs], flat({"params": gradients}), flat(state)


def _as_flax(array: Any, precision: str) -> Any:
    import jax.numpy as jnp

    array = np.asarray(array)
    return jnp.asarray(array, precision if array.dtype.kind == "f" else None)


def in_dtype(module: Any, dtype: Any) -> Any:
    """The Linen module that computes in another dtype, where it says in which; a cell's carry begins in it too."""
    if hasattr(module, "cell"):
        return module.clone(cell=module.cell.clone(param_dtype=dtype))
    return module.clone(dtype=dtype) if "dtype" in type(module).__dataclass_fields__ else module


def merged(variables: Mapping[str, Any], converted: Mapping[str, Any]) -> dict[str, Any]:
    """The Flax variables with the converted numbers in them; raises ValueError where one has no new number."""
    from flax.traverse_util import flatten_dict, unflatten_dict

    arrays = flat(converted)
    numbers = {path: arrays.get("/".join(path), old) for path, old in flatten_dict(dict(variables)).items()}
    missing = ["/".join(path) for path in numbers if path[0] in KEPT and "/".join(path) not in arrays]
    if missing:
        raise ValueError(f"the converter gives nothing for {', '.join(missing[:5])}")
    return unflatten_dict(numbers)
