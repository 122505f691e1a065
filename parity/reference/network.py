"""The base class of the networks: it checks their weights, and runs the passes around their own arithmetic."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from parity.reference.layers import Array, softmax_cross_entropy
from parity.reference.modules import Module, Shapes
from parity.reference.record import Gradients, Run
from parity.weights import is_buffer


class Network:
    """A network by hand. A subclass lists its modules and writes `compute` and `derive`.

    Args:
        modules: the modules, in the order of their first call.
    """

    def __init__(self, modules: Sequence[Module]) -> None:
        self.modules = modules
        self.by_path = {module.path: module for outer in modules for module in outer.walk()}

    def compute(self, run: Run, inputs: Any) -> tuple[Array, Any]:
        """Run forward through `self.modules`; return the logits and the cache of what lies between modules."""
        raise NotImplementedError

    def derive(self, run: Run, gradients: Gradients, cotangent: Array) -> Array:
        """Run backward through `self.modules`; return the first input's gradient, empty if whole numbers come in."""
        raise NotImplementedError

    def loss(self, logits: Array, labels: NDArray[Any]) -> tuple[float, Array]:
        """What training minimises, and its gradient in the logits: the mean cross-entropy of the labels."""
        return softmax_cross_entropy(logits, labels)

    def shapes(self) -> Shapes:
        """Map all canonical names, of parameters and buffers, to their shapes, in execution order."""
        return {name: shape for module in self.modules for name, shape in module.shapes().items()}

    def forward(self, weights: Mapping[str, ArrayLike], inputs: Any, *, training: bool) -> Run:
        """Run the network.

        Args:
            weights: canonical name → array, exactly the names and shapes of `shapes()`; used as float64.
            inputs: the batch, of the shape that the network's class gives, or a tuple of its arguments; used as
                float64, or as the whole numbers that it is.
            training: batch norm uses the batch's statistics and updates the running ones in `Run.buffers`;
                otherwise it uses the running ones, and the buffers are copies. `weights` is never changed.

        Raises:
            ValueError: a weight is missing, not known or of another shape, or the inputs do not fit.
        """
        shapes = self.shapes()
        extra = sorted(weights.keys() - shapes.keys())
        if extra:
            raise ValueError(f"{type(self).__name__}: got weights it does not have: {', '.join(extra)}; remove them")
        run = Run(_checked(type(self).__name__, weights, shapes), training)
        arguments = tuple(map(_numbers, inputs)) if isinstance(inputs, tuple) else (_numbers(inputs),)
        run.record("", arguments[0], *self.compute(run, arguments if isinstance(inputs, tuple) else arguments[0]))
        return run

    def backward(self, run: Run, cotangent: ArrayLike) -> Gradients:
        """Differentiate `sum(logits * cotangent)`; `run` is left as it is, so it may be used again.

        Args:
            run: what `forward` returned.
            cotangent: array of the logits' shape; for a loss, its gradient with respect to the logits.

        Returns:
            The gradients of all parameters (in the order of `shapes()`, buffers have none), of the input and
            of every call's output (in the order of `run.outputs`).

        Raises:
            ValueError: the cotangent is not of the logits' shape.
        """
        cotangent = _checked_cotangent("", cotangent, run.logits)
        gradients = Gradients({}, cotangent, {"": cotangent})
        input_gradient = self.derive(run, gradients, cotangent)
        parameters = {name: gradients.parameters[name] for name in self.shapes() if not is_buffer(name)}
        return Gradients(parameters, input_gradient, {call: gradients.outputs[call] for call in run.outputs})

    def isolate(
        self, weights: Mapping[str, ArrayLike], call: str, input: ArrayLike, cotangent: ArrayLike, *, training: bool
    ) -> tuple[Array, Array, dict[str, Array]]:
        """Run one call alone, forward and backward, on a given input and output cotangent.

        Args:
            weights: canonical name → array, for at least the weights of the called module.
            call: a name in `Run.outputs`: the path of a layer, block or pool, with or without `[i]`, or "".
            input: what the call gets.
            cotangent: array of the shape of the call's output.
            training: whether batch norm uses the batch's statistics, not the running ones.

        Returns:
            The output, the gradient of the input (empty if whole numbers come in), and those of the module's parameters
            by canonical name.

        Raises:
            ValueError: no such module, or weights, input or cotangent do not fit it.
        """
        if call == "":
            whole = self.forward(weights, input, training=training)
            gradients = self.backward(whole, cotangent)
            return whole.logits, gradients.input, gradients.parameters
        path = call.partition("[")[0]
        if path not in self.by_path:
            raise ValueError(f"{type(self).__name__}: got call {call!r}, expected one of {', '.join(self.by_path)}")
        module = self.by_path[path]
        run = Run(_checked(path, weights, module.shapes()), training)
        output = module.forward(run, call, _numbers(input))
        cotangent = _checked_cotangent(call, cotangent, output)
        gradients = Gradients({}, cotangent, {})
        input_gradient = module.backward(run, gradients, call, cotangent)
        ordered = {name: gradients.parameters[name] for name in module.shapes() if not is_buffer(name)}
        return output, input_gradient, ordered


def _numbers(inputs: ArrayLike) -> Array:
    """The inputs as float64; whole numbers, which a network looks up, as they are."""
    array = np.asarray(inputs)
    return array if array.dtype.kind == "i" else array.astype(np.float64)


def _checked(owner: str, weights: Mapping[str, ArrayLike], shapes: Shapes) -> dict[str, Array]:
    missing = [name for name in shapes if name not in weights]
    if missing:
        raise ValueError(f"{owner}: expected also the weights {', '.join(missing)}; got {len(weights)} others")
    checked = {name: np.asarray(weights[name], np.float64) for name in shapes}
    for name, shape in shapes.items():
        if checked[name].shape != shape:
            raise ValueError(f"{owner}: got {name} of shape {checked[name].shape}, expected {shape}")
    return checked


def _checked_cotangent(call: str, cotangent: ArrayLike, output: Array) -> Array:
    cotangent = np.asarray(cotangent, np.float64)
    if cotangent.shape != output.shape:
        raise ValueError(f"call {call!r}: got a cotangent of shape {cotangent.shape}, expected {output.shape}")
    return cotangent
