"""What is drawn as correct is correct: both builders give what NumPy gives by hand in float64.

The check is not asked. Flax's arrays are filled with PyTorch's by hand, role by role, and both networks run in float64.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from numpy.typing import NDArray

from benchmarks.evidence.drawn import flax as flax_
from benchmarks.evidence.drawn import torch as torch_
from benchmarks.evidence.drawn.network import MASKED, Block, by_seed
from benchmarks.evidence.drawn.own.made import OWN_MAKERS
from benchmarks.evidence.drawn.own.mutations import OWN_MUTATIONS
from tests.bugs import own_truth

DRAWS = 12
EXACT, ROUNDED, HALF = 1e-12, 1e-6, 0.1
"""Largest distance: in float64, of tables in float32, and of what computes in bfloat16."""
DIFFERENT = 1e-9
"""Distance in float64 from which a bug shows."""
Array = NDArray[Any]
Result = tuple[Any, Any]
"""What goes on, and what is returned beside it."""


def drawn(kind: str, seed: int) -> tuple[Block, tuple[int, ...]]:
    choose = by_seed(seed)
    shapes = [(4, 6), (3, 4)] if kind in ("table", "fused attention", *MASKED) else [(5,), (4, 6), (4, 3, 2)]
    shape = choose([s for s in shapes if kind != "dropped norm" or len(s) != 2])
    block, _ = OWN_MAKERS[kind](choose, shape, False)
    if (
        block.settings.get("narrow") is False
    ):  # a cast of float32 to float32, which would round the float64 of this test
        block = replace(block, settings={**block.settings, "upcast": False})
    return block, shape


def allowed(block: Block) -> float:
    if block.settings.get("narrow"):
        return HALF
    return ROUNDED if block.kind == "table" else EXACT


def built(block: Block, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[torch.nn.Module, dict[str, Array]]:
    """PyTorch's block in float64 with random arrays, and these."""
    module = torch_.block(block, len(shape)).double().eval()
    arrays = {}
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.is_floating_point() and "sines" not in name:
            tensor.data = torch.tensor(rng.uniform(0.5, 2.0, tensor.shape) * rng.choice([0.5, 1.0], tensor.shape))
            arrays[name.removeprefix("layer.") if isinstance(module, torch_.OverFeatures) else name] = (
                tensor.data.numpy()
            )
    return module, arrays


def filled(built_as: Block, block: Block, arrays: dict[str, Array]) -> Any:
    """Flax's block with the arrays of PyTorch's, each carried over by hand as the settings of `block` say."""
    module = flax_.block(built_as, nnx.Rngs(0))
    for path, variable in nnx.to_flat_state(nnx.state(module)):
        name = ".".join(map(str, path))
        if "sines" not in name and "Rng" not in type(variable).__name__:
            old = variable[...]
            new = carried(block, name, arrays)
            assert new.shape == old.shape, name
            module_at(module, path).set_value(jnp.asarray(new))
    return module


