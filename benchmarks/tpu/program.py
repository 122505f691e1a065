"""Properties of a step that need no compiler: its matrix products, and its loops written out."""

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

from jax.extend import core


def matrix_flops(jaxpr: Any) -> int:
    """The FLOPs of all matrix products and convolutions of a jaxpr; those in a loop count as often as it runs.

    A multiplication and an addition are two. Products with a convolution's padding are not counted.

    Raises:
        ValueError: it has a `while` or a `cond`, which do not tell how often their parts run.
    """
    return sum(_flops(equation) for equation in jaxpr.eqns)


def _flops(equation: Any) -> int:
    name, parameters = equation.primitive.name, equation.params
    if name == "dot_general":
        (contracted, _), _ = parameters["dimension_numbers"]
        return 2 * equation.outvars[0].aval.size * prod(equation.invars[0].aval.shape[axis] for axis in contracted)
    if name == "conv_general_dilated":
        return _convolution(equation)
    if name in ("while", "cond"):
        raise ValueError(f"a {name} does not say how often it runs what; expected a scan")
    return (parameters["length"] if name == "scan" else 1) * sum(matrix_flops(inner) for inner in _inner(parameters))


def _inner(parameters: dict[str, Any]) -> Iterator[Any]:
    """Yield the jaxprs among the parameters of an equation."""
    for value in parameters.values():
        if hasattr(value, "eqns") or hasattr(value, "jaxpr"):
            yield getattr(value, "jaxpr", value)


class _Axis(NamedTuple):
    """One spatial axis of a convolution.

    Args:
        size, taps, positions: Lengths of the input, the kernel and the output.
        stride: The step from one position to the next.
        low: The padding before the first element.
        spread, dilation: The distances between neighbours of the input and of the kernel.
    """

    size: int
    taps: int
    positions: int
    stride: int
    low: int
    spread: int
    dilation: int

    def pairs(self) -> int:
        """The number of times that a tap of the kernel meets an element of the input."""
        steps = (position * self.stride - self.low for position in range(self.positions))
        offsets = (step + tap * self.dilation for step in steps for tap in range(self.taps))
        return sum(offset % self.spread == 0 and 0 <= offset // self.spread < self.size for offset in offsets)


def _convolution(equation: Any) -> int:
    left, right = (variable.aval.shape for variable in equation.invars)
    parameters, out = equation.params, equation.outvars[0].aval.shape
    of_input, of_kernel, of_output = parameters["dimension_numbers"]
    pairs = [
        _Axis(left[i], right[k], out[o], stride, low, spread, dilation).pairs()
        for i, k, o, stride, (low, _), spread, dilation in zip(
            of_input[2:],
            of_kernel[2:],
            of_output[2:],
            parameters["window_strides"],
            parameters["padding"],
            parameters["lhs_dilation"],
            parameters["rhs_dilation"],
            strict=True,
        )
    ]
    batch, channels, features = out[of_output[0]], right[of_kernel[1]], out[of_output[1]]
    return 2 * batch * features * channels * prod(pairs)


def has_loops(jaxpr: Any) -> bool:
    """Whether there is a scan anywhere in a jaxpr."""
    return any(
        equation.primitive.name == "scan" or any(map(has_loops, _inner(equation.params))) for equation in jaxpr.eqns
    )


def unrolled(closed: Any) -> Any:
    """The same closed jaxpr with every iteration of its outer scans written out."""
    equations = [
        equation.replace(params={**equation.params, "unroll": equation.params["length"]})
        if equation.primitive.name == "scan"
        else equation
        for equation in closed.jaxpr.eqns
    ]
    return core.ClosedJaxpr(closed.jaxpr.replace(eqns=equations), closed.consts)
