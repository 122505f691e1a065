"""Records every call of a PyTorch network's modules, and feeds some of them something else."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils import _pytree as pytree

from parity.interface.observation import Call
from parity.interface.tree import leaves


class Entry:
    """One call while it is recorded. `values` are the numbers of the outputs, which are what gradients are of."""

    def __init__(self, path: str, kind: str, start: int, inputs: list[torch.Tensor]) -> None:
        self.path, self.type, self.start = path, kind, start
        self.inputs = inputs
        self.outputs: list[torch.Tensor] = []
        self.values: list[torch.Tensor] = []

    def call(self, pulled: Mapping[int, torch.Tensor]) -> Call:
        """The call in NumPy."""
        gradients = [pulled.get(id(t)) for t in self.outputs]
        return Call(
            self.path,
            self.type,
            self.start,
            tuple(array_of(t) for t in self.inputs),
            tuple(array_of(t) for t in self.values),
            tuple(None if g is None else array_of(g) for g in gradients),
        )


Tape = list[Entry]


class Numbers:
    """The numbers of the tensors that pass between modules, each held once: what one layer gives, the next one gets.

    Args:
        model: the network, whose own arrays get other numbers after the pass.
    """

    def __init__(self, model: nn.Module) -> None:
        self._storages = {_storage(tensor) for tensor in (*model.parameters(), *model.buffers())}
        self._copies: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def handed_on(self, tensor: torch.Tensor) -> torch.Tensor:
        """A copy of a tensor, through which gradients pass: the network may change it in place."""
        copy = torch.clone(tensor)
        self._copies[id(copy)] = copy, self.of_result(tensor)
        return copy

    def of_result(self, tensor: torch.Tensor) -> torch.Tensor:
        """The numbers of a result."""
        held = self._held(tensor)
        if held is not None:
            return held
        return tensor.detach().clone() if _storage(tensor) in self._storages else tensor.detach()

    def of_argument(self, tensor: torch.Tensor) -> torch.Tensor:
        """The numbers of an argument, which the module may change in place."""
        held = self._held(tensor)
        return tensor.detach().clone() if held is None else held

    def _held(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """What a tensor is a copy of, if nobody changed it since."""
        known = self._copies.get(id(tensor))
        if known is None:
            return None
        try:
            return known[1] if torch.equal(*known) else None
        except RuntimeError:  # inside a vmap there is no telling
            return None


def _storage(tensor: torch.Tensor) -> int:
    """Where a tensor's numbers are; 0 where it has no such place."""
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):
        return 0


@contextmanager
def taps(model: nn.Module, capture: bool, feeds: Mapping[int, Sequence[NDArray]]) -> Iterator[Tape]:
    """Record every module call, in the order in which the calls end. What is passed on is a copy: the network may
    change it in place.

    Args:
        model: the network.
        capture: whether calls are recorded and fed at all.
        feeds: number of a call, in the order in which they begin → what it gets in the place of its floating arguments.
    """
    tape: Tape = []
    open_: list[Entry] = []
    numbers = Numbers(model)
    begun = 0

    def begin(path: str, module: nn.Module, args: Any, kwargs: Any) -> Any:
        nonlocal begun
        if begun in feeds:
            args, kwargs = _fed(feeds[begun], args, kwargs)
        tensors = [numbers.of_argument(t) for _, t in leaves((args, kwargs)) if isinstance(t, torch.Tensor)]
        open_.append(Entry(path, type(module).__name__, begun, tensors))
        begun += 1
        return args, kwargs

    def end(output: Any) -> Any:
        entry = open_.pop()
        entry.outputs = [t for _, t in leaves(output) if isinstance(t, torch.Tensor)]
        entry.values = [numbers.of_result(t) for t in entry.outputs]
        tape.append(entry)
        return pytree.tree_map_only(torch.Tensor, numbers.handed_on, output)

    handles = []
    for path, module in model.named_modules() if capture else ():
        handles += [
            module.register_forward_pre_hook(lambda m, a, k, path=path: begin(path, m, a, k), with_kwargs=True),
            module.register_forward_hook(lambda _, __, output: end(output)),
        ]
    try:
        yield tape
    finally:
        for handle in handles:
            handle.remove()


def _fed(feed: Sequence[NDArray], args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments with other floating tensors."""
    rest = iter(feed)

    def change(leaf: Any) -> Any:
        floats = isinstance(leaf, torch.Tensor) and leaf.is_floating_point()
        return torch.tensor(next(rest), dtype=leaf.dtype, device=leaf.device) if floats else leaf

    return pytree.tree_map(change, (args, kwargs))


def array_of(tensor: torch.Tensor) -> NDArray[Any]:
    """The tensor in NumPy; float16, which is too coarse to subtract in, and bfloat16, which NumPy lacks, in float64."""
    tensor = tensor.detach().resolve_conj().resolve_neg()
    array = (tensor.double() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor).cpu().numpy()
    return np.asarray(array)
