"""What a backend must do with a network that a user brings, whatever its layers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from numpy.typing import NDArray

from parity.interface.observation import EqualTables, Inputs, Mask, Miscompiled, Noise, PassResult, Returned, Table
from parity.interface.programs.program import Program
from parity.interface.trace import Arrays, Precision, Trajectory
from parity.interface.unit import Unit


@dataclass(frozen=True, eq=False)
class Objective:
    """One side's loss, as the user wrote it for that framework.

    Args:
        loss: a function of what the network returns and the targets; it gives one number.
        targets: tree of NumPy arrays, which become the framework's: floating ones in the precision of the pass, whole
            numbers in PyTorch as int64, in Flax as int32, or int64 in a float64 pass.
        scale: the loss is multiplied by it.
    """

    loss: Callable[[Any, Any], Any]
    targets: Any = None
    scale: float = 1.0


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
        derivatives: of a pass as a program, keep what says how its operations are derived.
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


class Side(Deployed, ABC):
    """A user's network, which is never changed: everything is done on copies or by pure functions.

    Args:
        model: the framework's object (for Linen, module and variables).
        inputs: an example, already in this side's own layout and order.
    """

    framework: ClassVar[str]
    device: ClassVar[str] = "cpu"
    """Where it computes, whatever device the model is on."""

    @property
    @abstractmethod
    def units(self) -> Sequence[Unit]:
        """Layers that hold arrays; every native array belongs to one (or is a counter or a random state)."""

    @property
    @abstractmethod
    def native(self) -> Arrays:
        """The user's own parameters and buffers by native name: read-only copies."""

    @property
    @abstractmethod
    def parameters(self) -> frozenset[str]:
        """Names of the native arrays that are trained, as they are declared: parameters that are not frozen."""

    @property
    def declared(self) -> frozenset[str]:
        """Names of the native arrays that are parameters, trained or frozen."""
        return self.parameters

    @property
    @abstractmethod
    def stored(self) -> Mapping[str, str]:
        """Native name → name of the dtype in which the user keeps the array, such as "float16"."""

    @property
    def flags(self) -> Sequence[str]:
        """Arguments of the network's call by one of which it may be told its mode, though no name of ours says so."""
        return ()

    def standing(self, name: str) -> str:
        """How the native array of that name is declared, in words that follow its name: "is trained" …"""
        return "is trained" if name in self.parameters else "is no parameter"

    @property
    @abstractmethod
    def ties(self) -> Mapping[str, str]:
        """Second names of native arrays that have several → the first name, which is the one in `native`."""

    @property
    @abstractmethod
    def default_precision(self) -> tuple[bool, str]:
        """Whether float32 products and convolutions are strict as the framework is set now on its device; in words."""

    @abstractmethod
    def returned(self, inputs: Inputs, training: bool = False) -> Returned:
        """What the network returns in a mode, with the user's own arrays, and whether two calls of it agree."""

    def output_shapes(self, inputs: Inputs) -> dict[str, tuple[int, ...]]:
        """Shape of each floating leaf of the result, by name."""
        return {n: leaf.shape for n, leaf in self.returned(inputs).leaves.items() if leaf.kind == "floating"}

    @abstractmethod
    def run(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> PassResult:
        """One pass with these arrays in the place of the network's own.

        Raises:
            UsageError: the loss gives something else than one number.
            Exception: whatever the network or the loss raises.
        """

    @abstractmethod
    def program(self, native: Mapping[str, NDArray], inputs: Inputs, how: Pass) -> Program:
        """One forward pass in float64 with these arrays, operation by operation, with the objective's loss."""

    @abstractmethod
    def tables(self, inputs: Inputs, held: Sequence[str]) -> list[Table]:
        """The tables of the network in evaluation in float64, where they meet what depends on the inputs.

        Args:
            inputs: What it is called with.
            held: Native names of arrays that are tables: they have no counterpart and are not trained.
        """

    def unify(self, equal: Sequence[EqualTables], native: Mapping[str, NDArray]) -> None:
        """From now on, other numbers are in the place of those tables in float64, beside those of earlier calls.

        Args:
            equal, native: The tables that the network computes, and those that it holds, by their native names.
        """
        raise NotImplementedError(f"{self.framework}'s tables are never changed")

    def share(self, noise: Noise) -> None:
        """From now on, passes and training steps get these numbers where the network draws some, but for dropout."""
        raise NotImplementedError(f"{self.framework}'s draws are never changed")

    @abstractmethod
    def train(
        self,
        native: Mapping[str, NDArray],
        inputs: Sequence[Inputs],
        targets: Sequence[Arrays],
        optimizer: Any,
        objective: Objective | None = None,
    ) -> Trajectory:
        """Float64 training steps, one for each of the inputs, on the objective, or without one on the mean of the
        squared distances of the output leaves from the targets; the weights after the last are by native name."""

    @abstractmethod
    def update(
        self,
        optimizer: Any,
        parameters: Mapping[str, NDArray],
        gradients: Sequence[Mapping[str, NDArray]],
        precision: Precision,
    ) -> list[Arrays]:
        """Feed a stream of gradients to the optimizer alone; parameters after every step.

        Args:
            optimizer: optax's transformation; of PyTorch an optimizer over the network's parameters, whose class and
                settings are used, those of each group where the parameters are the network's own, else of the first; or
                it and its scheduler, which moves on after every step.
        """

    @abstractmethod
    def rates(self, schedule: Any, steps: int, precision: Precision) -> NDArray:
        """Learning rates of the first so many steps of optax's schedule, or of PyTorch's scheduler."""

    def schedule_program(self, schedule: Any, steps: int) -> Program:
        """The learning rates of the first so many steps, operation by operation: one result, "", of the counts."""
        raise NotImplementedError(f"{self.framework}'s schedules have no operations")

    def written(self, optimizer: Any, parameters: Mapping[str, NDArray]) -> Sequence[float]:
        """The numbers that are written in an optimizer: in its first state, and in one step with these parameters."""
        raise NotImplementedError(f"{self.framework}'s optimizers have settings")

    def undo(self, eps: Mapping[str, float], gelu: str | None) -> "Side":
        """The same network with other conventions, to confirm that they are the cause of a difference.

        Args:
            eps: module path → epsilon.
            gelu: form of every GELU, "exact" or "tanh"; None leaves them.
        """
        raise NotImplementedError(f"{self.framework}'s side is never changed")

    @abstractmethod
    def adopt(self, native: Mapping[str, NDArray]) -> Any:
        """A copy of the user's network that holds these arrays, in the user's own dtypes."""


FRAMEWORKS = {"flax": "Flax", "torch": "PyTorch"}
