"""Differences of convention that are recognised, quantified, confirmed by undoing them, and can be accepted by name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from numpy.typing import NDArray

from parity.errors import counted, unknown_name
from parity.interface.observation import Call
from parity.interface.trace import Arrays
from parity.pair.weightmap.pairing.pairings import LayerPairing, WeightMap
from parity.report.records import Lint


@dataclass(frozen=True)
class Known:
    """One convention.

    Args:
        text: what differs.
        mend: what to write to be the same.
    """

    text: str
    mend: str


PROBES = {
    "normal inputs": "normal_inputs",
    "inputs × 0.01": "small_inputs",
    "inputs × 30": "large_inputs",
    "inputs + 10": "shifted_inputs",
    "kernels × 3": "large_kernels",
    "kernels × 30": "huge_kernels",
    "PyTorch's own weights": "own_weights",
    "zero rows": "zero_rows",
    "tiny rows": "tiny_rows",
    "large gradients": "large_gradients",
    "large outputs": "large_outputs",
    "sure outputs": "sure_outputs",
    "sure targets": "sure_targets",
    "other labels": "other_labels",
    "labels in the code": "labels_in_code",
    "permuted ids": "permuted_ids",
    "other ids": "other_ids",
    "negative numbers": "negative_numbers",
    "full masks": "full_masks",
    "padded masks": "padded_masks",
    "values at borders": "border_values",
    "one sample": "one_sample",
    "one sample more": "other_batch",
    "smaller sizes": "smaller_sizes",
    "larger sizes": "larger_sizes",
    "larger images": "larger_images",
    "shorter sequences": "shorter_sequences",
    "longer sequences": "longer_sequences",
    "odd sizes": "odd_sizes",
    "even sizes": "even_sizes",
    "sizes in the code": "sizes_in_code",
}
"""Name of a probe → the name by which what it alone shows can be accepted."""


def convention_of_probe(name: str) -> str:
    """The name by which what a probe alone shows can be accepted, whatever stands in brackets after the probe's; ""
    where there is none."""
    return PROBES.get(name.partition(" (")[0], "")


def _of_probe(name: str) -> Known:
    return Known(
        f"the networks are the same on your inputs and differ with {name}",
        "mend it if they shall be the same there too, or accept it if they are never given such",
    )


KNOWN: Mapping[str, Known] = {
    "running_var_bias": Known(
        "Flax's BatchNorm keeps the biased variance of a batch (divided by n), PyTorch's the unbiased one (by n - 1)",
        "scale the batch variance by n / (n - 1) where Flax updates `var`, or accept it: it fades with large batches",
    ),
    "running_keep": Known(
        "BatchNorm's momentum: Flax's is the share that is kept, PyTorch's the share that is new",
        "write momentum=1 - m in Flax for PyTorch's momentum=m; Flax's default 0.99 is PyTorch's 0.01",
    ),
    "norm_eps": Known(
        "the epsilon added to the variance differs between the two norms",
        "write the same eps in both: LayerNorm's default is 1e-6 in Flax, 1e-5 in PyTorch",
    ),
    "power_iteration": Known(
        "a spectral norm's power iteration: Flax's SpectralNorm takes a step at every call, in evaluation too; "
        "PyTorch's take one in training alone, the old one from u as Flax's, the parametrization from v",
        "iterate alike in both by hand, or accept it: where the iteration has converged it is the same norm",
    ),
    "tied_weights": Known(
        "one side has one array where the other has two, such as a head's kernel and the table of an embedding",
        "tie them in both (Flax: embed.attend(x); PyTorch: head.weight = embed.weight) or in none",
    ),
    "gelu_form": Known(
        "one side computes GELU by erf, the other by its tanh approximation",
        'write approximate=False in Flax (its default is True), or approximate="tanh" in PyTorch',
    ),
    "loss_reduction": Known(
        "one side's loss is summed where the other's is averaged: over the batch, the labels or the elements",
        "reduce both alike: PyTorch's losses average by default (reduction=\"mean\"), optax's give one number a sample",
    ),
    "extra_outputs": Known(
        "the networks return other sets of results: one returns what the other does not, or by another name",
        "return the same names in both, or accept it: then what is in both is compared, and the rest is listed",
    ),
    "output_shape": Known(
        "a result has the same numbers in another shape: with an axis of length 1 more, or flattened",
        "reshape it in one of them: a loss broadcasts (3,) against (3, 1) to (3, 3) without a word",
    ),
    "output_order": Known(
        "the networks return the same results in another order, if layers of equal names are one",
        "return them in one order in both, or accept it if it is the names that are exchanged: then the map says which "
        "layers make the networks one function",
    ),
    "output_kind": Known(
        "a result is of another kind of number: whole, floating, or truth values",
        "cast it in one of them",
    ),
    "frozen": Known(
        "one side trains a parameter that the other does not: it is frozen there, or a buffer",
        "freeze it in both: requires_grad_(False) in PyTorch; a collection of its own or stop_gradient in Flax",
    ),
    "dropout": Known(
        "the sides drop otherwise in training: another rate, or whole channels on one side alone",
        "write the same rate in both, which is the share that is dropped; Flax drops whole channels by broadcast_dims=",
    ),
    "unused_parameters": Known(
        "one side has parameters that the other does not, and that nothing uses",
        "take them away, or accept them: they change nothing of what the network computes",
    ),
    "stored_dtype": Known(
        "one side keeps its arrays in a narrower dtype: the formula is the same, its float32 is not",
        "keep them in one dtype in both: model.float() in PyTorch, param_dtype=jnp.float32 in Flax",
    ),
    "conjugate_gradients": Known(
        "JAX's gradient of a complex parameter is the conjugate of PyTorch's",
        "conjugate it before optax's update: optax.chain(optax.stateless(lambda g, p: jax.tree.map(jnp.conj, g)), …)",
    ),
    "computed_dtype": Known(
        "one side casts to a narrower dtype inside: the formula is the same, its float32 is not",
        "cast in both or in neither; a layer of Flax computes in what its dtype= says",
    ),
    "constants": Known(
        "the sides hold other numbers in an array that is neither learnt nor kept in a checkpoint",
        "write the same numbers in both, or accept it if you carry the array over yourself",
    ),
    "compiler": Known(
        "XLA computes the user's program wrongly on this machine, though the networks are the same function",
        "set the flag that the report names before JAX is imported, or install a version of jax without the fault",
    ),
    **{accepted: _of_probe(name) for name, accepted in PROBES.items()},
}
STATE = ("running_var_bias", "running_keep")
"""Those that change running statistics only."""


def known_names(names: Sequence[str]) -> list[str]:
    """The names of conventions, that of a probe also where it is given in words; raises UsageError if one is none."""
    accepted = [convention_of_probe(name) or name for name in names]
    for name in accepted:
        if name not in KNOWN:
            raise unknown_name("convention", name, KNOWN)
    return accepted


def undone_statistics(weight_map: WeightMap, steps: Sequence[Arrays], calls: Sequence[Sequence[Call]]) -> Arrays:
    """PyTorch's running statistics as Flax's conventions would have made them, by native name.

    Args:
        weight_map: the map.
        steps: PyTorch's native arrays before the first step and after each.
        calls: PyTorch's calls of each step, for the number of values that a statistic is of.
    """
    undone = {}
    for layer in _norms(weight_map):
        for array in layer.arrays:
            if array.role in ("running_mean", "running_var"):
                name = array.torch.names[0]
                undone[name] = _again(layer, array.role == "running_var", [s[name] for s in steps], calls)
    return undone


def _again(
    layer: LayerPairing, is_variance: bool, steps: Sequence[NDArray], calls: Sequence[Sequence[Call]]
) -> NDArray:
    keep, torch_keep = layer.flax.settings["keep"], layer.torch.settings["keep"]
    is_biased = layer.flax.settings.get("running_var") == "biased"
    statistic = steps[0]
    for before, after, seen in zip(steps, steps[1:], calls, strict=False):
        uses = uses_of(layer, seen)
        kept, torch_kept = keep**uses, torch_keep**uses
        fresh = (after - torch_kept * before) / (1.0 - torch_kept)
        count = values_per_channel(layer, seen) if is_variance and is_biased else 1
        statistic = kept * statistic + (1.0 - kept) * fresh * ((count - 1) / count if count > 1 else 1.0)
    return statistic


def uses_of(layer: LayerPairing, calls: Sequence[Call]) -> int:
    """How often a pass calls a PyTorch layer, of which a BatchNorm's statistics take a step each time; at least 1."""
    return max(1, sum(call.path == layer.torch.path for call in calls))


