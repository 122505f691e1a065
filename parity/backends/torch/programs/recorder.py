"""Records every operation of a PyTorch network's pass, as its user's code asks for it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from parity.backends.torch.programs.arguments import Written, name_of, written
from parity.backends.torch.tracing.widen import users_line
from parity.interface.programs.operations import Operation, ValuesOfCall
from parity.interface.tree import leaves

ITERATED = torch.Tensor.__iter__
SILENT = frozenset({F.batch_norm, torch.batch_norm})
"""Functions that change tensors behind their first, running statistics, without counting up the version of these."""


@dataclass
class Recorded:
    """What was recorded.

    Args:
        operations: the operations, each with its call, and the places of the operands that it changes.
        tensors: value that no operation gives → its tensor, as it was when it was first used.
        calls: the calls of modules in the order in which they end.
        unrecorded: the numbers of operations that ran while no gradients were recorded.
        customs: the user's own functions with a backward pass of their own.
    """

    operations: list[tuple[Operation, Written, tuple[int, ...]]] = field(default_factory=list)
    tensors: dict[int, torch.Tensor] = field(default_factory=dict)
    calls: list[ValuesOfCall] = field(default_factory=list)
    unrecorded: set[int] = field(default_factory=set)
    customs: list["Custom"] = field(default_factory=list)


@dataclass
class Custom:
    """One call of a `torch.autograd.Function`.

    Args:
        context: its context, which is the node of its gradients.
        arguments: what its forward was given; a value's number stands for a tensor.
        operations: the numbers of what ran inside.
        results: the numbers of the values that it gives.
    """

    context: Any
    arguments: tuple[Any, ...]
    operations: list[int]
    results: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plain:
    """An argument that is no tensor."""

    value: Any


class Recorder(TorchFunctionMode):
    """A mode that is told of every call of a function of PyTorch's.

    A tensor is known by its identity; one that an operation changes in its place is another value afterwards.
    """

    def __init__(self, derivatives: bool = False) -> None:
        super().__init__()
        self.derivatives = derivatives
        self.recorded = Recorded()
        self._numbers: dict[int, int] = {}
        self._alive: list[torch.Tensor] = []
        self._count = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        before = [(t, t._version) for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        call, tensors = written(func, args, kwargs)
        operands = tuple(map(self.number, tensors))
        held = {place: t.detach().clone() for place, t in enumerate(tensors) if place and func in SILENT}
        result = func(*args, **kwargs)
        items = list(result) if func is ITERATED else result
        made = [t for t in tree_leaves(items) if isinstance(t, torch.Tensor)]
        counted = {place for place, (t, version) in enumerate(before) if t._version != version}
        silently = {place for place, t in held.items() if not torch.equal(t, tensors[place])}
        changed = tuple(sorted(counted | silently))
        if made or changed:
            fresh = [t for t in made if not any(t is tensors[place] for place in changed)]
            results = tuple(self._new(t) for t in [*fresh, *(tensors[place] for place in changed)])
            operation = Operation(name_of(func), users_line(), operands, results, call.settings, bool(changed))
            if self.derivatives and not torch.is_grad_enabled():
                self._unrecorded()
            self.recorded.operations.append((operation, call, changed))
        return iter(items) if func is ITERATED else result

    def _unrecorded(self) -> None:
        """Note that the next operation runs while no gradients are recorded: it may be in a function of the user's with
        a backward pass of its own."""
        number = len(self.recorded.operations)
        self.recorded.unrecorded.add(number)
        frame = sys._getframe(2)
        while frame is not None:
            names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
            context = frame.f_locals.get(names[0]) if names and frame.f_code.co_name == "forward" else None
            if isinstance(context, torch.autograd.function.BackwardCFunction):
                known = next((c for c in self.recorded.customs if c.context is context), None)
                if known is None:
                    values = (frame.f_locals.get(name) for name in names[1:])
                    with torch._C.DisableTorchFunction():
                        arguments = tuple(self.number(a) if isinstance(a, torch.Tensor) else Plain(a) for a in values)
                    known = Custom(context, arguments, [])
                    self.recorded.customs.append(known)
                known.operations.append(number)
                return
            frame = frame.f_back  # type: ignore[assignment]

    def close(self) -> None:
        """Find what the user's functions with a backward pass of their own gave."""
        with torch._C.DisableTorchFunction():
            for custom in self.recorded.customs:
                inside = {r for n in custom.operations for r in self.recorded.operations[n][0].results}
                custom.results = tuple(
                    number for number in sorted(inside) if self._alive[number].grad_fn is custom.context
                )

    def number(self, tensor: torch.Tensor) -> int:
        """The number of the value that a tensor is."""
        if id(tensor) not in self._numbers:
            number = self._new(tensor)
            self.recorded.tensors[number] = tensor.detach().clone()
        return self._numbers[id(tensor)]

    def _new(self, tensor: torch.Tensor) -> int:
        self._numbers[id(tensor)] = self._count
        self._alive.append(tensor)
        self._count += 1
        return self._count - 1

    @contextmanager
    def of_calls(self, model: nn.Module) -> Iterator[None]:
        """Note the calls of a network's modules meanwhile."""
        open_: list[tuple[int, ...]] = []

        def begin(args: Any, kwargs: Any) -> None:
            with torch._C.DisableTorchFunction():
                open_.append(tuple(self.number(t) for _, t in leaves((args, kwargs)) if isinstance(t, torch.Tensor)))

        def end(path: str, output: Any) -> None:
            with torch._C.DisableTorchFunction():
                outputs = tuple(self.number(t) for _, t in leaves(output) if isinstance(t, torch.Tensor))
            self.recorded.calls.append(ValuesOfCall(path, open_.pop(), outputs))

        handles = []
        for path, module in model.named_modules():
            handles += [
                module.register_forward_pre_hook(lambda m, a, k: begin(a, k), with_kwargs=True),
                module.register_forward_hook(lambda _, __, output, path=path: end(path, output)),
            ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
