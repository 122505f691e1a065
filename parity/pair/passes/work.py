"""What a check of a pair knows so far."""

from dataclasses import dataclass, field

from parity.pair.passes.compared import Compared
from parity.pair.passes.sides import BothSides, CallPairing, SharedMasks, SidePair
from parity.pair.weightmap.match import WeightMap
from parity.pair.weightmap.prove import Proof
from parity.report.records import Lint


@dataclass
class CheckState:
    """What is known so far; `still` names, as "flax:…" and "torch:…", what the users' optimizers leave as it is."""

    couple: SidePair
    proof: Proof
    lints: list[Lint]
    views: dict[str, BothSides] = field(default_factory=dict)
    joints: dict[str, list[CallPairing]] = field(default_factory=dict)
    compared: dict[str, Compared] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    shared: bool = False
    fixed: bool = False
    losses: dict[str, list[float]] = field(default_factory=dict)
    original: "CheckState | None" = None
    still: frozenset[str] = frozenset()

    @property
    def match(self) -> WeightMap:
        """The map."""
        return self.proof.match

    def masks(self, mode: str) -> SharedMasks | None:
        """The masks of dropout in that mode, if both sides are to have the same."""
        images = any(bond.torch.kind == "conv" for bond in self.match.bonds)
        return SharedMasks(self.couple.seed, images) if self.shared and mode == "training" else None

    @property
    def parameters(self) -> set[str]:
        """Names of all that is learnt, by side."""
        couple = self.couple
        return {f"flax:{n}" for n in couple.flax.parameters} | {f"torch:{n}" for n in couple.torch.parameters}