def values_per_channel(layer: LayerPairing, calls: Sequence[Call]) -> int:
    """How many values one statistic of a PyTorch BatchNorm is of."""
    shape = next((call.inputs[0].shape for call in calls if call.path == layer.torch.path and call.inputs), (1, 1))
    return shape[0] * prod(shape[2:])


def _norms(weight_map: WeightMap) -> Iterator[LayerPairing]:
    """Pairs of BatchNorms whose steps can be told apart: the share that PyTorch keeps is constant and not all."""
    for layer in weight_map.layers:
        settings = layer.torch.settings
        if layer.flax.kind == layer.torch.kind == "batch_norm" and settings.get("keep") not in (None, 1.0):
            yield layer


def quantified(name: str, lint: Lint, weight_map: WeightMap, calls: Sequence[Call]) -> str:
    """What a convention is, with its numbers."""
    where = counted(lint.count, "layer" if lint.layer_torch else "use")
    where += f", {'first ' if lint.count > 1 else ''}{lint.layer_torch}" if lint.layer_torch else ""
    if name == "running_var_bias":
        counts = sorted({values_per_channel(layer, calls) for layer in _norms(weight_map)})
        ratios = ", ".join(f"n = {n}: {n / (n - 1):.6g}" for n in counts[:3] if n > 1)
        return f"{KNOWN[name].text}; PyTorch's is larger by n / (n - 1) ({ratios}); {where}"
    return f"{lint.text}; {where}"
