"""Sees inside an NNX network while it runs, by wrapping the call of its modules.

`nnx.capture(…, method_outputs=…)` captures outputs too, but neither inputs nor gradients of outputs that the network
does not `perturb` itself, and it sees nothing inside a scan.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
from flax import nnx

from parity.backends.flax.tracing.patch import patched_calls
from parity.backends.flax.training.graph import module_paths
from parity.interface.trace import call_names


class TwinTape:
    """Inputs and outputs of every module call, in the order in which the calls end."""

    def __init__(self, perturbations: Sequence[jax.Array] | None = None) -> None:
        self.perturbations = perturbations
        self.paths: list[str] = []
        self.inputs: list[jax.Array] = []
        self.outputs: list[jax.Array] = []

    def record(self, path: str, x: jax.Array, output: jax.Array) -> jax.Array:
        """Note a call; its output goes on with its perturbation added, whose gradient is the output's."""
        if self.perturbations is not None:
            output = output + self.perturbations[len(self.outputs)]
        self.paths.append(path)
        self.inputs.append(x)
        self.outputs.append(output)
        return output

    def named(self, arrays: Sequence[Any]) -> dict[str, Any]:
        """Arrays, one a call, by the calls' names."""
        return dict(zip(call_names(self.paths), arrays, strict=True))


@contextmanager
def taps(model: nnx.Module, tape: TwinTape) -> Iterator[None]:
    """Record every call of the model's modules on the tape.

    Loops are unrolled meanwhile (`jax.disable_jit` makes `scan` a Python loop, also when it is being traced by an outer
    jit), so that what happens inside a scan is seen too.
    """
    paths = module_paths(model)

    def wrap(cls: type, call: Any) -> Any:
        def tapped(self: nnx.Module, x: jax.Array, *args: Any, **kwargs: Any) -> jax.Array:
            output = call(self, x, *args, **kwargs)
            whole_call = type(self) is cls and id(self) in paths  # not a subclass calling its parent
            return tape.record(paths[id(self)][0], x, output) if whole_call else output

        return tapped

    with patched_calls((type(module) for _, module in paths.values()), wrap), jax.disable_jit():
        yield
