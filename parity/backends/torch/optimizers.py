"""A user's PyTorch optimizer and its learning-rate schedule, made anew over other parameters."""

import copy
import inspect
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Group = dict[str, Any]


class Stepper:
    """An optimizer of the user's class and settings; its schedule, if there is one, moves on after every step.

    Args:
        source: the user's optimizer, or it and its scheduler; neither is changed.
        groups: parameter groups in the place of its own, in their order.
    """

    def __init__(self, source: Any, groups: Sequence[Group]) -> None:
        optimizer, scheduler = source if isinstance(source, tuple) else (source, None)
        known = set(inspect.signature(type(optimizer)).parameters)  # AdamW's defaults have one that it does not take
        chosen = [{key: value for key, value in group.items() if key in known} for group in groups]
        defaults = {key: value for key, value in optimizer.defaults.items() if key in known}
        try:
            self.optimizer: torch.optim.Optimizer = type(optimizer)(chosen, **defaults)
        except TypeError:  # it takes what its defaults do not tell
            self.optimizer = _copied(optimizer, groups)
        for settings, group in zip(self.optimizer.param_groups, groups, strict=True):
            kept_by_schedulers = {key: value for key, value in group.items() if key not in settings}
            settings.update(kept_by_schedulers)
        self._scheduler = scheduler and copy.deepcopy(scheduler, {id(optimizer): self.optimizer})

    @property
    def rate(self) -> float:
        """Learning rate of the first group in the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def zero_grad(self) -> None:
        """Clear the gradients of the optimizer's parameters."""
        self.optimizer.zero_grad()

    def step(self) -> None:
        """A step of the optimizer, then one of the schedule."""
        self.optimizer.step()
        if self._scheduler is not None:
            with warnings.catch_warnings():  # it takes the optimizer for another one, which it is
                warnings.filterwarnings("ignore", ".*lr_scheduler.step", UserWarning)
                self._scheduler.step()


def _copied(optimizer: Any, groups: Sequence[Group]) -> torch.optim.Optimizer:
    """An optimizer with all that its user gave it, over other parameters and with nothing remembered."""
    parameters: dict[int, Any] = {id(p): p for group in optimizer.param_groups for p in group["params"]}
    other: torch.optim.Optimizer = object.__new__(type(optimizer))
    vars(other).update({name: copy.deepcopy(value, parameters) for name, value in vars(optimizer).items()})
    other.state.clear()  # a plain deep copy forgets the attributes that a class of one's own has
    del other.param_groups[len(groups) :]
    for settings, group in zip(other.param_groups, groups, strict=True):
        settings.update(group)
    return other


def rates(scheduler: Any, steps: int) -> NDArray:
    """Learning rates of the first so many steps from where a scheduler is."""
    groups = [{**group, "params": [torch.zeros((), requires_grad=True)]} for group in scheduler.optimizer.param_groups]
    stepper, learning_rates = Stepper((scheduler.optimizer, scheduler), groups), []
    for _ in range(steps):
        learning_rates.append(stepper.rate)
        stepper.step()
    return np.array(learning_rates)
