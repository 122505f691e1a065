"""What a user may ask of a check, in groups, and the former names of these options."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypeVar

from parity.errors import UsageError
from parity.pair.bar import Bar

DROPOUTS = ("off", "shared")
STEPS = 100
"""Steps whose learning rates are compared unless the user says how many."""


@dataclass(frozen=True)
class TrainingPair:
    """How each side is trained: Flax's object and PyTorch's.

    Args:
        optimizers: An optax transformation and a PyTorch optimizer over the network's parameters, for the rungs update
            and trajectory.
        schedules: Optax's schedule, a function of the step from 0, and PyTorch's `LRScheduler`, whose learning rates
            are compared step by step. With optimizers, the scheduler is that of the PyTorch one and moves on after
            every step; optax's transformation has its schedule in it.
        schedule_steps: How many steps of the schedules are compared.
        loss: Flax's loss and PyTorch's, each a function of what its network returns and of the targets, in its own
            framework's arrays, that gives one number. Gradients are then those of the losses, whose values are judged
            too, and training runs are on them; without a loss, gradients are of a random cotangent.
        targets: An array, or a tree of them, of NumPy: floating ones are cast to the precision of a pass, whole numbers
            are int64 for PyTorch and int32 for Flax, int64 in float64 passes.

    Raises:
        UsageError: PyTorch's optimizer is where optax's belongs.
    """

    optimizers: tuple[Any, Any] | None = None
    schedules: tuple[Callable[[Any], Any], Any] | None = None
    schedule_steps: int = STEPS
    loss: tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]] | None = None
    targets: Any = None

    def __post_init__(self) -> None:
        if self.optimizers is not None and hasattr(self.optimizers[0], "param_groups"):
            raise UsageError(
                f"got PyTorch's {type(self.optimizers[0]).__name__} as the first of optimizers; expected optax's "
                "transformation first and PyTorch's optimizer second"
            )


@dataclass(frozen=True)
class Checks:
    """What is checked, and what is no difference to the user.

    Args:
        accept: Names of conventions (`parity conventions` lists them) that are no difference to you.
        dropout: "off", or "shared": in training the same masks are injected into both networks, and in both modes the
            same numbers wherever both draw uniform, normal, exponential or Gumbel ones.
        probes: Whether inputs and weights beyond yours are tried too, where the networks take them.
        training_flag: The name of the argument or field by which Flax's network is told that it trains, where it is
            none of the usual ones (`train`, `training`, `is_training`, `deterministic`, `use_running_average`, …); with
            "not " before it, the one by which it is told that it does not.

    Raises:
        UsageError: The name of what dropout does is not known.
    """

    accept: Sequence[str] = ()
    dropout: Literal["off", "shared"] = "off"
    probes: bool = True
    training_flag: str = ""

    def __post_init__(self) -> None:
        if self.dropout not in DROPOUTS:
            raise UsageError(f"dropout got {self.dropout!r}; expected one of {', '.join(DROPOUTS)}")


@dataclass(frozen=True)
class Request:
    """All that is asked of one check.

    Args:
        to_flax, to_torch: How one side wants the inputs, see `parity.compare`.
        training: How each side is trained.
        checks: What is checked.
        map: The file of a weight map to use as it is; None looks for one.
        map_out: The file to write the weight map to.
        seed: The seed of weights, cotangents and what else is drawn.
        name: The name of the pair, for the report.
        device: The device on which both sides compute: "cpu", "gpu" or "tpu", or one of several such as "gpu:1".
        backward: Whether gradients are computed; without them there is no rung 3 and no rung 6.
        bar: What the check has to show, else it ends early; None for a whole check.
    """

    to_flax: Any = None
    to_torch: Any = None
    training: TrainingPair = field(default_factory=TrainingPair)
    checks: Checks = field(default_factory=Checks)
    map: str | None = None
    map_out: str | None = None
    seed: int = 0
    name: str = "pair"
    device: str = "cpu"
    backward: bool = True
    bar: Bar | None = None


GROUPS: Mapping[str, type[TrainingPair] | type[Checks]] = {"training": TrainingPair, "checks": Checks}
NEVER_ALONE = ("training_flag",)
"""Options that came after the groups: they are no keywords of `parity.compare`."""
GROUP_OF: Mapping[str, str] = {
    option.name: name for name, group in GROUPS.items() for option in fields(group) if option.name not in NEVER_ALONE
}
"""The former keywords of `parity.compare` → the keyword of the group that each is in now."""
Group = TypeVar("Group", TrainingPair, Checks)


def with_former(options: Mapping[str, Any], stacklevel: int = 3) -> dict[str, Any]:
    """The keywords of `parity.compare` with its former ones in their groups.

    Args:
        options: The keywords as they were given; a group that is None counts as not given.
        stacklevel: The caller to whom the deprecation is told, as for `warnings.warn`.

    Raises:
        UsageError: A group is no `TrainingPair` or `Checks`, or an option is given in its group and by its former name.
    """
    grouped = {name: value for name, value in options.items() if name not in GROUP_OF and value is not None}
    for name, value in options.items():
        if name in GROUP_OF:
            group = GROUP_OF[name]
            spelled = f"{group}={GROUPS[group].__name__}({name}=…)"
            warnings.warn(f"{name}= is deprecated; write {spelled}", DeprecationWarning, stacklevel)
            grouped[group] = _with(_group(group, grouped.get(group)), name, value)
    for group in GROUPS:
        grouped[group] = _group(group, grouped.get(group))
    return grouped


def _group(name: str, value: Any) -> Any:
    if value is None:
        return GROUPS[name]()
    if not isinstance(value, GROUPS[name]):
        raise UsageError(f"{name} got {type(value).__name__}; expected parity.{GROUPS[name].__name__}(…)")
    return value


def _with(group: Group, name: str, value: Any) -> Group:
    """The group with one of its options, which it must not have yet."""
    default = getattr(type(group)(), name)
    if getattr(group, name) is not default and getattr(group, name) != default:
        raise UsageError(f"{name} is given twice: by itself and in {type(group).__name__}; leave one out")
    return replace(group, **{name: value})