def module_at(module: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        module = getattr(module, str(part))
    return module


PLAIN = {
    "kernel": "weight", "raw": "parametrizations.weight.original", "layer.kernel": "layer.weight",
    "layer.scale": "layer.weight", "layer.mean": "layer.running_mean", "layer.var": "layer.running_var",
    "qkv.kernel": "c_attn.weight", "qkv.bias": "c_attn.bias", "out.kernel": "c_proj.weight", "out.bias": "c_proj.bias",
    "query.kernel": "q_proj.weight", "key.kernel": "k_proj.weight", "value.kernel": "v_proj.weight",
    "query.bias": "q_proj.bias", "key.bias": "k_proj.bias", "value.bias": "v_proj.bias",
}  # fmt: skip


def carried(block: Block, name: str, arrays: dict[str, Array]) -> Array:
    s = block.settings
    if block.kind == "fused attention" and not name.startswith("out"):
        weights, biases = own_truth.projections(s, arrays, s["features"])
        by_name = biases if name.endswith("bias") else weights
        if s["flax"] == "separate":
            return np.asarray(by_name[name[0]].T)
        return packed(s, by_name).T
    if block.kind == "weight norm" and name != "bias":
        length, direction = sorted((a for n, a in arrays.items() if n != "bias"), key=lambda a: a.size)
        if length.shape == direction.shape:
            raise AssertionError("one layer has one output only")
        return (length if name == "length" else direction).T
    array = arrays[PLAIN.get(name, name)]
    return array.T if name.endswith(("kernel", "raw")) else array


def packed(s: Any, by_name: dict[str, Array]) -> Array:
    """Queries, keys and values in one array, in the order of the settings, row by row."""
    parts = [by_name[name] for name in s["order"]]
    if not s["by head"]:
        return np.concatenate(parts)
    size = s["features"] // s["heads"]
    return np.concatenate([part[h * size : (h + 1) * size] for h in range(s["heads"]) for part in parts])


def run(
    block: Block, shape: tuple[int, ...], seed: int, bug: Mapping[str, Any] | None = None, side: str = ""
) -> tuple[Result, list[Result]]:
    """What NumPy gives, and what Flax and PyTorch give, or one of them, with the channels last.

    A bug changes the settings by which both networks are built, not NumPy's, and not the arrays.
    """
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((3, *shape))
    mask = (np.arange(shape[0]) < np.array([[1], [2], [shape[0] - 1]])).astype(float) if block.kind in MASKED else None
    built_as = Block(block.kind, {**block.settings, **(bug or {})})
    module, arrays = built(built_as, shape, rng)
    other_axis = "axis" in (bug or {})  # its lengths have another shape
    truth = (
        own_truth.block(block.kind, block.settings, arrays, x, mask) if not other_axis else run(block, shape, seed)[0]
    )
    more = () if mask is None else (mask,)
    results = []
    with jax.enable_x64(True), torch.no_grad():
        if side != "torch":
            ported = filled(built_as, built_as if other_axis else block, arrays)
            if block.settings.get("layer") == "batch norm":
                ported.layer.use_running_average = True
            results.append(both(ported(jnp.asarray(x), *map(jnp.asarray, more))))
        if side != "flax":
            turned = np.moveaxis(x, -1, 1) if len(shape) == 3 else x
            first, beside = both(module(torch.tensor(turned), *map(torch.tensor, more)))
            results.append((last(first), last(beside)))
    return truth, results


def both(result: Any) -> Result:
    return result if isinstance(result, tuple) else (result, None)


def last(array: Any) -> Any:
    """PyTorch's array with its channels last, where it has channels."""
    if array is None:
        return None
    return np.moveaxis(array.numpy(), 1, -1) if array.ndim == 4 else array.numpy()


def distance(a: Any, b: Any) -> float:
    if a is None or b is None:
        assert a is b is None
        return 0.0
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    return float(np.abs(a - b).max() / max(1.0, np.abs(b).max()))


@pytest.mark.parametrize("kind", OWN_MAKERS)
def test_both_builders_give_what_numpy_gives_by_hand(kind: str) -> None:
    for seed in range(DRAWS):
        block, shape = drawn(kind, seed)
        truth, results = run(block, shape, seed)
        for result in results:
            assert all(distance(a, b) <= allowed(block) for a, b in zip(result, truth, strict=True)), (seed, block)


def test_every_kind_of_own_bug_can_be_drawn_here() -> None:
    blocks = [drawn(kind, seed)[0] for kind in OWN_MAKERS for seed in range(40)]
    able = {m.name for block in blocks for m in OWN_MUTATIONS if block.kind in m.kinds and m.change(block.settings)}
    assert able == {m.name for m in OWN_MUTATIONS}


FORWARD = {m.name for m in OWN_MUTATIONS} - {
    "second call of a norm", "gradient of a returned array stopped", "frozen on one side", "no upcast",
    "half precision inside",
}  # fmt: skip
"""Bugs that the result in evaluation shows in float64; the others show in gradients, in the state and in float32."""


@pytest.mark.parametrize("name", sorted(FORWARD))
def test_a_bug_changes_what_its_side_gives(name: str) -> None:
    changed = []
    for mutation in (m for m in OWN_MUTATIONS if m.name == name):
        for kind, seed in ((kind, seed) for kind in OWN_MAKERS for seed in range(DRAWS)):
            block, shape = drawn(kind, seed)
            new = mutation.change(block.settings) if block.kind in mutation.kinds else None
            if new is None or block.settings.get("narrow"):
                continue
            truth, results = run(block, shape, seed, new, mutation.side)
            changed += [
                max(distance(a, b) for a, b in zip(result, truth, strict=True)) > DIFFERENT for result in results
            ]
    assert changed and all(changed)
