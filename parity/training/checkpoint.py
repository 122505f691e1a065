"""Checkpoints: a training state in no framework's form, in a safetensors file that is verified when it is read."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors import numpy as safetensors_numpy

from parity.backends import TrainingState
from parity.errors import UsageError
from parity.files import write_atomically
from parity.report.environment import versions
from parity.trace import Arrays
from parity.training.plan import Plan

FORMAT = "netparity-checkpoint/1"
WEIGHT, MOMENT = "weight:", "moment:"


@dataclass(frozen=True)
class Checkpoint:
    """A run at one of its steps.

    Args:
        plan: of the run.
        backend: that made it; any can go on from it.
        state: weights, moments and step; the position in the data follows from the step.
        path: of the file.
    """

    plan: Plan
    backend: str
    state: TrainingState
    path: Path


def save(plan: Plan, backend: str, state: TrainingState, folder: Path) -> Path:
    """Write a checkpoint, whole or not at all, and remove all but the last `plan.keep`.

    Raises:
        UsageError: it cannot be written; the earlier ones are as they were.
    """
    arrays = {f"{WEIGHT}{name}": np.require(array, requirements="C") for name, array in state.weights.items()}
    for moment, by_name in state.moments.items():
        arrays |= {f"{MOMENT}{moment}:{name}": np.require(a, requirements="C") for name, a in by_name.items()}
    epoch, step = plan.position(state.step)
    run = {"step": state.step, "epoch": epoch, "step_in_epoch": step, "backend": backend, "plan": plan.to_json()}
    about = json.dumps({**run, "versions": versions()})
    metadata = {"format": FORMAT, "run": about, "sha256": digest(arrays, about)}
    path = write_atomically(folder / f"step-{state.step:010d}.safetensors", safetensors_numpy.save(arrays, metadata))
    for old in files(folder)[: -plan.keep]:
        old.unlink()
    return path


def files(folder: Path) -> list[Path]:
    """All checkpoints of a folder, the oldest first."""
    return sorted(folder.glob("step-*.safetensors"))


def latest(place: Path) -> Path:
    """The newest checkpoint of a run, or the file itself if it is one.

    Raises:
        UsageError: there is none.
    """
    if place.is_file():
        return place
    found = files(place / "checkpoints")
    if not found:
        raise UsageError(f"{place} holds no checkpoint; name the folder of a run (its --out) or one of its checkpoints")
    return found[-1]


def load(path: Path) -> Checkpoint:
    """Read a checkpoint and verify it.

    Raises:
        UsageError: it cannot be read, is no checkpoint, or is damaged.
    """
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise UsageError(f"{path} is no checkpoint of a run ({FORMAT}); name one, or the folder of a run")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except OSError as error:
        raise UsageError(f"cannot read checkpoint {path}: {error.strerror or error}") from error
    except SafetensorError as error:
        raise _damaged(path, str(error)) from error
    if digest(arrays, metadata["run"]) != metadata["sha256"]:
        raise _damaged(path, "its content has changed since it was written")
    run = json.loads(metadata["run"])
    return Checkpoint(Plan.from_json(run["plan"]), run["backend"], _state(arrays, run["step"]), path)


def digest(arrays: Mapping[str, NDArray[Any]], about: str) -> str:
    """SHA-256 in hexadecimal of all arrays, their names, dtypes and shapes, and a text."""
    total = hashlib.sha256(about.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name}{array.dtype.str}{array.shape}".encode())
        total.update(array.data)
    return total.hexdigest()


def _state(arrays: Mapping[str, NDArray], step: int) -> TrainingState:
    weights = {name.removeprefix(WEIGHT): array for name, array in arrays.items() if name.startswith(WEIGHT)}
    moments: dict[str, Arrays] = {}
    for name, array in arrays.items():
        if name.startswith(MOMENT):
            _, moment, parameter = name.split(":")
            moments.setdefault(moment, {})[parameter] = array
    return TrainingState(weights, moments, step)


def _damaged(path: Path, reason: str) -> UsageError:
    older = [file for file in files(path.parent) if file.name < path.name]
    remedy = f"go on from the one before with --resume {older[-1]}" if older else "there is none before it: begin anew"
    return UsageError(f"checkpoint {path} is damaged ({reason}); {remedy}")
