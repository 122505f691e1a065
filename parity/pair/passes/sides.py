"""The two sides of a pair, with the inputs that both take: runs single passes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from parity.interface.observation import Inputs, Mask, PassResult, Returned
from parity.interface.programs.program import Program
from parity.interface.side import FRAMEWORKS, Pass, Side
from parity.interface.sides.trained import Objective
from parity.interface.trace import Arrays, Precision
from parity.pair.arrays.inputs import Adapter, adapt
from parity.pair.passes.cotangents import Cotangents
from parity.pair.passes.progress import Progress
from parity.pair.passes.result_pairs import ResultPairs, pair_results
from parity.pair.passes.results import Results

MODES = ("evaluation", "training")
PRECISIONS: tuple[Precision, ...] = ("float64", "float32")


@dataclass(frozen=True)
class PairInputs:
    """The inputs of a pair, and how each side wants them.

    Args:
        shared: The inputs as the user gave them.
        to_flax, to_torch: What is done to them for each side.
    """

    shared: Inputs
    to_flax: Adapter = None
    to_torch: Adapter = None

    def adapted(self, side: str, inputs: Inputs | None = None) -> Inputs:
        """Inputs as a side wants them.

        Args:
            side: "flax" or "torch".
            inputs: Inputs in the user's layout; the pair's own if left out.

        Raises:
            UsageError: The layout is not one letter an axis.
            UserCodeError: The adapter raised something.
        """
        adapter = self.to_flax if side == "flax" else self.to_torch
        return adapt(self.shared if inputs is None else inputs, adapter)


@dataclass(eq=False)
class SidePair:
    """The two sides of a pair with the inputs that both take.

    Args:
        flax, torch: The sides.
        pair_inputs: The inputs, and how each side wants them.
        seed: The seed of the cotangents and of what else is drawn for the pair.
        watch: Told of every pass.
        backward: Whether gradients are computed at all.
        objectives: Flax's loss and PyTorch's; without them gradients are those of random cotangents.
        results: What the networks return in each mode, and the layouts in which it is compared; found when it is first
            needed.
        random_cotangents: The cotangents of what the networks return.
    """

    flax: Side
    torch: Side
    pair_inputs: PairInputs
    seed: int = 0
    watch: Progress = field(default_factory=Progress)
    backward: bool = True
    objectives: tuple[Objective, Objective] | None = None
    results: Results = field(default=None)  # type: ignore[assignment] # made below, of the sides
    random_cotangents: Cotangents = field(default=None)  # type: ignore[assignment] # likewise

    def __post_init__(self) -> None:
        self.results = self.results or Results(self._result_pairs)
        self.random_cotangents = self.random_cotangents or Cotangents(self.seed, self.results)

    def side(self, framework: str) -> Side:
        """The side of a framework, "flax" or "torch"."""
        return self.flax if framework == "flax" else self.torch

    @property
    def inputs(self) -> Inputs:
        """The inputs as the user gave them."""
        return self.pair_inputs.shared

    def cotangents(self, mode: str) -> tuple[Arrays, Arrays]:
        """Flax's and PyTorch's cotangents of the floating results that are compared in a mode, by name, in float64; the
        same numbers, each in its side's own layout."""
        return self.random_cotangents.flax(mode), self.random_cotangents.torch(mode)

    def with_torch(self, torch: Side) -> "SidePair":
        """The pair with another PyTorch side, which returns the same leaves; layouts settled later are its own."""
        results = self.results.copy()
        return replace(self, torch=torch, results=results, random_cotangents=self.random_cotangents.of(results))

    def with_moved_cotangents(self, generator: np.random.Generator, mode: str) -> "SidePair":
        """The pair with every cotangent of a mode moved by one float64 ulp."""
        return replace(self, random_cotangents=self.random_cotangents.moved(generator, mode))

    def run_pass(
        self,
        side: Literal["flax", "torch"],
        native: Mapping[str, NDArray],
        mode: str,
        precision: Precision,
        inputs: Inputs | None = None,
        *,
        gradients: bool = True,
        mask: Mask | None = None,
        feeds: Mapping[int, Sequence[NDArray]] | None = None,
    ) -> PassResult:
        """One pass of one side.

        Args:
            side: The side.
            native: Its native arrays by name, in the place of its own.
            mode: "evaluation" or "training".
            precision: The floating type of the pass.
            inputs: Inputs in the place of the pair's, in the user's layout.
            gradients: Whether gradients and every call are asked for.
            mask: What dropout does; None turns it off.
            feeds: What some calls get in the place of their floating arguments, by the number of the call in the
                order in which calls begin; every call is then asked for.

        Raises:
            UserCodeError: The network, the loss or an adapter raised something.
        """
        backward = gradients and self.backward
        how = self._how(
            side, mode, backward, Pass(precision, mode == "training", gradients or feeds is not None, mask=mask)
        )
        alone = ", each layer alone" if feeds is not None else ""
        what = "forward and backward pass" if backward else f"forward pass{alone}"
        adapted = self.pair_inputs.adapted(side, inputs)
        with self.watch.running(f"{FRAMEWORKS[side]}'s {what} ({mode}, {precision})", backward):
            return self.side(side).run(native, adapted, replace(how, feeds=feeds or {}))

    def run_plain(self, native: Mapping[str, NDArray], mode: str, *, deployed: bool) -> PassResult:
        """One pass of Flax's side in the user's precision, in which no call is recorded: it is the user's own program.

        Args:
            native: Its native arrays by name, in the place of its own.
            mode: "evaluation", forward only, or "training", with gradients; dropout is off.
            deployed: Whether it is compiled as the user's `jit` compiles it, else as the referee's programs are.
        """
        how = self.plain(mode, deployed)
        with self.watch.running(f"Flax's pass as it is deployed ({mode})", how.pulls):
            return self.flax.run(native, self.pair_inputs.adapted("flax"), how)

    def plain(self, mode: str, deployed: bool) -> Pass:
        """How a pass of `run_plain` is run; its arguments are those of that."""
        how = Pass(self.flax.deployed_precision, mode == "training", capture=False, deployed=deployed)
        return self._how("flax", mode, self.backward and mode == "training", how)

    def program(
        self,
        side: Literal["flax", "torch"],
        native: Mapping[str, NDArray],
        mode: str,
        inputs: Inputs | None = None,
        mask: Mask | None = None,
    ) -> Program:
        """One pass of one side in float64, operation by operation; the arguments are those of `run_pass`.

        Raises:
            UserCodeError: The network, the loss or an adapter raised something.
        """
        how = Pass("float64", mode == "training", mask=mask)
        if self.objectives is not None:
            how = replace(how, objective=self.objectives[0 if side == "flax" else 1])
        adapted = self.pair_inputs.adapted(side, inputs)
        with self.watch.running(f"{FRAMEWORKS[side]}'s operations ({mode})"):
            return (self.flax if side == "flax" else self.torch).program(native, adapted, how)

    def _how(self, side: str, mode: str, backward: bool, how: Pass) -> Pass:
        """The pass with what its gradients are of, if it computes any."""
        if not backward:
            return how
        place = 0 if side == "flax" else 1
        if self.objectives is not None:
            return replace(how, objective=self.objectives[place])
        return replace(how, cotangents=self.cotangents(mode)[place])

    def _result_pairs(self, mode: str) -> ResultPairs:
        return pair_results(self.returned(self.flax, mode), self.returned(self.torch, mode))

    def returned(self, side: Side, mode: str) -> Returned:
        """What one of the sides returns in that mode, whether it is random, and what it draws.

        Raises:
            UserCodeError: The network or an adapter raised something.
        """
        adapted = self.pair_inputs.adapted(side.framework)
        with self.watch.running(f"{FRAMEWORKS[side.framework]}'s forward pass for what it returns ({mode})"):
            return side.returned(adapted, mode == "training")
