"""How gradients go back through an operation of PyTorch's, or through a function with a backward pass of its own."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import torch

from parity.backends.torch.programs.recorder import Custom, Plain, Recorded
from parity.interface.programs.program import Program, Pull

Forward = Callable[[Sequence[torch.Tensor]], Sequence[torch.Tensor]]


class _Back:
    """The transposed derivative of operations at fixed numbers; they run again when it is first needed."""

    def __init__(self, forward: Forward, operands: Sequence[torch.Tensor]) -> None:
        self._forward, self._operands = forward, operands

    @cached_property
    def _graph(self) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        floats = [place for place, operand in enumerate(self._operands) if operand.is_floating_point()]
        try:
            return self._derived(floats)
        except RuntimeError:  # an operation may have no derivative in one of them, such as a running mean
            return self._derived([place for place in floats if self._has_derivative(place)])

    def _derived(self, places: Sequence[int]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        with torch.enable_grad():
            leaves = [t.detach() for t in self._operands]
            for place in places:
                leaves[place].requires_grad_()
            return leaves, list(self._forward(leaves))

    def _has_derivative(self, place: int) -> bool:
        try:
            self._derived([place])
        except RuntimeError:
            return False
        return True

    def __call__(self, gradients: Sequence[torch.Tensor | None]) -> list[torch.Tensor | None]:
        leaves, results = self._graph
        pairs = [(r, g) for r, g in zip(results, gradients, strict=True) if g is not None and r.requires_grad]
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        if not pairs or not wanted:
            return [None] * len(leaves)
        with torch.enable_grad():
            to_wanted = torch.autograd.grad(
                [r for r, _ in pairs], wanted, [g.reshape(r.shape) for r, g in pairs], retain_graph=True,
                allow_unused=True,
            )  # fmt: skip
        of = iter(to_wanted)
        return [next(of) if leaf.requires_grad else None for leaf in leaves]


def pulled(program: Program, recorded: Recorded, number: int) -> Pull:
    """How gradients go back through an operation.

    Args:
        program: the program, which computes operations again.
        recorded: what was recorded.
        number: the operation.
    """
    for custom in recorded.customs:
        if number in custom.operations and custom.results:
            return _custom(program, custom)
    operation = program.operations[number]
    operands = program.native(operation.operands)
    back = _Back(lambda leaves: program.run_one(number, leaves, {}), operands)
    ends = operation.operands, operation.results, number, number
    if number in recorded.unrecorded:
        return Pull(*ends, lambda gradients: [None] * len(operands), back, "not recorded")
    if operation.name in ("detach", "data"):
        return Pull(*ends, lambda gradients: [None] * len(operands), lambda gradients: list(gradients), "stopped")
    return Pull(*ends, back, back)


def _custom(program: Program, custom: Custom) -> Pull:
    """How gradients go back through the user's function: by its own backward pass, or by what ran in its forward."""
    values = [argument for argument in custom.arguments if isinstance(argument, int)]
    places = [place for place, argument in enumerate(custom.arguments) if not isinstance(argument, Plain)]
    kind: Any = type(custom.context)
    shapes = program.native(custom.results)

    def backward(gradients: Sequence[torch.Tensor | None]) -> list[torch.Tensor | None]:
        cotangents = [torch.zeros_like(t) if g is None else g for g, t in zip(gradients, shapes, strict=True)]
        to_arguments = kind._forward_cls.backward(custom.context, *cotangents)
        listed = list(to_arguments) if isinstance(to_arguments, tuple) else [to_arguments]
        return [listed[place] for place in places]

    def again(leaves: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        known: dict[int, torch.Tensor] = dict(zip(values, leaves, strict=True))
        for number in custom.operations:
            operation = program.operations[number]
            taken = [known[v] if v in known else program.native([v])[0] for v in operation.operands]
            known |= zip(operation.results, program.run_one(number, taken, {}), strict=True)
        return [known[value] for value in custom.results]

    back = _Back(again, program.native(values))
    ends = tuple(values), custom.results, custom.operations[0], custom.operations[-1]
    return Pull(*ends, backward, back, "custom", kind._forward_cls.__name__)
