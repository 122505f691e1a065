"""What a backend must do with a network that a user brings, whatever its layers."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from numpy.typing import NDArray

from parity.interface.devices import chosen_place
from parity.interface.observation import EqualTables, Inputs, Mask, Miscompiled, Noise, PassResult, Returned, Table
from parity.interface.programs.program import Program
from parity.interface.sides.described import Described
from parity.interface.sides.trained import Objective, Trained
from parity.interface.trace import Precision


@dataclass(frozen=True)
class Pass:
    """How one pass is run.

    Args:
        precision: floating inputs and arrays are cast to it, whatever they are; float32 is strict.
        training: the mode.
        capture: record every module's call; else only outputs and buffers are there.
        cotangents: what the gradients are pulled back from, by leaf of the outputs; without them none are computed.
        mask: what dropout does; None turns it off.
        objective: gradients are those of this loss, and not of cotangents.
        feeds: number of a call, in the order in which they begin → what it gets in the place of its floating arguments,
            all of them in order; then no gradients are computed.
        deployed: compile it as the user's own `jit` would be, and not as the referee's programs are.
        derivatives: keep what says how each operation is derived, where the pass is taken as a program.
    """

    precision: Precision = "float64"
    training: bool = False
    capture: bool = True
    cotangents: Mapping[str, NDArray] | None = None
    mask: Mask | None = None
    objective: Objective | None = None
    feeds: Mapping[int, Sequence[NDArray]] = field(default_factory=dict)
    deployed: bool = False
    derivatives: bool = False

    @property
    def pulls(self) -> bool:
        """Whether gradients are computed."""
        return self.cotangents is not None or self.objective is not None


class Deployed:
    """A network as its user deploys it: what its checkpoints hold, and what a compiler makes of it."""

    @property
    def unsaved(self) -> frozenset[str]:
        """Names of the native arrays that are constants of the code: no checkpoint is expected to restore them."""
        return frozenset()

    @property
    def deployed_precision(self) -> Precision:
        """The floating type in which the user's own program computes."""
        return "float32"

    def miscompiled(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> Miscompiled | None:
        """The smallest program in that pass that the compiler computes wrongly; None where none is found, or nothing is
        compiled."""
        del native, inputs, how
        return None


class Placed:
    """What computes by a framework, on the device that is chosen for pairs."""

    framework: ClassVar[str]

    @property
    def device(self) -> str:
        """Where it computes now, whatever device the model is on; see `parity.interface.devices.Place`."""
        return chosen_place().words(self.framework)


class Side(Placed, Deployed, Described, Trained):
    """A user's network, which is never changed: everything is done on copies or by pure functions."""

    @abstractmethod
    def returned(self, inputs: Inputs, training: bool = False) -> Returned:
        """What the network returns in a mode, with the user's own arrays, and whether two calls of it agree.

        Args:
            inputs: What it is called with.
            training: The mode.

        Raises:
            Exception: Whatever the network raises.
        """

    def output_shapes(self, inputs: Inputs) -> dict[str, tuple[int, ...]]:
        """Shape of each floating leaf of the result in evaluation mode, by name; a complex leaf counts as two.

        Args:
            inputs: What the network is called with.
        """
        return {n: leaf.shape for n, leaf in self.returned(inputs).leaves.items() if leaf.kind == "floating"}

    @abstractmethod
    def run(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> PassResult:
        """One pass with these arrays in the place of the network's own.

        Args:
            native: All parameters and buffers by native name; floating ones are cast to the pass's precision.
            inputs: What the network is called with, cast likewise.
            how: The mode, the precision, and what is computed and recorded.

        Raises:
            UsageError: the loss gives something else than one number.
            Exception: whatever the network or the loss raises.
        """

    @abstractmethod
    def program(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> Program:
        """One forward pass in float64 with these arrays, operation by operation, with the objective's loss.

        Args:
            native: All parameters and buffers by native name.
            inputs: What the network is called with.
            how: The mode, what dropout does, and the objective.

        Raises:
            Exception: Whatever the network raises.
        """

    @abstractmethod
    def tables(self, inputs: Inputs, held: Sequence[str]) -> list[Table]:
        """The tables of the network in evaluation in float64, where they meet what depends on the inputs.

        Args:
            inputs: What it is called with.
            held: Native names of arrays that are tables: they have no counterpart and are not trained.
        """

    def reads_beyond(self, native: Mapping[str, NDArray], inputs: Inputs) -> list[str]:
        """The user's lines that read past the end of an array in evaluation, where the framework raises nothing.

        Args:
            native: All parameters and buffers by native name.
            inputs: What the network is called with.
        """
        del native, inputs
        return []

    def unify(self, equal: Sequence[EqualTables], native: Mapping[str, NDArray]) -> None:
        """From now on, other numbers are in the place of those tables in float64, beside those of earlier calls.

        Args:
            equal, native: The tables that the network computes, and those that it holds, by their native names.
        """
        raise NotImplementedError(f"{self.framework}'s tables are never changed")

    def share(self, noise: Noise) -> None:
        """From now on, passes and training steps get these numbers where the network draws some, but for dropout.

        Args:
            noise: Gives the numbers of each draw by its number and its shape.

        Raises:
            NotImplementedError: The side leaves draws as they are.
        """
        raise NotImplementedError(f"{self.framework}'s draws are never changed")

    def undo(self, eps: Mapping[str, float], gelu: str | None, power: Mapping[str, tuple[int, float]]) -> "Side":
        """The same network with other conventions, to confirm that they are the cause of a difference.

        Args:
            eps, gelu: epsilons by module path, and the form of every GELU, "exact" or "tanh"; None leaves that.
            power: path of a layer with a spectral norm → steps and epsilon of the other framework's power iteration.
        """
        raise NotImplementedError(f"{self.framework}'s side is never changed")

    @abstractmethod
    def adopt(self, native: Mapping[str, NDArray]) -> Any:
        """A copy of the user's network that holds these arrays, in the user's own dtypes.

        Args:
            native: All arrays by native name.

        Returns:
            What the user gave: a module, and for Linen the module with its variables.
        """


FRAMEWORKS = {"flax": "Flax", "torch": "PyTorch"}
