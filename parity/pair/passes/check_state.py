"""What a check of a pair knows so far."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from parity.interface.observation import PassResult
from parity.interface.trace import Precision
from parity.pair.passes.both_sides import BothSides, released
from parity.pair.passes.calls import CallPairing
from parity.pair.passes.compared import Compared
from parity.pair.passes.masks import SharedMasks
from parity.pair.passes.sides import SidePair
from parity.pair.weightmap.pairing.pairings import WeightMap
from parity.pair.weightmap.proof import Proof
from parity.pair.weightmap.random_weights import to_flax
from parity.report.records import Lint


@dataclass
class CheckState:
    """What is known so far. Passes are added as they are run; where a convention is undone, a new state begins.

    Args:
        sides: The pair.
        proof: The proof of its weight map.
        lints: Settings that differ.
        passes: What both sides showed, by mode.
        calls: The calls that are compared, by mode.
        compared: What came of comparing them, by mode.
        notes: What the user is told besides.
        shared: Whether the same masks are injected into both sides' dropout in training.
        fixed: Whether the weight map is the user's own, so that no other reading of it is tried.
        losses: The losses of each side's training run, by side.
        original: The state before anything was undone; None where nothing was.
        still: The names, as "flax:NAME" and "torch:NAME", of what the users' optimizers leave as it is.
    """

    sides: SidePair
    proof: Proof
    lints: list[Lint]
    passes: dict[str, BothSides] = field(default_factory=dict)
    calls: dict[str, list[CallPairing]] = field(default_factory=dict)
    compared: dict[str, Compared] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    shared: bool = False
    fixed: bool = False
    losses: dict[str, list[float]] = field(default_factory=dict)
    original: "CheckState | None" = None
    still: frozenset[str] = frozenset()

    @property
    def weight_map(self) -> WeightMap:
        """The map, as far as it is decided."""
        return self.proof.weight_map

    @property
    def parameters(self) -> set[str]:
        """The native names of all that is learnt, as "flax:NAME" and "torch:NAME"."""
        flax, torch = self.sides.flax, self.sides.torch
        return {f"flax:{name}" for name in flax.parameters} | {f"torch:{name}" for name in torch.parameters}

    def masks(self, mode: str) -> SharedMasks | None:
        """The masks of dropout in that mode; None where dropout is off."""
        images = any(layer.torch.kind == "conv" for layer in self.weight_map.layers)
        return SharedMasks(self.sides.seed, images) if self.shared and mode == "training" else None

    def release(self, mode: str) -> None:
        """Let go of what the layers gave in a mode in which all that was compared agrees: nobody looks for a place
        there."""
        if self.masks(mode) is not None or not self.compared[mode].same:
            return
        both = self.passes[mode] = released(self.passes[mode], partial(self._again, self.sides, mode))
        if mode == "evaluation":
            flax, torch, low = both.flax["float64"], both.torch["float64"], both.torch["float32"]
            evaluation = replace(self.proof.evaluation, flax=flax, torch=torch, low=low)
            self.proof = replace(self.proof, evaluation=evaluation)

    def _again(self, sides: SidePair, mode: str, side: Literal["flax", "torch"], precision: Precision) -> PassResult:
        native = self.proof.arrays(side)
        if side == "flax" and mode == "training":  # where tables may have been made equal since the proof
            native = to_flax(self.weight_map, self.proof.torch, sides.flax.native)
        return sides.run_pass(side, native, mode, precision)
