"""What a check of a pair knows so far."""

from dataclasses import dataclass, field

from parity.pair.passes.sides import Couple, Joint, SharedMasks, Views
from parity.pair.rungs import rules as rungs
from parity.pair.weightmap.match import Match
from parity.pair.weightmap.prove import Proof
from parity.report.pair import Lint


@dataclass
class Work:
    """What is known so far."""

    couple: Couple
    proof: Proof
    lints: list[Lint]
    views: dict[str, Views] = field(default_factory=dict)
    joints: dict[str, list[Joint]] = field(default_factory=dict)
    compared: dict[str, rungs.Compared] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    shared: bool = False
    fixed: bool = False
    losses: dict[str, list[float]] = field(default_factory=dict)
    original: "Work | None" = None

    @property
    def match(self) -> Match:
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
