"""Passes over a user's PyTorch network."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from parity.backends.torch.copies import Copies, load
from parity.backends.torch.gradients import Gradients, ends_of
from parity.backends.torch.inputs import DTYPES, given_of, inexact, loss_of
from parity.backends.torch.results import DrawPlaces, described, flattened
from parity.backends.torch.tracing.noise import Draws
from parity.backends.torch.tracing.overrides import PassOverrides, plain_paths
from parity.backends.torch.tracing.place import on_place
from parity.backends.torch.tracing.tables import TableWatch, tables
from parity.backends.torch.tracing.tape import Tape, array_of, taps
from parity.backends.torch.tracing.widen import restored
from parity.backends.torch.training.precision import strict_float32
from parity.checks.referee import repeats
from parity.interface.observation import Inputs, PassResult, Returned, Table
from parity.interface.side import Pass
from parity.interface.trace import call_names


class Passes:
    """Single passes over a network.

    Args:
        copies: the network.
    """

    def __init__(self, copies: Copies) -> None:
        self._copies = copies

    def returned(self, inputs: Inputs, training: bool) -> Returned:
        """What the network returns, and whether it is the same when it is called twice."""
        result, random, draws = self._twice(inputs, training, leaves_dropout=not training)
        noisy = random and (training or self._twice(inputs, training, leaves_dropout=False)[1])
        places = self._places(inputs, training) if random else ()
        return Returned(described(result), places, noisy, tuple(draws.drawn))

    def _twice(self, inputs: Inputs, training: bool, leaves_dropout: bool) -> tuple[Any, bool, Draws]:
        """The result, whether that of a second call is another one, and the draws."""
        (first, draws), (second, _) = (self._called(inputs, training, leaves_dropout, seed) for seed in (0, 1))
        arrays = [list(map(array_of, flattened(result, torch.float32).values())) for result in (first, second)]
        return first, len(arrays[0]) != len(arrays[1]) or not all(map(repeats, *arrays)), draws

    def _called(
        self, inputs: Inputs, training: bool, leaves_dropout: bool, seed: int, places: DrawPlaces | None = None
    ) -> tuple[Any, Draws]:
        """What the network returns in float32, and its draws, with the generator at that seed; the user's is as before
        afterwards."""
        model, copies = self._copies.model(torch.float32).train(training), self._copies
        overrides = PassOverrides(
            torch.float32, None, copies.gelu, training, leaves_dropout=leaves_dropout, noise=copies.noise
        )
        with restored(model):
            load(model, copies.native)
            args, kwargs, _ = given_of(inputs, torch.float32, False)
            with setting(torch.float32), overrides, places or nullcontext(), torch.no_grad():
                torch.manual_seed(seed)
                return model(*args, **kwargs), overrides.draws

    def _places(self, inputs: Inputs, training: bool) -> tuple[str, ...]:
        """Where the network draws random numbers."""
        draws = DrawPlaces()
        self._called(inputs, training, not training, 0, draws)
        return tuple(draws.places) or ("a place that is not known",)

    def run(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> PassResult:
        """One pass with these arrays."""
        model = self._copies.model(DTYPES[how.precision]).train(how.training)
        with restored(model):
            return self._passed(model, native, inputs, how)

    def _passed(self, model: nn.Module, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> PassResult:
        dtype, wanted = DTYPES[how.precision], how.pulls
        load(model, native)
        learnable = {name: p for name, p in model.named_parameters() if inexact(p) and name in native}
        for parameter in learnable.values():
            parameter.requires_grad_(wanted)
        args, kwargs, floating = given_of(inputs, dtype, wanted)
        with (
            setting(dtype),
            PassOverrides(dtype, how.mask, self._copies.gelu, how.training, noise=self._copies.noise) as mode,
            taps(model, how.capture, how.feeds) as tape,
            torch.set_grad_enabled(wanted),
        ):
            result = model(*args, **kwargs)
            outputs = flattened(result, dtype)
            loss = None if how.objective is None else loss_of(how.objective, result, dtype)
        ends = list(ends_of(outputs, loss, how.cotangents or {}))
        sources = [*learnable.values(), *floating.values(), *(t for e in tape for t in e.outputs if t.requires_grad)]
        gradients = Gradients(ends if wanted else [], sources)
        buffers = dict(model.named_buffers())
        return PassResult(
            outputs={name: array_of(tensor) for name, tensor in outputs.items()},
            calls=tuple(entry.call(gradients.by_identity) for entry in tape),
            buffers={name: array_of(buffers[name]).copy() for name in native if name in buffers},
            parameter_gradients=gradients.of(learnable) if wanted else {},
            input_gradients=gradients.of(floating) if wanted else {},
            dropouts=tuple(mode.dropouts),
            narrow=_narrow(tape, dtype),
            gelus=tuple(mode.gelus),
            undone=tuple(dict.fromkeys(mode.casts)),
            loss=None if loss is None else array_of(loss),
            counters={name: array_of(t).copy() for name, t in buffers.items() if not inexact(t)},
        )

    def tables(self, inputs: Inputs, held: Sequence[str]) -> list[Table]:
        """What meets, in evaluation, the inputs or what depends on them, but depends on nothing itself.

        Args:
            inputs: What the network is called with.
            held: Names of the arrays that are tables: buffers, and frozen parameters.
        """
        return tables(self._watched(inputs, held, TableWatch()), self._watched(inputs, held, TableWatch(moves=True)))

    def _watched(self, inputs: Inputs, held: Sequence[str], watch: TableWatch) -> TableWatch:
        """The watch, after a forward pass in float64."""
        model = self._copies.model(torch.float64).eval()
        with restored(model):
            load(model, self._copies.native)
            for name, tensor in (*model.named_parameters(), *model.named_buffers()):
                watch.held(tensor if name in held else None)
            for module in model.modules():
                for value in list(vars(module).values()):
                    watch.held(value)
            args, kwargs, _ = given_of(inputs, torch.float64, False)
            copies = self._copies
            overrides = PassOverrides(torch.float64, None, copies.gelu, False, watch=watch, noise=copies.noise)
            with setting(torch.float64), overrides, watch.of_numpy(), torch.no_grad():
                model(*args, **kwargs)
        return watch


@contextmanager
def setting(dtype: torch.dtype) -> Iterator[None]:
    """Strict float32, new tensors of that type, nothing compiled, and the user's random generator as before
    afterwards."""
    compiles = "torch._dynamo" in sys.modules  # what compiled nothing has not loaded it, which takes a second
    eager = torch.compiler.set_stance("force_eager") if compiles else nullcontext()
    with strict_float32(), plain_paths(dtype), on_place(), eager:
        yield


def _narrow(tape: Tape, dtype: torch.dtype) -> dict[str, str]:
    """Calls whose results are of a narrower floating type than the pass's."""
    bits, narrow = torch.finfo(dtype).bits, {}
    for name, entry in zip(call_names([entry.path for entry in tape]), tape, strict=True):
        for tensor in entry.outputs:
            if tensor.is_floating_point() and torch.finfo(tensor.dtype).bits < bits:
                narrow[name] = str(tensor.dtype).removeprefix("torch.")
    return narrow
