"""Records every operation of a PyTorch network's pass, as its user's code asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from parity.backends.torch.programs.arguments import Written, name_of, written
from parity.backends.torch.tracing.widen import users_line
from parity.interface.programs.operations import Operation, ValuesOfCall
from parity.interface.tree import leaves

ITERATED = torch.Tensor.__iter__


@dataclass
class Recorded:
    """What was recorded.

    Args:
        operations: the operations, each with its call, and the places of the operands that it changes.
        given: value that no operation gives → its tensor, as it was when it was first used.
        calls: the calls of modules in the order in which they end.
    """

    operations: list[tuple[Operation, Written, tuple[int, ...]]] = field(default_factory=list)
    given: dict[int, torch.Tensor] = field(default_factory=dict)
    calls: list[ValuesOfCall] = field(default_factory=list)


class Recorder(TorchFunctionMode):
    """A mode that is told of every call of a function of PyTorch's.

    A tensor is known by its identity; one that an operation changes in its place is another value afterwards.
    """

    def __init__(self) -> None:
        super().__init__()
        self.recorded = Recorded()
        self._numbers: dict[int, int] = {}
        self._alive: list[torch.Tensor] = []
        self._count = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        before = [(t, t._version) for t in tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        call, tensors = written(func, args, kwargs)
        operands = tuple(map(self.number, tensors))
        result = func(*args, **kwargs)
        items = list(result) if func is ITERATED else result
        made = [t for t in tree_leaves(items) if isinstance(t, torch.Tensor)]
        changed = tuple(place for place, (t, version) in enumerate(before) if t._version != version)
        if made or changed:
            fresh = [t for t in made if not any(t is tensors[place] for place in changed)]
            results = tuple(self._new(t) for t in [*fresh, *(tensors[place] for place in changed)])
            operation = Operation(name_of(func), users_line(), operands, results, call.settings)
            self.recorded.operations.append((operation, call, changed))
        return iter(items) if func is ITERATED else result

    def number(self, tensor: torch.Tensor) -> int:
        """The number of the value that a tensor is."""
        if id(tensor) not in self._numbers:
            number = self._new(tensor)
            self.recorded.given[number] = tensor.detach().clone()
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
